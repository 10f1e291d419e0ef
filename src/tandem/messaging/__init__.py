"""Messages between processes over ZeroMQ, in the three shapes that trading needs."""
