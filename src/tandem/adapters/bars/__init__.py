"""The history of bars, in one SQLite file."""
