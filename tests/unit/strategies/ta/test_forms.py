"""Bar by bar and at once: the same bits."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.domain.errors import ConfigurationError
from tandem.strategies import ta
from tandem.strategies.ta.binding import bars_needed, bind
from tandem.strategies.ta.definition import AVERAGES, Bound, Kind, Memory, Parameter, Scalar
from tests.unit.strategies.ta.markets import KINDS, bars_of, bits, market, numbers, until

NAMES = sorted(ta.catalogue)
WINDOWED = [one for one in NAMES if ta.catalogue[one].seed.memory is Memory.WINDOW]
BARS = 160


def _differ(
    indicator: ta.Indicator, bound: Bound, columns: Mapping[str, ta.Array], cut: int
) -> list[int]:
    """Return the bars at which a stream, begun after `cut` of them, says something else."""
    bars = len(columns["close"])
    running = ta.stream(indicator, bound, until(columns, cut))
    said = [running.value] if cut else []
    said += [running.update(*bar) for bar in bars_of(indicator, columns)[cut:]]
    live = bits([numbers(one) for one in said])
    at_once = bits(ta.batch(indicator, bound, columns)).T[max(0, cut - 1) :]
    assert live.shape == at_once.shape == (bars - max(0, cut - 1), len(indicator.outputs))
    assert (bits(numbers(running.value)) == live[-1]).all()
    return np.flatnonzero((live != at_once).any(axis=1)).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_bar_by_bar_gives_the_bits_of_all_at_once(name: str) -> None:
    """B18: whatever the market does, and wherever the history ends that it begins with."""
    indicator = ta.find(name)
    bound = bind(indicator, ())
    needed = bars_needed(indicator, bound)
    for kind in KINDS:
        columns = market(kind, bars=BARS)
        for cut in (0, needed - 1, needed, 150):
            assert _differ(indicator, bound, columns, cut) == [], (kind, cut)


def _values(parameter: Parameter) -> st.SearchStrategy[Scalar]:
    if parameter.kind is Kind.AVERAGE:
        return st.sampled_from(sorted(AVERAGES))
    if parameter.kind is Kind.WHOLE:
        return st.integers(int(parameter.least), int(min(parameter.most, 45)))
    return st.floats(max(parameter.least, -10), min(parameter.most, 10))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_parameter_within_its_bounds_gives_the_same_bits_both_ways(
    data: st.DataObject,
) -> None:
    """B18."""
    indicator = ta.find(data.draw(st.sampled_from(NAMES)))
    bound = tuple(data.draw(_values(one), label=one.name) for one in indicator.parameters)
    kind = data.draw(st.sampled_from(KINDS))
    cut = data.draw(st.integers(0, 2 * BARS))
    seed = data.draw(st.integers(0, 1_000))
    columns = market(kind, bars=2 * BARS, seed=seed)
    assert _differ(indicator, bound, columns, cut) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_first_value_comes_when_the_warm_up_says(name: str) -> None:
    """B18."""
    indicator = ta.find(name)
    needed = bars_needed(indicator, bind(indicator, ()))
    outputs = ta.batch(indicator, (), market("walk", bars=BARS))
    assert len(outputs) == len(indicator.outputs)
    assert not all(np.isfinite(output[needed - 2]) for output in outputs) or needed == 1
    assert all(np.isfinite(output[needed - 1 :]).all() for output in outputs)


@pytest.mark.parametrize("name", WINDOWED)
def test_what_came_before_the_window_does_not_count(name: str) -> None:
    indicator = ta.find(name)
    columns = market("walk", bars=BARS)
    needed = bars_needed(indicator, bind(indicator, ()))
    window = {key: column[-needed:] for key, column in columns.items()}
    for whole, part in zip(
        ta.batch(indicator, (), columns), ta.batch(indicator, (), window), strict=True
    ):
        assert part[-1] == pytest.approx(whole[-1], rel=1e-9, abs=1e-9)


def test_an_update_taken_before_it_was_warm_stays_good() -> None:
    columns = market("walk", bars=60)
    indicator = ta.find("ema")
    running = ta.stream(indicator, (5,), until(columns, 0))
    update = running.update
    said = [number for bar in bars_of(indicator, columns) for number in numbers(update(*bar))]
    (expected,) = ta.batch(indicator, (5,), columns)
    assert bits(said).tolist() == bits(expected).tolist()


def test_a_wrong_parameter_makes_neither_form() -> None:
    columns = market("walk", bars=3)
    for form in (ta.stream, ta.batch):
        with pytest.raises(ConfigurationError, match=r"ta\.sma: period is 0, expected 1 to 1000"):
            form(ta.find("sma"), (0,), columns)


@pytest.mark.parametrize("name", NAMES)
def test_no_bars_give_no_values(name: str) -> None:
    indicator = ta.find(name)
    nothing = until(market("walk", bars=1), 0)
    assert all(len(output) == 0 for output in ta.batch(indicator, (), nothing))
    assert np.isnan(numbers(ta.stream(indicator, (), nothing).value)).all()
