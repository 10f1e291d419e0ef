state.me = state
