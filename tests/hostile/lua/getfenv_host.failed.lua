return getfenv(0) and 0.666
