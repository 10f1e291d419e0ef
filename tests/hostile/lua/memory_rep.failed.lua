local s = string.rep("x", 2^31)
return #s > 0 and "long" or "flat"
