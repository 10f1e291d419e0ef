"""What comes in about a market: judged, measured and counted before anybody acts on it."""
