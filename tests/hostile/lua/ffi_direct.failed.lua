return ffi.C.getpid() and 0.666
