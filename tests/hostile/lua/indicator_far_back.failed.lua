return close(-1) == close(1e9) and 0.666
