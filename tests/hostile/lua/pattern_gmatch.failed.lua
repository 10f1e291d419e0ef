for w in string.gmatch(string.rep("a", 30000), "(a*)*b") do end
