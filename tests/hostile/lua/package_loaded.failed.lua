return package.loaded.os and 0.666
