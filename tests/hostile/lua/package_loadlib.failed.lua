return package.loadlib("libc.so.6", "system") and 0.666
