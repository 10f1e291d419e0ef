-- Evaluates what is attached to a series, one attachment after the other.
--
-- Values are computed outside, once for all scripts, and lie in one array, `values`. A series has
-- seven places there, from `first`: open, high, low, close, volume, time, count of bars. In LuaJIT
-- the arrays are the host's memory; in plain Lua they are tables that the host writes.
local opts, E = ...
local ffi = opts.has_ffi and require "ffi"
local error, pcall, type, select, unpack, tostring, setmetatable = error, pcall, type, select, unpack, tostring, setmetatable
local floor, concat, format, find, sub = math.floor, table.concat, string.format, string.find, string.sub
local find_handle, find_track, charge, begin = opts.find_handle, opts.find_track, E.charge, E.begin
local returned_at, is_kept_changed, lines_of, make_room = E.returned_at, E.is_kept_changed, E.lines, E.make_room
local BUDGET, TRACK, CALLS_MAX, FULL = opts.budget, opts.track, 64, 1000000
local BACK_MAX = TRACK - 1
local TIME, COUNT = 5, 6
local WARMING, NOTHING = {}, {}
local CODES = { long = FULL, short = -FULL, flat = 0 }
local PLACES = { open = 0, high = 1, low = 2, close = 3, volume = 4, time = 5 }

local jit = jit
-- The host's array at an address; without FFI a function reads it.
local function array(kind, at)
  if ffi then return ffi.cast(kind, ffi.cast("uintptr_t", at)) end
  return setmetatable({}, { __index = function(_, place) return at(place) end })
end
local values = array("const double*", opts.values)
local answers = ffi and array("int32_t*", opts.answers) or opts.answers
local mark = opts.mark
if ffi then
  local running = array("int32_t*", opts.running)
  mark = function(number) running[0] = number end
end
local all, current, calls = {}, nil, 0

-- What was `back` bars ago lies in a ring, made when a script first asks for it.
local function value_before(x, place, first, back, name, level)
  if type(back) ~= "number" or back ~= floor(back) or back < 0 or back > BACK_MAX then
    error(name .. ": expected bars back, a whole number from 0 to " .. BACK_MAX, level + 1)
  end
  local count = values[first + COUNT]
  if back >= count then error(WARMING) end
  local track = x.tracks[place]
  if not track then
    track = array("const double*", find_track(x.id, place)); x.tracks[place] = track
  end
  return track[(count - 1 - back) % TRACK]
end
local function value_of(x, place, first, back, name, level)
  local value
  if back == nil or back == 0 then value = values[place] else value = value_before(x, place, first, back, name, level + 1) end
  if value ~= value then error(WARMING) end
  return value
end

-- Handles are shared by all scripts on a series. A script calls at most 64 times for one.
local function new_handle(x, title, place, count, first)
  if count == 1 then
    return function(back) return (value_of(x, place, first, back, title, 2)) end
  elseif count == 2 then
    return function(back)
      return value_of(x, place, first, back, title, 2), (value_of(x, place + 1, first, back, title, 2))
    end
  end
  return function(back)
    local found = {}
    for i = 1, count do found[i] = value_of(x, place + i - 1, first, back, title, 2) end
    return unpack(found, 1, count)
  end
end
local function key_of(name, ...)
  local parts = { name }
  for i = 1, select("#", ...) do
    local one = (select(i, ...))
    local kind = type(one)
    if kind == "number" then parts[i + 1] = format("%.17g", one)
    elseif kind == "string" and #one <= 8 then parts[i + 1] = "s" .. one
    else error("ta." .. name .. ": expected numbers, and at the end perhaps a time-scale such as \"1h\"", 4) end
  end
  return concat(parts, ",")
