"""Random orders of every type and mode, by the hundred thousand, through the very cores.

One process runs one seed: a desk, its workers and two venues of one market, all of them the cores
that trade, wired to each other in virtual time without any I/O. `python -m
tests.simulation.million --orders 1000000` runs two seeds side by side.
"""
