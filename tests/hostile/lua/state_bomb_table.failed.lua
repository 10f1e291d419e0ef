state.t = {}
