"""Volatility for sizing: B22."""

import math
import statistics
from itertools import pairwise

from tandem.core.deciding.volatility import volatility_ppm
from tandem.domain.bars import Span


def test_it_is_the_standard_deviation_of_returns_scaled_to_a_day() -> None:
    """B22: an hour's, times the root of 24."""
    closes = [100, 101, 99, 102, 102, 98]
    returns = [after / before - 1 for before, after in pairwise(closes)]
    expected = statistics.stdev(returns) * math.sqrt(24) * 1_000_000
    found = volatility_ppm(closes, 5, Span.H1)
    assert found is not None
    assert abs(found - expected) < 2


def test_it_is_of_the_last_bars_only() -> None:
    """B22."""
    assert volatility_ppm([1, 100, 101, 99], 2, Span.D1) == volatility_ppm(
        [100, 101, 99], 2, Span.D1
    )


def test_without_enough_bars_or_movement_there_is_none() -> None:
    """B22."""
    assert volatility_ppm([100, 101], 2, Span.D1) is None
    assert volatility_ppm([100, 101, 102], 1, Span.D1) is None
    assert volatility_ppm([100, 100, 100], 2, Span.D1) is None
