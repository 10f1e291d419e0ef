local n = 0
for i = 1, 1e15 do n = n + i end
return n > 0 and "long" or "flat"
