state.zero = "\0\255\254" .. string.rep("\255", 300)
