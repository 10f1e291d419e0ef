close = function() return 0 end
