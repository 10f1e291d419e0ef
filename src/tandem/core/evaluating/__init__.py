"""Who is evaluated where and for how long, and what is said of those who took too long."""
