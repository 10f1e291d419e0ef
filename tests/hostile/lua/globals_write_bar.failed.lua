bar.close = 1
