__t = function() end
while true do end
