local s = string.rep("a", 30000)
return string.find(s, ("a*"):rep(30) .. "b") and "long" or "flat"
