return debug.getupvalue(close, 1) and 0.666
