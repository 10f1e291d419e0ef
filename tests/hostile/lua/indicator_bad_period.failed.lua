return ta.sma(1e308)() > 0 and "long"
