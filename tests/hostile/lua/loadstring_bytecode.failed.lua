return loadstring("\27LJ\2\0\0")()
