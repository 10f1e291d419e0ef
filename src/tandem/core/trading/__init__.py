"""One trader's desk and its workers."""
