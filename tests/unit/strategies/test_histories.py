"""A history taken in at once is the history taken in bar by bar."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import History
from tandem.domain.ids import Lots, Ticks
from tandem.strategies.engine import Engine, SeriesId
from tandem.strategies.grid import Grid
from tandem.strategies.histories import rows_of
from tests.unit.domain.test_evaluation import BTC, TEXT


def bars_of(prices: Sequence[int], *, span: Span = Span.M5, first: int = 1) -> list[Bar]:
    return [
        Bar(
            instrument_id=BTC.instrument_id,
            span=span,
            begin_ns=span.begin_ns((first + number) * span.ns),
            open=Ticks(price),
            high=Ticks(price + 3),
            low=Ticks(price),
            close=Ticks(price + 1),
            volume=Lots(price // 7),
        )
        for number, price in enumerate(prices)
    ]


@given(
    st.lists(st.integers(1, 10**9)),
    st.sampled_from(["0.01", "0.05", "1", "0.1", "0.00000001", "0.25", "3"]),
    st.sampled_from(list(Span)),
)
def test_every_number_is_the_same_to_its_last_bit(prices: list[int], step: str, span: Span) -> None:
    """B17: who takes over hears the same as who was there from the beginning."""
    grid = Grid(msgspec.structs.replace(BTC, tick_size=Decimal(step), lot_size=Decimal("0.003")))
    bars = bars_of(prices, span=span)
    one_by_one = [[*grid.row(bar), float(bar.begin_ns // 1_000_000_000)] for bar in bars]
    assert rows_of(History.of(bars), span, grid).tolist() == one_by_one


def test_strategies_hear_the_same_of_it() -> None:
    bars = bars_of([1_000 + number * number % 97 for number in range(200)])
    answers = []
    for is_whole in (False, True):
        engine, series = Engine(), SeriesId("s")
        engine.load(sma := msgspec.structs.replace(TEXT, text="return ta.rsi(14)(3) / 100"))
        if is_whole:
            engine.open_history(series, BTC, Span.M5, History.of(bars[:-1]))
        else:
            engine.open_series(series, BTC, Span.M5, bars[:-1])
        engine.attach(1, sma.text_hash, series, parameters={}, others={})
        answers.append(engine.on_bar(series, bars[-1]))
    assert answers[0] == answers[1] != []


BARS = History.of(bars_of([10, 20, 30]))


def column(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "little", signed=True) for number in numbers)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lows": column(0, 20, 30)}, "0 < low"),
        ({"lows": column(11, 20, 30)}, "0 < low"),
        ({"volumes": column(1, -1, 1)}, "volume >= 0"),
        ({"highs": column(13, 20, 33)}, "high >= open and close"),
        ({"begins": column(300_000_000_000, 600_000_000_001, 900_000_000_000)}, "begins of 5m"),
        ({"begins": column(300_000_000_000, 900_000_000_000, 600_000_000_000)}, "oldest first"),
        ({"begins": column(300_000_000_000, 300_000_000_000, 600_000_000_000)}, "each once"),
        ({"highs": column(13, 23, 2**60)}, "too large to be exact"),
    ],
)
def test_a_history_that_cannot_be_is_refused(changes: dict[str, bytes], words: str) -> None:
    history = msgspec.structs.replace(BARS, **changes)
    with pytest.raises(ConfigurationError, match=words):
        rows_of(history, Span.M5, Grid(BTC))


def test_an_empty_history_is_one() -> None:
    assert rows_of(History(), Span.W1, Grid(BTC)).shape == (0, 6)
