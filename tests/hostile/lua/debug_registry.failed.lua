local r = debug.getregistry()
return r and 0.666
