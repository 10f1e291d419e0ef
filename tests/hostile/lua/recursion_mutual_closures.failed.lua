local a, b
a = function(n) local c = function() return b(n + 1) end return 1 + c() end
b = function(n) local c = function() return a(n + 1) end return 1 + c() end
return a(0)
