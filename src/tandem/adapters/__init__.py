"""One folder for each outside system; they do the I/O."""
