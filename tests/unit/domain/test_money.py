"""Money is exact."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.money import EXACT, ZERO, add, multiply, multiply_add, subtract

LARGE = st.integers(-(2**96), 2**96).map(lambda digits: Decimal(digits).scaleb(-18, EXACT))


@given(LARGE, LARGE, st.integers(-(2**53), 2**53))
def test_sums_and_products_lose_no_digit_where_python_would_round(
    one: Decimal, other: Decimal, count: int
) -> None:
    """I6."""
    assert Fraction(add(one, other)) == Fraction(one) + Fraction(other)
    assert Fraction(subtract(one, other)) == Fraction(one) - Fraction(other)
    assert Fraction(multiply(one, count)) == Fraction(one) * count
    assert Fraction(multiply_add(one, count, other)) == Fraction(one) * count + Fraction(other)
    assert add(one, ZERO) == one
