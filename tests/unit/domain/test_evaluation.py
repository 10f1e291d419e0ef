"""Words between decider and evaluator."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError, FrameError
from tandem.domain.evaluation import (
    HISTORY_BARS_MAX,
    NUMBER_MAX,
    OWN_TENANT,
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    History,
    OtherBar,
    Said,
    Series,
    Skipped,
    Task,
    TaskId,
    TaskKey,
    Whole,
    answer_bytes,
    answer_of,
    task_bytes,
    task_of,
)
from tandem.domain.ids import InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Language, StrategyText

BTC = Instrument(
    instrument_id=InstrumentId("paper:BTC-USD"),
    symbol="BTC-USD",
    venue_id=VenueId("paper"),
    market_id=MarketId("paper"),
    base="BTC",
    quote="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
)
TEXT = StrategyText(name="always", language=Language.LUA, text='return "long"')
ONE = Attached(
    number=AttachmentNumber(3),
    text_hash=TEXT.text_hash,
    parameters={"fast": 10, "share": 0.5, "name": "x", "on": True},
)
WHICH = TaskId(tenant=OWN_TENANT, key=TaskKey("BTC-USD 1m"), roster=4, number=17)


def a_bar(minute: int, *, close: int = 6_000_000, is_filled: bool = False) -> Bar:
    return Bar(
        instrument_id=BTC.instrument_id,
        span=Span.M1,
        begin_ns=minute * Span.M1.ns,
        open=Ticks(close),
        high=Ticks(close + 5),
        low=Ticks(close - 5),
        close=Ticks(close),
        volume=Lots(0 if is_filled else 7),
        is_filled=is_filled,
    )


def test_history_gives_back_the_very_bars_it_was_made_of() -> None:
    bars = [a_bar(1), a_bar(2, close=6_000_100), a_bar(4, is_filled=True)]
    history = History.of(bars)
    assert len(history) == 3
    assert list(history.bars(BTC.instrument_id, Span.M1)) == bars
    assert list(History().bars(BTC.instrument_id, Span.M1)) == []


@given(st.lists(st.integers(6, 2**40), max_size=20))
def test_history_of_any_prices_loses_nothing(closes: list[int]) -> None:
    bars = [a_bar(minute, close=close) for minute, close in enumerate(closes)]
    assert list(History.of(bars).bars(BTC.instrument_id, Span.M1)) == bars


def test_columns_of_different_lengths_are_no_history() -> None:
    with pytest.raises(ConfigurationError, match="one length"):
        History(begins=bytes(8), filled=b"\0")


def test_history_has_a_limit() -> None:
    column = bytes(8 * (HISTORY_BARS_MAX + 1))
    with pytest.raises(ConfigurationError, match="at most 10000"):
        History(
            begins=column,
            opens=column,
            highs=column,
            lows=column,
            closes=column,
            volumes=column,
            filled=bytes(HISTORY_BARS_MAX + 1),
        )


def test_a_bar_that_cannot_be_is_found_when_it_is_read() -> None:
    history = msgspec.structs.replace(History.of([a_bar(1)]), lows=bytes(8))
    with pytest.raises(ConfigurationError, match="low"):
        list(history.bars(BTC.instrument_id, Span.M1))


@pytest.mark.parametrize("number", [-1, NUMBER_MAX + 1])
def test_an_attachment_has_a_number_that_fits_the_control_page(number: int) -> None:
    with pytest.raises(ConfigurationError, match="expected 0 to"):
        Attached(number=AttachmentNumber(number), text_hash=TEXT.text_hash)


def test_a_task_with_everything_comes_back_from_its_bytes() -> None:
    series = Series(symbol="BTC-USD", instrument=BTC, history=History.of([a_bar(1)]))
    task = Task(
        task_id=WHICH,
        bar=a_bar(2),
        others=(OtherBar(symbol="ETH-USD", bar=a_bar(2)),),
        whole=Whole(series=series, texts=(TEXT,), attached=(ONE,), others=(series,)),
    )
    assert task_of(task_bytes(task)) == task


def test_bytes_of_a_bar_that_cannot_be_are_no_task() -> None:
    task = Task(task_id=WHICH, bar=a_bar(2))
    assert task_bytes(task).count((2 * Span.M1.ns).to_bytes(8, "big")) == 1
    off_grid = task_bytes(task).replace(
        (2 * Span.M1.ns).to_bytes(8, "big"), (2 * Span.M1.ns + 1).to_bytes(8, "big")
    )
    with pytest.raises(FrameError, match="expected a begin of 1m"):
        task_of(off_grid)


def test_a_warm_task_is_small() -> None:
    assert len(task_bytes(Task(task_id=WHICH, bar=a_bar(2)))) < 100


@pytest.mark.parametrize(
    "answer",
    [
        Evaluated(
            task_id=WHICH,
            said=(Said(number=ONE.number, answer=Answer(position_ppm=1), lines=("hello",)),),
        ),
        Cold(task_id=WHICH, failed=(Said(number=ONE.number, answer=Answer(error="line 1: x")),)),
        Skipped(task_id=WHICH, reason="quota"),
    ],
)
def test_answers_come_back_from_their_bytes(answer: Evaluated | Cold | Skipped) -> None:
    assert answer_of(answer_bytes(answer)) == answer


@given(st.binary(max_size=60))
def test_any_bytes_are_a_task_or_an_error_of_ours(payload: bytes) -> None:
    for read in (task_of, answer_of):
        try:
            read(payload)
        except FrameError as error:
            assert str(error).startswith("not a")  # noqa: PT017


def test_bytes_that_are_no_task_are_refused_with_the_reason() -> None:
    with pytest.raises(FrameError, match="not a task"):
        task_of(b"\x93")
    with pytest.raises(FrameError, match="not an answer"):
        answer_of(b"\x93")
