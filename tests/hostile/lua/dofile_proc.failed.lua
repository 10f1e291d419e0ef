return dofile("/proc/self/environ") and 0.666
