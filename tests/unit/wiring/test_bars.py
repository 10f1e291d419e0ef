"""Recordings that are brought into stored bars."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.errors import ConfigurationError, MarketFileError
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.market_words import (
    BarTold,
    Listing,
    MarketSettings,
    Publish,
    Source,
    SourceId,
    TimeTold,
)
from tandem.shells.stored_bars import StoredBars
from tandem.sim.bars import MemoryBars
from tandem.wiring.bars import bars_between, import_feed, instrument_stored
from tandem.wiring.feeds import open_feeds

COIN = InstrumentId("paper:BTCUSD")
EVER = 2**62
MINUTE = 60
START = 704 * 86_400  # a Monday


def table(path: Path, rows: Sequence[tuple[int, ...]], options: str = "span=1m") -> str:
    """Write bars that begin at these seconds after the start; return the place."""
    lines = [",".join(map(str, (START + row[0], *row[1:]))) for row in rows]
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines, ""]), encoding="utf-8")
    return f"{path}?symbol=BTCUSD&clock=s&{options}"


def bring_in(store: MemoryBars, place: str) -> tuple[int, int, int]:
    (opened,) = open_feeds([place])
    made = import_feed(opened, store)
    assert made.refused == {}
    return made.bars, made.revisions, made.gaps


def minutes(first: int, last: int, price: int = 100) -> list[tuple[int, ...]]:
    return [
        (n * MINUTE, price + n % 7, price + 9, price - 9, price, 1 + n) for n in range(first, last)
    ]


def stored(store: MemoryBars, span: Span) -> list[tuple[int, int]]:
    found = store.bars(COIN, span, from_ns=0, to_ns=EVER)
    return [((one.bar.begin_ns // 10**9 - START) // MINUTE, one.revision) for one in found]


def test_what_is_stored_already_is_left_as_it_is(tmp_path: Path) -> None:
    """B9, B12."""
    store = MemoryBars()
    place = table(tmp_path / "a.csv", minutes(0, 3_000))
    assert bring_in(store, place) == (3_000, 0, 0)
    assert bring_in(store, place) == (0, 0, 0)
    longer = table(tmp_path / "b.csv", minutes(2_000, 4_000))
    assert bring_in(store, longer) == (1_000, 0, 0)
    whole = MemoryBars()
    bring_in(whole, table(tmp_path / "c.csv", minutes(0, 4_000)))
    for span in Span:
        alike = [one.bars(COIN, span, from_ns=0, to_ns=EVER) for one in (store, whole)]
        assert alike[0] == alike[1]


def test_what_differs_or_is_older_comes_as_a_revision(tmp_path: Path) -> None:
    """B9."""
    store = MemoryBars()
    bring_in(store, table(tmp_path / "a.csv", minutes(10, 20)))
    assert bring_in(store, table(tmp_path / "b.csv", minutes(5, 12, price=200))) == (0, 7, 0)
    assert stored(store, Span.M1)[4:8] == [(9, 1), (10, 1), (11, 1), (12, 0)]
    assert stored(store, Span.M5) == [(5, 1), (10, 1), (15, 0)]


def test_days_that_differ_are_corrected_one_after_the_other(tmp_path: Path) -> None:
    """B9."""
    store = MemoryBars()
    bring_in(store, table(tmp_path / "a.csv", minutes(0, 3_000)))
    corrected = minutes(0, 3_000, price=200)
    assert bring_in(store, table(tmp_path / "b.csv", corrected)) == (0, 3_000, 0)
    days = store.bars(COIN, Span.D1, from_ns=0, to_ns=EVER)
    assert [(one.bar.high, one.revision) for one in days] == [(20_900, 1), (20_900, 1)]


def test_a_gap_between_two_recordings_is_counted(tmp_path: Path) -> None:
    store = MemoryBars()
    bring_in(store, table(tmp_path / "a.csv", minutes(0, 5)))
    assert bring_in(store, table(tmp_path / "b.csv", minutes(9, 12))) == (3, 0, 1)


def test_seconds_are_brought_in_as_minutes_and_again_change_nothing(tmp_path: Path) -> None:
    """B10."""
    store = MemoryBars()
    rows = [(n, 100, 101, 99, 100, 1) for n in range(0, 400, 7)]
    place = table(tmp_path / "a.csv", rows, "span=1s")
    assert bring_in(store, place)[:2] == (6, 0)
    assert bring_in(store, place)[1] == 0
    assert store.series()[0].bars == 6


def test_bars_of_another_span_than_those_stored_are_refused(tmp_path: Path) -> None:
    store = MemoryBars()
    bring_in(store, table(tmp_path / "a.csv", minutes(0, 5)))
    (opened,) = open_feeds([table(tmp_path / "b.csv", [(0, 5, 5, 5, 5, 1)], "span=1h")])
    with pytest.raises(MarketFileError, match="bars of 1h; those of BTCUSD that are stored are"):
        import_feed(opened, store)


def test_bars_are_read_in_parts_and_in_the_order_of_time(tmp_path: Path) -> None:
    store = MemoryBars()
    rows = [(n * 3_600, 5, 5, 5, 5, 1) for n in (0, 1, 30_000, 30_001)]
    bring_in(store, table(tmp_path / "a.csv", rows, "span=1h"))
    found = bars_between(store, COIN, Span.H1, from_ns=0, to_ns=EVER)
    first = START // 3_600
    hours = [one.bar.begin_ns // Span.H1.ns - first for one in found]
    assert hours == [0, 1, 30_000, 30_001]
    from_ns, to_ns = ((first + hour) * Span.H1.ns for hour in (1, 30_001))
    within = bars_between(store, COIN, Span.H1, from_ns=from_ns, to_ns=to_ns)
    assert [one.bar.begin_ns // Span.H1.ns - first for one in within] == [1, 30_000]
    assert list(bars_between(store, COIN, Span.M1, from_ns=0, to_ns=EVER)) == []


def test_a_symbol_without_bars_is_an_error_that_names_those_with() -> None:
    with pytest.raises(ConfigurationError, match="no bars of 'X'; there are some of: nothing"):
        instrument_stored(MemoryBars(), "X")


@given(cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), min_size=1, max_size=4))
def test_however_a_recording_is_cut_the_latest_bars_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int]]
) -> None:
    """B9, B12: overlapping, in any order."""
    folder = tmp_path_factory.mktemp("cuts")
    store = MemoryBars()
    for number, (first, length) in enumerate([*cuts, (0, 100)]):
        bring_in(store, table(folder / f"{number}.csv", minutes(first, first + length)))
    whole = MemoryBars()
    bring_in(whole, table(folder / "whole.csv", minutes(0, 100)))
    for span in Span:
        alike = [
            [one.bar for one in some.bars(COIN, span, from_ns=0, to_ns=EVER)]
            for some in (store, whole)
        ]
        assert alike[0] == alike[1]


def test_a_bar_that_is_not_over_yet_is_no_bar_of_a_recording(tmp_path: Path) -> None:
    """B9: nor is what comes after it; live bars of that time would be told too late."""
    day = 1_440 * MINUTE
    rows = [(n * day, 100, 109, 91, 100, 1) for n in range(4)]
    (opened,) = open_feeds([table(tmp_path / "a.csv", rows, "span=1d")])
    store = MemoryBars()
    now_ns = (START + 3 * day - 1) * 10**9
    made = import_feed(opened, store, now_ns=now_ns)
    assert (made.bars, made.refused) == (2, {"a bar that is not over yet": 2})
    again = import_feed(opened, store, now_ns=now_ns + 10**9)
    assert (again.bars, again.revisions, sum(again.refused.values())) == (1, 0, 1)


def test_what_cannot_be_is_left_out_and_counted(tmp_path: Path) -> None:
    """F17: a bar whose high is below its low, and one of a price below zero."""
    rows = [(0, 100, 109, 91, 100, 1), (60, 100, 90, 109, 100, 1), (120, -1, -1, -1, -1, 1)]
    (opened,) = open_feeds([table(tmp_path / "a.csv", rows)])
    made = import_feed(opened, MemoryBars())
    assert (made.bars, made.refused) == (1, {"shape": 1, "price": 1})


def test_a_bar_off_the_grid_is_refused_with_its_file_and_time(tmp_path: Path) -> None:
    """B12."""
    (opened,) = open_feeds([table(tmp_path / "a.csv", [(30, 100, 109, 91, 100, 1)])])
    words = r"a\.csv\S*: a bar of 1971-12-06 00:00:30: expected a begin of 1m"
    with pytest.raises(MarketFileError, match=words):
        import_feed(opened, MemoryBars())


@pytest.mark.parametrize("after", [0, 300, 2_000])
def test_minutes_of_an_exchange_go_on_where_imported_days_end(tmp_path: Path, after: int) -> None:
    """B8 B12: side by side; each new minute decides, and makes the days that follow."""
    days = [(n * 1_440 * MINUTE, 100, 109, 91, 100, 1) for n in range(10)]
    store = MemoryBars()
    bring_in(store, table(tmp_path / "a.csv", days, "span=1d"))
    instrument = instrument_stored(store, "BTCUSD")
    source = Source(source_id=SourceId("live"), stale_ns=EVER)
    listing = Listing(instrument_id=COIN, sources=(source,))
    begin_ns = (START + (10 * 1_440 + after) * MINUTE) * 10**9
    finals: list[FinalBar] = []
    for number in range(3_000):
        if number % 1_000 == 0:  # a restart
            live = StoredBars(MarketSettings(grace_ns=0), [listing], store)
        bar = Bar(
            instrument_id=instrument.instrument_id,
            span=Span.M1,
            begin_ns=begin_ns + number * Span.M1.ns,
            open=Ticks(7),
            high=Ticks(7),
            low=Ticks(7),
            close=Ticks(7),
            volume=Lots(1),
        )
        told = (
            BarTold(source_id=source.source_id, bar=bar),
            TimeTold(source_id=source.source_id, at_ns=bar.end_ns),
        )
        effects = live.take(told, Instant(bar.end_ns, bar.end_ns))
        finals += [one.final for one in effects if isinstance(one, Publish)]
    assert not any(one.revision for one in finals)
    assert [one.number for one in finals if one.bar.span is Span.M1] == list(range(1, 3_001))
    whole_days = (after + 3_000) // 1_440
    numbers = [one.number for one in finals if one.bar.span is Span.D1]
    assert numbers == list(range(11, 11 + whole_days - after // 1_440))
