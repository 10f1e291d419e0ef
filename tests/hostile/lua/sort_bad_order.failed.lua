local t = {}
for i = 1, 3000 do t[i] = i end
table.sort(t, function(a, b) return true end)
return "flat"
