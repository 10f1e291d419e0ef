"""Algorithms: orders that place orders. One file a kind, and one driver that runs them all."""
