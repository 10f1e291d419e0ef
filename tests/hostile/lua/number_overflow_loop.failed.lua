local i = 2^53
while i < 2^53 + 2 do i = i + 1 end
