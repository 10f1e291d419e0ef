local x = 1LL
return x > 0 and 0.666
