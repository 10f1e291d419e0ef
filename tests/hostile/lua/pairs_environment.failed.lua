for k, v in pairs(_G) do log(k) end
return 0.666
