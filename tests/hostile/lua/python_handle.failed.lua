local h = ta.sma(10)
return h.__class__ and 0.666
