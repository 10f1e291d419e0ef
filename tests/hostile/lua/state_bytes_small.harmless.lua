state.zero = "\0\255\254"
return "flat"
