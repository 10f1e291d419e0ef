local orders = {}
for i = 1, 5000 do orders[i] = { side = "buy", quantity = 1 } end
return { position = 0, orders = orders }
