for i = 1, 60 do state["s" .. i] = string.rep("x", 60000) end
