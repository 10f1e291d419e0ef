-- Goes with a new high or low of some bars, and leaves at the opposite extreme of fewer bars.
--
-- params.entry    bars whose high or low must be passed (20)
-- params.exit     bars whose opposite extreme ends it (10)
-- This bar does not count for its own extremes: it could not pass them.
local entry = params.entry or 20
local exit = params.exit or 10

local function highest(bars)
  local found = high(1)
  for back = 2, bars do found = math.max(found, high(back)) end
  return found
end

local function lowest(bars)
  local found = low(1)
  for back = 2, bars do found = math.min(found, low(back)) end
  return found
end

local price = close()
if price > highest(entry) then
  return "long"
elseif price < lowest(entry) then
  return "short"
elseif position > 0 and price < lowest(exit) or position < 0 and price > highest(exit) then
  return "flat"
end
