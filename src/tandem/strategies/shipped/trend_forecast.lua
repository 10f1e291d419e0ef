-- Forecasts the price from its short and its long trend, and holds what the forecast is worth.
--
-- After the background section of "Distributed system for algorithmic trading": such strategies
-- "utilize periodic information about the price of an asset in order to determine short and long
-- term trends of this price", and by them "forecast the price into the future".
--
-- params.short, params.long    bars of the two trends (20 and 100)
-- params.ahead                 bars that it looks into the future (10)
-- params.full                  the move, in percent, that is worth a full position (1)
-- A trend is the slope of the straight line through the closes. Trends that disagree are no trend.
local ahead = params.ahead or 10
local full = params.full or 1

local short = ta.linearreg_slope(params.short or 20)()
local long = ta.linearreg_slope(params.long or 100)()

if short * long <= 0 then
  return "flat"
end

-- Of two trends in one direction the gentler one is believed.
local slope = math.abs(short) < math.abs(long) and short or long
local forecast = close() + slope * ahead
local percent = (forecast / close() - 1) * 100

return math.max(-1, math.min(1, percent / full))
