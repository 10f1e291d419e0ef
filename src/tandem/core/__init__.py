"""What to do: decisions, pure and synchronous."""
