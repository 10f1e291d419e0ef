"""A whole cluster in one thread on one seed."""
