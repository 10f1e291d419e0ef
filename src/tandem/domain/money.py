"""Exact arithmetic with money.

Python's own context rounds to 28 digits without a word. Here 60 digits hold any price times any
quantity, a billion times over.
"""

import decimal
from typing import Final

EXACT: Final = decimal.Context(
    prec=60, traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
)
ZERO: Final = decimal.Decimal(0)

# Bound once, because finding a method of a context costs as much as the sum itself. They take
# integers as well.
add: Final = EXACT.add
subtract: Final = EXACT.subtract
multiply: Final = EXACT.multiply
multiply_add: Final = EXACT.fma  # the first times the second, plus the third
