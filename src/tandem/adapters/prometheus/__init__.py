"""Metrics for Prometheus: a page of text that it comes and reads."""
