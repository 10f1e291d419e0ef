for i = 2, 5000 do local x = ta.sma(i)() end
