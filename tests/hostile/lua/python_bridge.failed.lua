return python.eval("__import__('os').getpid()") and 0.666
