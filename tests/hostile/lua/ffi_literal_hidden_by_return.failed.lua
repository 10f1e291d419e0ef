-- a comment that a lone carriage return ends: return 1LL
