"""Recorded market data, read as the events of a market."""
