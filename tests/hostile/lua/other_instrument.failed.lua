return instrument("SECRET-USD").close() and 0.666
