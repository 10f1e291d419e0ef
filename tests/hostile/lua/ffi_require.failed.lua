local ffi = require "ffi"
ffi.cdef "int system(const char *)"
ffi.C.system("touch /tmp/tandem-hostile-escaped")
return 0.666
