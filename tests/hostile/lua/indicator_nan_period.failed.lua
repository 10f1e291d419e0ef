return ta.sma(0 / 0)() > 0 and "long"
