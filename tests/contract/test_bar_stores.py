"""Every store of bars behind one port."""

import os
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.core.matching import listing as listings
from tandem.domain.bars import FinalBar, Span
from tandem.domain.errors import ConfigurationError, DiskFailedError, DiskFullError
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.market_words import BackFilled, MarketWord
from tandem.ports import BarStore
from tandem.shells.stored_bars import StoredBars, kept_in
from tandem.sim.bars import MemoryBars
from tests.unit.core.market.market_words import (
    COIN,
    MINUTE,
    SETTINGS,
    SOURCE,
    VENUE,
    Market,
    bar,
    listing,
    time,
    told,
)

INSTRUMENT = next(one for one in listings.instruments() if one.instrument_id == COIN)
EVER = 2**62


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BarStore]:
    made: BarStore = MemoryBars()
    if request.param == "file":
        made = SqliteBars.writing(tmp_path / "bars.sqlite")
    made.list_instruments([INSTRUMENT])
    yield made
    made.close()


def final(number: int, minute: int, price: int = 5, revision: int = 0) -> FinalBar:
    return FinalBar(number=number, bar=bar(minute, price), revision=revision)


def everything(store: BarStore, span: Span = Span.M1) -> list[FinalBar]:
    return store.bars(COIN, span, from_ns=-EVER, to_ns=EVER)


def test_the_latest_revisions_are_served_in_the_order_of_time(store: BarStore) -> None:
    """B12."""
    store.add([final(1, 0), final(2, 1), final(3, 4)])
    store.add([final(4, 1, 7, revision=1), final(5, 2, revision=1)])
    latest = [final(1, 0), final(4, 1, 7, 1), final(5, 2, revision=1), final(3, 4)]
    assert everything(store) == latest
    assert store.bars(COIN, Span.M1, from_ns=MINUTE, to_ns=4 * MINUTE) == latest[1:3]
    assert store.last(COIN, Span.M1, count=2) == latest[2:]
    assert store.last(COIN, Span.M1, count=9) == latest
    assert everything(store, Span.M3) == []
    assert store.last(InstrumentId("x"), Span.M1, count=9) == []


def test_all_that_was_published_is_served_by_its_numbers(store: BarStore) -> None:
    """B11, B12: numbers and revisions are kept."""
    finals = [final(1, 0), final(2, 1), final(3, 1, 7, revision=1)]
    store.add(finals)
    assert store.published(COIN, Span.M1, after=0, count=9) == finals
    assert store.published(COIN, Span.M1, after=1, count=1) == finals[1:2]
    assert store.published(COIN, Span.M1, after=3, count=9) == []
    assert store.published(COIN, Span.H1, after=0, count=9) == []
    (series,) = store.series()
    assert (series.instrument, series.span, series.number) == (INSTRUMENT, Span.M1, 3)
    assert (series.bars, series.revisions) == (2, 1)
    assert (series.first_begin_ns, series.last_begin_ns) == (0, MINUTE)


def test_a_bar_is_read_back_with_all_that_it_says(store: BarStore) -> None:
    """B12: each column by itself."""
    wild = msgspec.structs.replace(
        bar(0, 5), open=3, high=9, low=2, close=4, volume=2**40, is_filled=True
    )
    finals = [FinalBar(number=1, bar=wild), final(2, 1)]
    store.add(finals)
    assert everything(store) == store.published(COIN, Span.M1, after=0, count=9) == finals
    assert [one.bar.is_filled for one in everything(store)] == [True, False]


def test_what_is_there_already_is_passed_over(store: BarStore) -> None:
    """B12."""
    store.add([final(1, 0), final(2, 1)])
    store.add([final(1, 0), final(2, 1), final(3, 2)])
    store.add([])
    assert everything(store) == [final(1, 0), final(2, 1), final(3, 2)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (final(1, 9), "number 1 is another bar"),
        (final(4, 9), "number 4, expected 3"),
        (
            msgspec.structs.replace(
                final(1, 0), bar=msgspec.structs.replace(bar(0), instrument_id=InstrumentId("x"))
            ),
            "not listed",
        ),
    ],
)
def test_what_contradicts_the_store_is_refused_and_nothing_is_kept(
    store: BarStore, wrong: FinalBar, words: str
) -> None:
    store.add([final(1, 0)])
    longer, later = (FinalBar(number=n + 1, bar=bar(n, span=Span.M3)) for n in range(2))
    with pytest.raises(ConfigurationError, match=words):
        store.add([final(2, 1), longer, later, wrong])
    assert everything(store) == [final(1, 0)]
    assert everything(store, Span.M3) == []
    store.add([longer, final(2, 1)])
    assert everything(store, Span.M3) == [longer]


def test_an_instrument_keeps_its_grid(store: BarStore) -> None:
    store.list_instruments([INSTRUMENT])
    finer = msgspec.structs.replace(INSTRUMENT, tick_size=Decimal("0.001"))
    with pytest.raises(ConfigurationError, match=r"bars are stored"):
        store.list_instruments([finer])


