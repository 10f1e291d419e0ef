"""Small charts of blocks."""

from decimal import Decimal

from tandem.cli.charts import steps


def drawn(*values: int, columns: int = 4) -> str:
    return steps(range(len(values)), [Decimal(one) for one in values], columns=columns)


def test_the_lowest_and_the_highest_have_the_lowest_and_the_highest_block() -> None:
    assert drawn(0, -7, 0, 7, 7) == "▁▄██"


def test_zero_is_always_between_them() -> None:
    assert drawn(7, 7) == "████"
    assert drawn(-7, -7) == "▁▁▁▁"


def test_nothing_is_a_flat_line() -> None:
    assert drawn(0) == "▁▁▁▁"


def test_what_stood_at_the_end_of_a_span_is_drawn() -> None:
    values = [Decimal(0), Decimal(7), Decimal(0)]
    assert steps([0, 1, 100], values, columns=2) == "█▁"
