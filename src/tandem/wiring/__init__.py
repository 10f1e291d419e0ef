"""Builds real processes on this computer; the only place that names adapters."""