# -- the core on a store


def run(store: BarStore, *words: MarketWord) -> list[FinalBar]:
    """Let a core that starts now hear the words; return what is stored."""
    bars = StoredBars(SETTINGS, [listing(SOURCE)], store)
    bars.take(words, Instant(10**19, 10**19))
    return everything(store)


def test_a_restart_loses_no_bar_and_repeats_none(store: BarStore) -> None:
    """B12: stopped after each turn, with a source that repeats what it said last."""
    words = [one for n in range(40) for one in (told(n, 10 + n % 7), time(n + 1))]
    clean = Market()
    clean.tell(*words)
    for turn in range(0, 80, 4):
        run(store, *words[max(0, turn - 6) : turn + 4])
    for span in Span:
        stored = store.published(COIN, span, after=0, count=999)
        assert stored == [one for one in clean.finals if one.bar.span is span]


def test_a_correction_of_what_is_stored_is_a_revision_after_a_restart_too(
    store: BarStore,
) -> None:
    """B9, B12."""
    run(store, *(told(n) for n in range(30)), time(30))
    kept = {one.span: one.number for one in kept_in(store)}
    assert (kept[Span.M1], kept[Span.M30]) == (30, 1)
    answer = BackFilled(
        source_id=VENUE,
        instrument_id=COIN,
        from_ns=0,
        to_ns=9 * MINUTE,
        bars=tuple(bar(n, 50) for n in range(9)),
    )
    run(store, told(30), answer, answer, time(31))
    (hour,) = store.bars(COIN, Span.M30, from_ns=0, to_ns=MINUTE)
    assert (hour.number, hour.revision, hour.bar.high) == (2, 1, 50)
    assert len(store.published(COIN, Span.M1, after=0, count=99)) == 40


# -- the file


def test_one_process_writes_and_others_read_meanwhile(tmp_path: Path) -> None:
    """B12."""
    path = tmp_path / "bars.sqlite"
    store = SqliteBars.writing(path)
    store.list_instruments([INSTRUMENT])
    with pytest.raises(ConfigurationError, match="another process writes"):
        SqliteBars.writing(path)
    reader = SqliteBars.reading(path)
    store.add([final(1, 0)])
    assert everything(reader) == [final(1, 0)]
    with pytest.raises(DiskFailedError, match="readonly"):
        reader.add([final(2, 1)])
    store.close()
    store.close()
    reader.close()
    SqliteBars.writing(path).close()
    assert path.stat().st_mode & 0o077 == 0


def test_what_was_added_is_there_after_the_process_is_killed(tmp_path: Path) -> None:
    """B12."""
    path = tmp_path / "bars.sqlite"
    child = os.fork()
    if child == 0:
        store = SqliteBars.writing(path)
        store.list_instruments([INSTRUMENT])
        store.add([final(1, 0), final(2, 1)])
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    store = SqliteBars.writing(path)
    assert everything(store) == [final(1, 0), final(2, 1)]
    store.close()


def test_a_full_disk_keeps_nothing_of_a_turn(tmp_path: Path) -> None:
    """F11."""
    path = tmp_path / "bars.sqlite"
    store = SqliteBars.writing(path)
    store.list_instruments([INSTRUMENT])
    store.add([final(1, 0)])
    store.connection.execute("PRAGMA max_page_count = 8")
    with pytest.raises(DiskFullError):
        store.add([final(n + 2, n + 1) for n in range(5_000)])
    assert everything(store) == [final(1, 0)]
    store.add([final(2, 1)])
    assert len(everything(store)) == 2
    store.close()


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "a"
    text.write_text("nothing that SQLite knows" * 99)
    other = tmp_path / "b"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()
    folder = tmp_path / "c"
    folder.mkdir()
    for path, words in ((text, "expected a file of bars"), (other, "another version")):
        for way in (SqliteBars.reading, SqliteBars.writing):
            with pytest.raises(ConfigurationError, match=words):
                way(path)
    with pytest.raises(ConfigurationError, match="no bars are stored here"):
        SqliteBars.reading(tmp_path / "none")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(5, 9)), max_size=20), st.integers(0, 20))
def test_both_stores_answer_alike(tmp_path: Path, told: list[tuple[int, int]], after: int) -> None:
    path = tmp_path / "alike.sqlite"
    path.unlink(missing_ok=True)
    finals = [
        FinalBar(number=n + 1, bar=bar(minute, price), revision=n % 2)
        for n, (minute, price) in enumerate(told)
    ]
    answers = []
    for store in (SqliteBars.writing(path), MemoryBars()):
        store.list_instruments([INSTRUMENT])
        store.add(finals)
        answers.append(
            (
                store.series(),
                everything(store),
                store.last(COIN, Span.M1, count=3),
                store.published(COIN, Span.M1, after=after, count=5),
            )
        )
        store.close()
    assert answers[0] == answers[1]
