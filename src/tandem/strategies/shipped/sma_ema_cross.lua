-- The paper's strategy: short while the simple average is above the exponential one, else long.
--
-- params.sma, params.ema    their periods (10 and 10)
-- The exponential average follows the price sooner, so in a rising market it is the higher one.
local sma = ta.sma(params.sma or 10)
local ema = ta.ema(params.ema or 10)

if sma() > ema() then
  return "short"
else
  return "long"
end
