"""Candle patterns against the plain words for some of them."""

import numpy as np
import pytest

from tandem.strategies import ta
from tests.unit.strategies.ta.markets import market


def _found(name: str, kind: str) -> list[float]:
    return list(map(float, ta.batch(ta.find(name), (), market(kind, bars=300, seed=5))[0]))


@pytest.mark.parametrize("kind", ["walk", "jumps", "ticks"])
def test_a_doji_closes_where_it_opened(kind: str) -> None:
    """B18: its body is at most a tenth of the mean range of the ten bars before."""
    c = market(kind, bars=300, seed=5)
    for at, found in enumerate(_found("cdldoji", kind)[10:], start=10):
        reach = (c["high"] - c["low"])[at - 10 : at].mean()
        assert found == (100 if abs(c["close"][at] - c["open"][at]) <= 0.1 * reach else 0)


def test_an_engulfing_body_holds_all_of_an_opposite_one_before() -> None:
    """B18: 100, or 80 where the two bodies share an end."""
    seen = []
    columns = market("walk", bars=300, seed=5)
    opened = columns["open"]
    opened[1:] += np.sin(np.arange(299.0)) * 0.5
    columns["high"] = np.maximum(columns["high"], opened)
    columns["low"] = np.minimum(columns["low"], opened)
    close = columns["close"]
    (found,) = ta.batch(ta.find("cdlengulfing"), (), columns)
    for at in range(2, 300):
        sign = 1 if close[at] >= opened[at] else -1
        is_opposite = (close[at - 1] - opened[at - 1]) * sign < 0
        low, high = sorted((opened[at], close[at]))
        first, last = sorted((opened[at - 1], close[at - 1]))
        expected = 100 * sign if is_opposite and low < first and high > last else 0
        assert found[at] == expected
        seen.append(expected)
    assert {-100, 0, 100} == set(seen)


def test_every_pattern_that_says_something_says_so_by_its_sign() -> None:
    said = {
        value
        for name in ta.catalogue
        if name.startswith("cdl")
        for value in _found(name, "walk")
        if not np.isnan(value)
    }
    assert {-100.0, 0.0, 100.0} <= said <= {-200.0, -100.0, -80.0, 0.0, 80.0, 100.0, 200.0}
