return close.__globals__ and 0.666
