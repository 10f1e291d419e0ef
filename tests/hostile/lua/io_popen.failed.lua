return io.popen("id"):read("*a") and 0.666
