-- All that a strategy can reach, for every script of this machine: read-only, and short.
--
-- What is not here is not here on purpose: pcall (would swallow the budget's end), coroutines,
-- metatables, load and its kin, patterns (they run long in C, or crash), files, the clock. What is
-- here cannot run long either: a function that takes a large argument charges for it. Nothing that
-- a script makes outlives its evaluation, except numbers, booleans and short strings in `state`:
-- otherwise full memory would stay full, and a warm machine would answer other than a fresh one.
local opts = ...
local ffi = opts.has_ffi and require "ffi"
local error, type, tostring, tonumber, next, select, unpack = error, type, tostring, tonumber, next, select, unpack
local setmetatable, getmetatable, setfenv, loadstring, collectgarbage = setmetatable, getmetatable, setfenv, loadstring, collectgarbage
local floor, huge = math.floor, math.huge
local sort, concat, insert, remove = table.sort, table.concat, table.insert, table.remove
local rep, sub, format, len, upper, lower, byte = string.rep, string.sub, string.format, string.len, string.upper, string.lower, string.byte
local find, gmatch, gsub = string.find, string.gmatch, string.gsub

local SPENT, LATE = "its budget is spent: an endless loop?", "it took too long"
local TEXT_MAX, KEPT_MAX, NAMES_MAX = 65536, 256, 64
local LOG_LINES_MAX, LOG_LENGTH_MAX = 10, 200
local left, return_line, seed = 0, 0, 0
local kept, is_kept_changed, lines = nil, false, nil

-- The budget. `flag` is a byte that whoever waits for us sets when he has waited long enough: it
-- ends the script that runs, and is put down again for those after it.
local charge
local flag = ffi and ffi.cast("volatile uint8_t*", ffi.cast("uintptr_t", opts.flag))
if ffi then
  function charge(count, level)
    left = left - count
    if left < 0 then error(SPENT, (level or 2) + 1) end
    if flag[0] ~= 0 then flag[0] = 0; error(LATE, (level or 2) + 1) end
  end
else
  local watched, is_late = 0, opts.is_late
  function charge(count, level)
    left = left - count
    if left < 0 then error(SPENT, (level or 2) + 1) end
    watched = watched + count
    if watched > 1000 then
      watched = 0
      if is_late() then error(LATE, (level or 2) + 1) end
    end
  end
end
local function tick() charge(1, 2) end

local function missing(name)
  return function(_, key) error(name .. " has no '" .. tostring(key) .. "'", 2) end
end
local function read_only(content, name)
  setmetatable(content, { __metatable = false, __index = missing(name) })
  return setmetatable({}, { __index = content, __metatable = false,
    __newindex = function() error("'" .. name .. "' can only be read", 2) end })
end
local function lenient(content, name)
  return setmetatable({}, { __index = content, __metatable = false,
    __newindex = function() error("'" .. name .. "' can only be read", 2) end })
end

-- What an argument must be; errors name the line that called.
local function number_of(value, name, level)
  if type(value) ~= "number" then error(name .. ": expected a number, got " .. type(value), (level or 2) + 1) end
  return value
end
local function whole_of(value, name, level)
  if type(value) ~= "number" or value ~= floor(value) or value < -1e9 or value > 1e9 then
    error(name .. ": expected a whole number", level or 3)
  end
  return value
end
local function text_number(value)  -- the machines spell what is no number differently
  if value == 0 then return "0" end  -- plain Lua loses the sign of a zero that stands in a text
  if value ~= value then return "nan" elseif value == huge then return "inf" elseif value == -huge then return "-inf" end
  return tostring(value)
end
local function string_of(value, name)
  if type(value) == "number" then return text_number(value) end
  if type(value) ~= "string" then error(name .. ": expected a string, got " .. type(value), 3) end
  return value
end
local function table_of(value, name)
  if type(value) ~= "table" then error(name .. ": expected a table, got " .. type(value), 3) end
  return value
end
local function shown(value)
  local kind = type(value)
  if kind == "string" then return value elseif kind == "number" then return text_number(value) end
  if kind == "boolean" or kind == "nil" then return tostring(value) end
  return kind  -- an address would differ from run to run
end

local maths = {}
for _, name in ipairs { "abs", "ceil", "floor", "sqrt", "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan" } do
  local f = math[name]
  maths[name] = function(value) return f(number_of(value, "math." .. name)) end
end
for _, name in ipairs { "fmod", "pow", "atan2" } do
  local f = math[name]
  maths[name] = function(a, b) return f(number_of(a, "math." .. name), number_of(b, "math." .. name)) end
end
maths.huge, maths.pi = huge, math.pi
function maths.modf(value)
  number_of(value, "math.modf")
  if value ~= value then return value, value end
  local whole = value < 0 and math.ceil(value) or floor(value)
  return whole, (value == whole) and 0 or value - whole
end
local function extreme(name, is_better)
  return function(first, ...)
    local best = number_of(first, name)
    for i = 1, select("#", ...) do
      local one = number_of((select(i, ...)), name)
      if is_better(one, best) then best = one end
    end
    return best
  end
end
maths.max = extreme("math.max", function(a, b) return a > b end)
maths.min = extreme("math.min", function(a, b) return a < b end)
function maths.random(low, high)  -- begins anew at each evaluation
  seed = (seed * 16807) % 2147483647
  local drawn = seed / 2147483647
  if low == nil then return drawn end
  if high == nil then low, high = 1, low end
  whole_of(low, "math.random"); whole_of(high, "math.random")
  if low > high then error("math.random: expected a lower and an upper bound", 2) end
  return low + floor(drawn * (high - low + 1))
end

local strings = {}
function strings.rep(text, count)
  text = string_of(text, "string.rep"); whole_of(count, "string.rep")
  if count > 0 and count * len(text) > TEXT_MAX then error("string.rep: the result is too long", 2) end
  if count > TEXT_MAX then error("string.rep: the result is too long", 2) end
  charge(1 + (count > 0 and floor(count * (len(text) + 1) / 64) or 0))
  return rep(text, count)
end
function strings.format(how, ...)
  how = string_of(how, "string.format")
  local given, count, at = { ... }, select("#", ...), 0
  charge(1 + floor(len(how) / 16) + count)
  local rest = gsub(how, "%%%%", "")
  for flags, kind in gmatch(rest, "%%([%-+ #0]*%d*%.?%d*)(.?)") do
    at = at + 1
    local value = given[at]
    if not find(kind, "^[dfgeExXs]$") or not find(flags, "^[%-+ #0]*%d?%d?%.?%d?%d?$") then
      error("string.format: '%" .. flags .. kind .. "' is not known here; there are %d %f %g %e %x %s", 2)
    end
    if at > count then error("string.format: argument " .. at .. " is missing", 2) end
    if kind == "s" then
      given[at] = shown(value); charge(floor(len(given[at]) / 16))
    else
      number_of(value, "string.format")
      if value ~= value or value == huge or value == -huge then error("string.format: " .. text_number(value) .. " has no digits; use %s", 2) end
      if kind == "d" or kind == "x" or kind == "X" then
        if value ~= floor(value) or value > 2 ^ 53 or value < (kind == "d" and -2 ^ 53 or 0) then
          error("string.format: %" .. kind .. " expects a whole number", 2)
        end
      end
    end
  end
  return (format(how, unpack(given, 1, at)))
end
local function place(value, name)
  if value == nil then return nil end
  local whole = whole_of(value, name, 4)  -- no tail call: the level counts this function
  return whole
end
function strings.sub(text, first, last)
  charge(1)
  return sub(string_of(text, "string.sub"), place(first, "string.sub") or 1, place(last, "string.sub") or -1)
end
function strings.len(text) return len(string_of(text, "string.len")) end
function strings.upper(text) text = string_of(text, "string.upper"); charge(1 + floor(len(text) / 16)); return upper(text) end
function strings.lower(text) text = string_of(text, "string.lower"); charge(1 + floor(len(text) / 16)); return lower(text) end
function strings.byte(text, at) return (byte(string_of(text, "string.byte"), place(at, "string.byte") or 1)) end

local tables = {}
function tables.insert(list, a, ...)
  table_of(list, "table.insert")
  if select("#", ...) == 0 then charge(1); list[#list + 1] = a; return end
  whole_of(a, "table.insert")
  if a < 1 or a > #list + 1 then error("table.insert: expected a place from 1 to " .. #list + 1, 2) end
  charge(1 + floor(#list / 8))
  insert(list, a, (...))
end
function tables.remove(list, at)
  table_of(list, "table.remove")
  if at == nil then charge(1); return remove(list) end
  whole_of(at, "table.remove"); charge(1 + floor(#list / 8))
  return remove(list, at)
end
function tables.concat(list, separator)
  table_of(list, "table.concat")
  separator = separator == nil and "" or string_of(separator, "table.concat")
  local parts, total = {}, 0
  for i = 1, #list do
    parts[i] = string_of(list[i], "table.concat")
    total = total + len(parts[i]) + len(separator)
    if total > TEXT_MAX then error("table.concat: the result is too long", 2) end
    charge(1)
  end
  return concat(parts, separator)
end
local function check_sortable(list)
  local kind = type(list[1])
  for i = 1, #list do
    local one = list[i]
    if type(one) ~= kind or (kind ~= "number" and not (kind == "string" and len(one) <= KEPT_MAX)) or one ~= one then
      error("table.sort: expected numbers only, or short strings only", 3)
    end
  end
end
function tables.sort(list, is_before)
  table_of(list, "table.sort"); charge(1 + #list * 4)
  if is_before == nil then check_sortable(list) end
  return sort(list, is_before)
end
function tables.unpack(list, first, last)
  table_of(list, "table.unpack")
  first, last = place(first, "table.unpack") or 1, place(last, "table.unpack") or #list
  if last - first > 100 then error("table.unpack: at most 100 values", 2) end
  return unpack(list, first, last)
end

-- The machines keep tables in different orders, and some in another one each time.
local RANK = { boolean = 1, number = 2, string = 3 }
local function is_key_before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return RANK[kind_a] < RANK[kind_b] end
  if kind_a == "boolean" then return a and not b end
  return a < b
end
local function sorted_pairs(content)
  table_of(content, "pairs")
  local keys, count = {}, 0
  for key in next, content do
    if not RANK[type(key)] or (type(key) == "string" and len(key) > KEPT_MAX) then
      error("pairs: expected keys that are numbers, booleans or short strings", 2)
    end
    count = count + 1; keys[count] = key
  end
  charge(1 + count * 4)
  sort(keys, is_key_before)
  local at = 0
  return function()
    charge(1)
    at = at + 1
    local key = keys[at]
    if key ~= nil then return key, content[key] end
  end
end
local function listed(content, at)
  charge(1)
  at = at + 1
  local value = content[at]
  if value ~= nil then return at, value end
end

-- The only memory: small, and text in the end, so that whoever evaluates next has it too.
local function remember(_, key, value)
  if type(key) ~= "string" or len(key) > NAMES_MAX then error("state: expected a short name", 2) end
  local kind = type(value)
  if kind == "number" then
    if value ~= value or value == huge or value == -huge then error("state." .. key .. ": " .. text_number(value) .. " cannot be kept", 2) end
    if value == 0 then value = 0 end  -- not minus zero, which text does not keep
  elseif kind ~= "boolean" and kind ~= "nil" and not (kind == "string" and len(value) <= KEPT_MAX) then
    error("state." .. key .. ": expected a number, a boolean or a short string", 2)
  end
  local before = kept[key]
  if before == value then return end
  if before == nil then
    local count = 0
    for _ in next, kept do count = count + 1 end
    charge(1 + count)
    if count >= NAMES_MAX then error("state: at most " .. NAMES_MAX .. " names", 2) end
  end
  kept[key] = value
  is_kept_changed = true
end
local state = setmetatable({}, { __metatable = false, __index = function(_, key) return kept[key] end, __newindex = remember })

local function log(...)
  charge(20)
  lines = lines or {}
  if #lines >= LOG_LINES_MAX then return end
  local parts, room = {}, LOG_LENGTH_MAX
  for i = 1, select("#", ...) do
    parts[i] = sub(shown((select(i, ...))), 1, room)
    room = room - len(parts[i]) - 1
    if room <= 0 then break end
  end
  lines[#lines + 1] = concat(parts, " ")
end

local names = {
  __t = tick, __r = function(line) return_line = line end,
  math = read_only(maths, "math"), string = read_only(strings, "string"), table = read_only(tables, "table"),
  state = state, log = log, type = type, pairs = sorted_pairs,
  ipairs = function(content) return listed, table_of(content, "ipairs"), 0 end,
  tostring = shown,
  tonumber = function(value)
    if type(value) == "number" then return value end
    if type(value) ~= "string" or len(value) > NAMES_MAX then return nil end
    if find(value, "^%s*[-+]?%d+%.?%d*%s*$") or find(value, "^%s*[-+]?%d+%.?%d*[eE][-+]?%d+%s*$") or find(value, "^%s*[-+]?%.%d+%s*$") then return tonumber(value) end
  end,
  select = function(at, ...)
    if at == "#" then return select("#", ...) end
    if whole_of(at, "select") == 0 then error("select: expected a place from 1", 2) end
    return select(at, ...)
  end,
  assert = function(value, message)
    if not value then error(type(message) == "string" and sub(message, 1, LOG_LENGTH_MAX) or "an assertion failed", 2) end
    return value
  end,
  error = function(message) error(type(message) == "string" and sub(message, 1, LOG_LENGTH_MAX) or "error", 2) end,
}
setmetatable(names, { __metatable = false, __index = function(_, key) error("unknown name '" .. tostring(key) .. "'", 2) end })
local environment = setmetatable({}, { __metatable = false, __index = names, __newindex = function(_, key)
  error("'" .. tostring(key) .. "' is not declared; write 'local " .. tostring(key) .. " = …'", 2)
end })
getmetatable("").__index = strings
getmetatable("").__metatable = false

local E = { names = names, read_only = read_only, lenient = lenient, charge = charge, shown = shown }
function E.begin(budget, state_kept)
  if flag then flag[0] = 0 end  -- it was meant for one who has come to his end by himself
  left, kept, seed, return_line, is_kept_changed, lines = budget, state_kept, 42, 0, false, nil
end
function E.returned_at() return return_line end
function E.is_kept_changed() return is_kept_changed end
function E.lines() return lines end
function E.compile(source)
  local chunk, message = loadstring(source, "=strategy")
  if chunk then setfenv(chunk, environment) end
  return chunk, message
end
-- With memory full, the next call from outside would end the process: make room first.
function E.make_room(message) if message == "not enough memory" then collectgarbage(); collectgarbage() end end
return E