end
local function ask(x, name, ...)
  calls = calls + 1
  if calls > CALLS_MAX then error("more than " .. CALLS_MAX .. " indicators in one evaluation", 3) end
  if select("#", ...) > 8 then error("ta." .. name .. ": too many arguments", 3) end
  charge(1, 3)
  local key = key_of(name, ...)
  local handle = x.handles[key]
  if not handle then
    local place, count, first = find_handle(x.id, name, ...)
    if not place then error(count, 3) end
    handle = new_handle(x, "ta." .. name, place, count, first)
    x.handles[key] = handle
  end
  return handle
end
-- The usual call, with one number, finds its handle without making a key.
local function ask_own(name, cached)
  return function(a, ...)
    if select("#", ...) == 0 and type(a) == "number" then
      local x = current
      local mine = x.single[name]
      local handle = mine and mine[a]
      if handle then
        calls = calls + 1
        if calls > CALLS_MAX then error("more than " .. CALLS_MAX .. " indicators in one evaluation", 2) end
        charge(1, 2)
        return handle
      end
      handle = ask(x, name, a)
      if not mine then mine = {}; x.single[name] = mine end
      if a == a then mine[a] = handle end
      return handle
    end
    if a == nil and select("#", ...) == 0 then return (ask(current, name)) end
    return (ask(current, name, a, ...))
  end
end

local cache = setmetatable({}, { __index = function(_, name) error("ta has no '" .. tostring(name) .. "'", 2) end })
for i = 1, #opts.indicators do
  local name = opts.indicators[i]
  cache[name] = ask_own(name)
end
E.names.ta = E.read_only(cache, "ta")

-- Bars: of the series that is evaluated, and of others that the script may look at.
local function bar_of(series_of)
  return setmetatable({}, { __metatable = false,
    __index = function(_, key)
      local place = PLACES[key]
      if not place then error("bar has no '" .. tostring(key) .. "'", 2) end
      return values[series_of().first + place]
    end,
    __newindex = function() error("'bar' can only be read", 2) end })
end
local function column_of(series_of, name)
  local place = PLACES[name]
  return function(back)
    local x = series_of()
    return (value_of(x, x.first + place, x.first, back, name, 2))
  end
end
local function own() return current end
E.names.bar = bar_of(own)
for name in pairs(PLACES) do
  if name ~= "time" then E.names[name] = column_of(own, name) end
end
local function new_view(x)
  local function series_of() return x end
  local view = { bar = bar_of(series_of) }
  for name in pairs(PLACES) do
    if name ~= "time" then view[name] = column_of(series_of, name) end
  end
  local asked = {}
  for i = 1, #opts.indicators do
    local name = opts.indicators[i]
    asked[name] = function(...) return (ask(x, name, ...)) end
  end
  view.ta = E.read_only(asked, "ta")
  return E.read_only(view, "instrument")
end
local others
E.names.instrument = function(symbol)
  charge(1, 2)
  local x = others and type(symbol) == "string" and others[symbol]
  if not x then
    error("instrument: '" .. E.shown(symbol) .. "' is not among the others of this assignment", 2)
  end
  if values[x.first + COUNT] == 0 then error(WARMING) end
  if values[x.first + TIME] > values[current.first + TIME] then
    error("instrument: '" .. symbol .. "' is ahead of this bar", 2)
  end
  if not x.view then x.view = new_view(x) end
  return x.view
end

local H, programs = {}, {}
function H.open_series(id, first)
  all[id] = all[id] or { id = id, n = 0, holes = 0, where = {}, call = {}, number = {}, position = {}, parameters = {}, kept = {}, may_short = {}, others = {} }
  all[id].first = first
  H.forget(id)
end
-- Its indicators have gone: whoever wants one asks for it again.
function H.forget(id)
  local x = all[id]
  x.single, x.handles, x.tracks = {}, {}, {}
end
function H.load(id, source)
  local chunk, message = E.compile(source)
  make_room(message)
  if not chunk then return message end
  -- Thousands of scripts that run once a bar only churn traces; what serves them is compiled.
  if ffi then jit.off(chunk, true) end
  programs[id] = chunk
