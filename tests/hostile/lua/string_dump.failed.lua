return string.dump(function() end) and 0.666
