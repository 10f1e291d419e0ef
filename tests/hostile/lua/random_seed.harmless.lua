return math.random() < 2 and "flat" or 0.666
