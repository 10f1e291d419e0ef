"""Strategies that come with Tandem."""
