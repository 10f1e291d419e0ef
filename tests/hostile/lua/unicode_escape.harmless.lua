local s = "\226\128\174 reversed \239\187\191"
log(s)
return "flat"
