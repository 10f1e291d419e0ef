local function f(n) return n < 0 or f(n + 1) end
return f(0) and "long" or "flat"
