return 2i and 0.666
