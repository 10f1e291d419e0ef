"""The shipped strategies, on markets that were made for them."""

from math import sin

import pytest

from tandem.domain.bars import Span
from tandem.domain.strategies import Parameters, StrategyText
from tandem.strategies.check import check
from tandem.strategies.engine import Engine
from tandem.strategies.shipped import NAMES, sentence, shipped
from tests.unit.strategies.market import SERIES, bars, instrument, walk

BY_NAME = shipped()
FULL = 1_000_000
CALM = [10_000 + number % 3 for number in range(150)]
RISE = [CALM[-1] + 40 * number for number in range(1, 61)]
FALL = [CALM[-1] - 40 * number for number in range(1, 61)]


def positions(
    text: StrategyText,
    closes: list[int],
    *,
    may_short: bool = True,
    parameters: Parameters | None = None,
) -> list[int]:
    """Return the wanted position after each bar."""
    engine = Engine()
    engine.open_series(SERIES, instrument(), Span.M1, [])
    engine.load(text)
    engine.attach(
        0, text.text_hash, SERIES, parameters=parameters or {}, others={}, may_short=may_short
    )
    found, held = [], 0
    for one in bars(closes):
        for _, answer in engine.on_bar(SERIES, one):
            assert answer.error is None
            held = held if answer.position_ppm is None else answer.position_ppm
        found.append(held)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_has_no_problem_and_says_what_it_does(name: str) -> None:
    found = check(BY_NAME[name])
    assert not [one for one in found if one.is_error or "without a return" not in one.message]
    assert len(sentence(BY_NAME[name])) > 40


@pytest.mark.parametrize("name", ["momentum", "sma_ema_cross", "trend_forecast", "breakout"])
def test_those_that_follow_a_trend_are_long_in_a_rise_and_short_in_a_fall(name: str) -> None:
    """A12, B37."""
    assert positions(BY_NAME[name], CALM + RISE)[-1] == FULL
    assert positions(BY_NAME[name], CALM + FALL)[-1] == -FULL


@pytest.mark.parametrize("name", NAMES)
def test_without_the_right_to_be_short_they_hold_the_quote_currency_instead(name: str) -> None:
    """B20."""
    closes = CALM + FALL + RISE[:10] + walk(200)
    shorted = positions(BY_NAME[name], closes)
    assert min(shorted) < 0
    assert min(positions(BY_NAME[name], closes, may_short=False)) == 0


def test_momentum_is_traded_on_the_bar_on_which_it_appears() -> None:
    """A12."""
    closes = [10_000] * 30 + [10_099, 10_100, 10_000, 9_900]
    held = positions(BY_NAME["momentum"], closes)
    assert held[-5:] == [0, 0, FULL, FULL, -FULL]


@pytest.mark.parametrize(
    ("close", "wanted"),
    [(12_499, 0), (12_500, FULL), (12_501, FULL), (7_501, 0), (7_500, -FULL), (7_499, -FULL)],
)
def test_a_move_of_just_so_many_percent_is_momentum(close: int, wanted: int) -> None:
    """A12: a quarter is exact in binary, so the boundary itself is met."""
    closes = [10_000] * 30 + [close]
    assert positions(BY_NAME["momentum"], closes, parameters={"percent": 25})[-1] == wanted


def test_a_forecast_is_worth_a_part_when_it_is_gentle_and_nothing_when_trends_differ() -> None:
    """B37."""
    gentle = [10_000 + number for number in range(200)]
    part = positions(BY_NAME["trend_forecast"], gentle)[-1]
    assert part == pytest.approx(FULL * (10 / gentle[-1]) * 100, rel=1e-3)
    turned = CALM + RISE + [RISE[-1] - 20 * number for number in range(1, 20)]
    assert positions(BY_NAME["trend_forecast"], turned)[-1] == 0


def test_mean_reversion_buys_low_sells_high_and_is_flat_in_the_middle() -> None:
    closes = [10_000 + round(60 * sin(number / 7)) + number % 2 for number in range(300)]
    closes[150:153] = [9_700, 9_990, 10_010]
    closes[250] = 10_300
    held = positions(BY_NAME["mean_reversion"], closes)
    assert held[150] == FULL
    assert held[250] == -FULL
    assert 0 in held[151:250]


def test_a_breakout_ends_at_the_opposite_extreme_of_fewer_bars() -> None:
    closes = CALM + RISE + [RISE[-1]] * 5 + [RISE[-8] - 200]
    held = positions(BY_NAME["breakout"], closes)
    assert held[-2] == FULL
    assert held[-1] == 0
