"""Every run of a small pool, one by one: the very desk, workers and leases, searched to the end."""
