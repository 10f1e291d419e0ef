getmetatable("").__index = function() return function() return "long" end end
return ("x"):upper()
