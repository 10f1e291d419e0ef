"""The loop of each process: take an event, decide, record, perform."""
