local a, b = tostring({}), tostring(close)
return (a ~= tostring({ 1 }) or #b > 20) and 0.666 or "flat"
