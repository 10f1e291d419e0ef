-- Classic momentum: long as soon as the price has risen by enough over some bars, short when it fell so.
--
-- params.bars       how far back it looks (20)
-- params.percent    how much of a move is momentum (1)
-- In between the position stays as it is, so it is changed once for each move.
local bars = params.bars or 20
local percent = params.percent or 1

local moved = (close() / close(bars) - 1) * 100

if moved >= percent then
  return "long"
elseif moved <= -percent then
  return "short"
end
