ta.sma = function() return function() return 1e9 end end
