return load("return 0.666")()
