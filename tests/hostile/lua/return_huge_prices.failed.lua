return { position = 1, stop = 1e308, target = -1e308 }
