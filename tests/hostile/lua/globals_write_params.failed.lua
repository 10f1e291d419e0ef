params.fast = 1
