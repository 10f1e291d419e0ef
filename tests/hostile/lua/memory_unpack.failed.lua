local t = {}
for i = 1, 10000 do t[i] = i end
local function f(...) return f(..., table.unpack(t, 1, 10000)) end
f(1)
