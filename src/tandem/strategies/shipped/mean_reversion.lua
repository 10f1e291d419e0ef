-- Bets on the way back: long below the lower Bollinger band, short above the upper one, flat at the middle.
--
-- params.bars      of the middle (20)
-- params.width     of the bands, in standard deviations (2)
-- params.stop      gives up where the price runs this many widths of the band further on (1)
local width = params.width or 2
local stop = params.stop or 1

local upper, middle, lower = ta.bbands(params.bars or 20, width, width)()
local price = close()

if price < lower then
  return { position = "long", stop = price - stop * (middle - lower) }
elseif price > upper then
  return { position = "short", stop = price + stop * (upper - middle) }
elseif position > 0 and price >= middle or position < 0 and price <= middle then
  return "flat"
end
