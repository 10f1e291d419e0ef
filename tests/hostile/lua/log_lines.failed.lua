for i = 1, 1000 do log(i) end
return "flat"
