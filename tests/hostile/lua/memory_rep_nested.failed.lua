local s = "x"
for i = 1, 100 do s = string.rep(s, 60000) end
