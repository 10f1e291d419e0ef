return { position = 0 / 0, stop = 0 / 0 }
