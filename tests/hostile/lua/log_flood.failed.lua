while true do log(string.rep("x", 60000)) end
