return jit.util.funck(close, 0) and 0.666
