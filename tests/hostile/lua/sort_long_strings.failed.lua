local s = string.rep("x", 60000)
local t = {}
for i = 1, 15000 do t[i] = s .. i end
table.sort(t)
