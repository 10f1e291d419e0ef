local t = {}
for i = 1, 5000 do t[i] = "0123456789" end
local s = table.concat(t)
for i = 1, 5000 do t[i] = s end
local all = table.concat(t)
for i = 1, 5000 do t[i] = all end
return table.concat(t)
