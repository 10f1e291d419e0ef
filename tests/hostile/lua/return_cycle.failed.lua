local t = { position = 1 }
t.orders = t
return t
