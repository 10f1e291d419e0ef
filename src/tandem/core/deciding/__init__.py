"""What is due when a bar is final, and what is decided of it."""