end
function H.unload(id) programs[id] = nil end
function H.attach(id, number, program, position, parameters, kept, may_short, symbols)
  local x = all[id]
  local n = x.n + 1
  x.n, x.call[n], x.number[n], x.position[n] = n, programs[program], number, position
  x.parameters[n] = parameters and E.lenient(parameters, "params") or false
  x.kept[n], x.may_short[n], x.where[number] = kept or false, may_short, n
  local seen = false
  if symbols then
    seen = {}
    for symbol, other in pairs(symbols) do seen[symbol] = all[other] end
  end
  x.others[n] = seen
end
-- Whoever has gone leaves a hole, so that thousands can go at once; holes are closed later.
local function close_holes(x)
  local lists, to = { x.call, x.number, x.position, x.parameters, x.kept, x.may_short, x.others }, 0
  for from = 1, x.n do
    if x.number[from] then
      to = to + 1
      for at = 1, #lists do lists[at][to] = lists[at][from] end
      x.where[x.number[to]] = to
    end
  end
  for at = to + 1, x.n do
    for list = 1, #lists do lists[list][at] = nil end
  end
  x.n, x.holes = to, 0
end
function H.detach(id, number)
  local x = all[id]
  local at = x.where[number]
  x.where[number] = nil
  x.call[at], x.number[at], x.parameters[at], x.kept[at], x.others[at] = false, false, false, false, false
  x.holes = x.holes + 1
  if x.holes > 32 and x.holes > x.n / 2 then close_holes(x) end
end

local function wanted(said, may_short)
  local ppm = CODES[said]
  if ppm == nil and type(said) == "number" and said >= -1 and said <= 1 then ppm = floor(said * FULL + 0.5) end
  if ppm and ppm < 0 and not may_short then ppm = 0 end
  return ppm
end
-- What says more than a position: told one by one.
local odd = {}
function H.odd(at)
  local one = odd[at]
  odd[at] = nil
  return unpack(one, 1, 9)
end
function H.settle(id, at, ppm) all[id].position[at] = ppm end
function H.suspend(id, at) all[id].call[at] = false end
local NO_PARAMETERS = E.lenient({}, "params")
local function refused(said)
  local what = type(said) == "string" and "'" .. sub(said, 1, 40) .. "'" or E.shown(said)
  return "strategy:" .. returned_at() .. ": expected \"long\", \"short\", \"flat\", a number from -1 to 1, a table or nothing, got " .. what
end
function H.evaluate(id)
  local x = all[id]
  current = x
  local call, positions, kept, may_short, plain, strange = x.call, x.position, x.kept, x.may_short, 0, 0
  for i = 1, x.n do
    local f = call[i]
    if f then
      E.names.position, E.names.params, others, calls = positions[i] / FULL, x.parameters[i] or NO_PARAMETERS, x.others[i], 0
      mark(x.number[i])  -- first, so that who sees one number cannot stop the next
      begin(BUDGET, kept[i] or NOTHING)
      local ok, said = pcall(f)
      local ppm, failure, orders
      if ok then
        ppm = wanted(said, may_short[i])
        if ppm then positions[i] = ppm elseif type(said) == "table" then orders = said elseif said ~= nil then failure = refused(said); call[i] = false end
      elseif said ~= WARMING then
        make_room(said)
        failure = type(said) == "string" and said or "an error"
        -- What a return calls has taken the place of the line that called it.
        if returned_at() > 0 and not find(failure, "^strategy:%d+:") then
          failure = "strategy:" .. returned_at() .. ": " .. failure
        end
        call[i] = false
      end
      local lines = lines_of()
      if failure or orders or lines or is_kept_changed() then
        strange = strange + 1
        odd[strange] = { i, x.number[i], ppm, orders, failure, is_kept_changed() and kept[i] or nil, lines, may_short[i], returned_at() }
      elseif ppm then
        answers[2 * plain], answers[2 * plain + 1] = x.number[i], ppm
        plain = plain + 1
      end
    end
  end
  mark(-1)
  return plain, strange
end
return H
