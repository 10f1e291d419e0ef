"""Storms over a real pool: kills at named points, freezes, bad cables and disks, under load."""
