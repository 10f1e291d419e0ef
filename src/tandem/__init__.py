"""Tandem: distributed algorithmic trading for retail traders."""
