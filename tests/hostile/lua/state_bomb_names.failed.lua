for i = 1, 100000 do state["name" .. i] = i end
