local tick = function() end
local __tick = tick
while true do end
