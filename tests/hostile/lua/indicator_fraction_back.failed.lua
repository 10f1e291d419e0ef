return close(0.5) and 0.666
