local function spin(n) return coroutine.wrap(function() spin(n + 1) end)() end
spin(0)
