"""The market core: words in any order, final bars once and in order."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.market import AHEAD_NS, MarketCore
from tandem.domain.bars import Bar, Span
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.market_words import (
    BarTold,
    FeedFresh,
    FeedStale,
    GapKnown,
    MarketSettings,
    MarketWord,
    Publish,
    Recalled,
    Source,
    SourceId,
    Tells,
    Ticked,
    TimeTold,
)
from tests.unit.core.market.market_words import (
    COIN,
    MINUTE,
    SECOND,
    SETTINGS,
    VENUE,
    Market,
    answer,
    bar,
    gap,
    listing,
    piece,
    time,
    told,
    trade,
)


def test_a_bar_is_final_once_and_with_it_the_longer_ones_that_end_with_it() -> None:
    """B8, B10, B11."""
    market = Market()
    market.tell(*(told(minute, 10 + minute) for minute in range(6)), time(6))
    assert market.published() == [(n + 1, n, 0) for n in range(6)]
    assert market.published(Span.M3) == [(1, 0, 0), (2, 1, 0)]
    assert market.bars(Span.M3)[1] == bar(1, 13, 15, 13, 15, volume=3, span=Span.M3)
    assert market.published(Span.M5) == [(1, 0, 0)]
    assert market.published(Span.M15) == []


def test_a_bar_that_comes_three_times_and_corrected_is_published_once_the_latest_wins() -> None:
    """B9."""
    market = Market()
    market.tell(told(0, 5), told(0, 5), told(0, 5), told(0, 7), time(1), told(0, 7), time(2))
    assert market.published() == [(1, 0, 0)]
    assert market.bars() == [bar(0, 7)]
    assert market.refusals() == []


def test_a_later_correction_is_a_revision_of_the_bar_and_of_all_that_hold_it() -> None:
    """B9: it is published with the next number, and never decides again."""
    market = Market()
    market.tell(*(told(minute, 10) for minute in range(16)), time(16), told(4, 20), told(4, 20))
    assert market.published()[-2:] == [(16, 15, 0), (17, 4, 1)]
    assert market.published(Span.M3)[-1] == (6, 1, 1)
    assert market.published(Span.M5)[-1] == (4, 0, 1)
    assert market.published(Span.M15) == [(1, 0, 0), (2, 0, 1)]
    assert market.bars(Span.M15)[0].high == 20
    market.tell(told(4, 30), told(16, 1), time(30))
    assert market.published()[-2:] == [(18, 4, 2), (19, 16, 0)]
    assert market.bars(Span.M30)[0].high == 30  # it was open when its part was corrected


def test_within_the_grace_words_come_in_any_order() -> None:
    """B9."""
    market = Market(settings=MarketSettings(grace_ns=90 * SECOND))
    market.tell(told(1, 6), time(2), told(0, 5))
    assert market.published() == []
    market.tell(time(2.5), time(3.5))
    assert market.published() == [(1, 0, 0), (2, 1, 0)]


def test_a_bar_later_than_the_grace_makes_those_before_it_final() -> None:
    market = Market()
    market.tell(told(0), told(1))
    assert market.published() == [(1, 0, 0)]


def test_a_core_that_starts_again_goes_on_where_the_store_stands() -> None:
    """B12: nothing is published twice and nothing is lost, whatever the moment."""
    words = [one for n in range(40) for one in (told(n, 10 + n % 7), time(n + 1))]
    whole = Market()
    whole.tell(*words)
    for stop in range(0, 80, 3):
        first = Market()
        first.tell(*words[:stop])
        second = Market(finals=first.finals)
        second.tell(*words[max(0, stop - 9) :])  # a source repeats what it said last
        assert second.finals == whole.finals


def test_bars_of_a_day_make_weeks_from_monday() -> None:
    """B10: 1970 began on a Thursday."""
    market = Market(span=Span.D1)
    days = [BarTold(source_id=VENUE, bar=bar(n, 10 + n, span=Span.D1)) for n in range(12)]
    market.tell(*days, TimeTold(source_id=VENUE, at_ns=12 * Span.D1.ns))
    assert [one.volume for one in market.bars(Span.W1)] == [4, 7]
    assert market.bars(Span.M1) == []


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (BarTold(source_id=SourceId("x"), bar=bar(0)), "not listed for"),
        (TimeTold(source_id=SourceId("x"), at_ns=0), "unknown source"),
        (TimeTold(source_id=VENUE, at_ns=AHEAD_NS + 1), "far ahead"),
        (BarTold(source_id=VENUE, bar=bar(0, span=Span.M5)), "bar of 5m, expected 1m"),
        (told(2), "has not begun"),
        (told(-1), "has not begun"),
        (told(0, 2**53), "too large"),
        (told(0, volume=2**63), "too large"),
        (trade(61, 5), "has not been"),
        (trade(-1, 5), "has not been"),
        (trade(0, 0), "cannot be"),
        (trade(0, 1, size=0), "cannot be"),
        (trade(0, 2**53), "too large"),
        (piece(0, 5, 4, 3, 4), "cannot be"),
        (piece(0, 5, volume=-1), "cannot be"),
        (piece(0, 0), "cannot be"),
        (answer(0, 1, bar(0, span=Span.M5)), "bar of 5m, expected 1m"),
        (answer(0, 1, trades=[trade(0, 0)]), "cannot be"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(word: MarketWord, reason: str) -> None:
    """F17."""
    market = Market()
    market.tell(word, now=0)
    (refusal,) = market.refusals()
    assert reason in refusal
    assert market.finals == []


def test_an_answer_about_another_instrument_is_refused() -> None:
    market = Market()
    one = msgspec.structs.replace(trade(0, 5), instrument_id=InstrumentId("x"))
    market.tell(answer(0, 1, trades=[one]))
    assert market.refusals() == ["an answer of another instrument"]


def test_words_about_what_is_not_listed_do_nothing() -> None:
    market = Market()
    assert market.tell(Recalled(instrument_id=InstrumentId("x"), bars=())) == []
    unknown = GapKnown(source_id=VENUE, instrument_id=InstrumentId("x"), from_ns=0, to_ns=1)
    assert market.tell(unknown) == []


def test_a_silent_feed_is_stale_until_its_bars_have_come() -> None:
    """F17: no new risk on prices that are old; what it catches up with is said before."""
    market = Market(Source(source_id=VENUE, stale_ns=5 * SECOND))
    market.tell(Ticked(), told(0), now=0)
    market.tell(Ticked(), now=0.05)
    assert market.freshness() == [False, True]
    market.tell(Ticked(), now=1)
    assert market.freshness() == [False, True, False]
    effects = market.tell(told(1), time(2), now=2)
    assert [type(one) for one in effects] == [Publish, Publish, FeedFresh]


@pytest.mark.parametrize(
    ("tells", "span", "limit_ns"),
    [
        (Tells.TRADES, Span.M1, 5 * SECOND),
        (Tells.BARS, Span.M1, 3 * MINUTE),
        (Tells.BARS, Span.H1, 180 * MINUTE),
    ],
)
def test_trades_are_stale_after_five_seconds_and_bars_after_three_of_them(
    tells: Tells, span: Span, limit_ns: int
) -> None:
    """F17: by the market's clock, and not a nanosecond before."""
    source = Source(source_id=VENUE, tells=tells)
    core = MarketCore(SETTINGS, [listing(source, span=span)])
    clock_ns = 30 * Span.H1.ns
    core.on_event(TimeTold(source_id=VENUE, at_ns=clock_ns), Instant(7, clock_ns))
    last_ns = clock_ns + limit_ns
    assert core.on_event(Ticked(), Instant(10**18, last_ns)) == []
    stale = FeedStale(instrument_id=COIN, since_ns=clock_ns)
    assert core.on_event(Ticked(), Instant(10**18, last_ns + 1)) == [stale]


def test_a_feed_that_was_silent_while_nobody_looked_was_stale() -> None:
    market = Market(Source(source_id=VENUE, stale_ns=5 * SECOND))
    market.tell(told(0), time(0.5), now=0.5)
    effects = market.tell(time(9), now=9)
    assert [type(one) for one in effects] == [FeedStale, *[Publish] * 3, FeedFresh]
    assert effects[0] == FeedStale(instrument_id=COIN, since_ns=MINUTE // 2)


def test_a_bar_that_ends_a_silence_is_said_to_be_of_a_stale_feed() -> None:
    """F17."""
    market = Market(Source(source_id=VENUE, stale_ns=5 * SECOND))
    market.tell(told(0), time(0.5), now=0.5)
    effects = market.tell(told(8), now=8)
    assert [type(one) for one in effects] == [FeedStale, *[Publish] * 3, FeedFresh]


def test_a_gap_of_one_instrument_is_known_of_it_alone() -> None:
    market = Market(Source(source_id=VENUE, is_asked=True, stale_ns=10**19))
    market.tell(told(0), msgspec.structs.replace(gap(1, 2), instrument_id=COIN))
    assert market.asked() == [(VENUE, 1, 2)]


# -- laws

MINUTES = 40
CLEAN = {n: bar(n, 10 + n % 7, 20 + n % 5, 5 + n % 3, 11 + n % 4, volume=n) for n in range(MINUTES)}


def clean_bars(minutes: list[int]) -> dict[Span, list[Bar]]:
    market = Market()
    market.tell(*(BarTold(source_id=VENUE, bar=CLEAN[n]) for n in minutes), time(MINUTES))
    return market.all_bars()


@given(
    minutes=st.sets(st.integers(0, MINUTES - 1), min_size=1),
    delays=st.lists(st.integers(0, 3), min_size=MINUTES, max_size=MINUTES),
    copies=st.lists(st.integers(1, 3), min_size=MINUTES, max_size=MINUTES),
    wrong=st.sets(st.integers(0, MINUTES - 1)),
)
def test_repeated_corrected_and_reordered_words_give_the_clean_bars(
    minutes: set[int], delays: list[int], copies: list[int], wrong: set[int]
) -> None:
    """B9, B10, B11: in order and once each, within the grace; the order is drawn."""
    market = Market(settings=MarketSettings(grace_ns=4 * MINUTE))
    said: list[tuple[int, int, MarketWord]] = [(n, 0, time(n)) for n in range(MINUTES + 5)]
    for n in sorted(minutes):
        moment = n + 1 + delays[n]
        if n in wrong:
            said.append((n + 1, 1, told(n, 99)))
        said += [(moment, 2, BarTold(source_id=VENUE, bar=CLEAN[n]))] * copies[n]
    market.tell(*(word for _, _, word in sorted(said, key=lambda one: one[:2])))
    assert market.all_bars() == clean_bars(sorted(minutes))
    for span in Span:
        published = market.published(span)
        assert [number for number, _, _ in published] == list(range(1, len(published) + 1))
        assert [n for _, n, _ in published] == sorted({n for _, n, _ in published})
        assert not any(revision for _, _, revision in published)


@given(
    minutes=st.sets(st.integers(0, MINUTES - 1), min_size=1),
    order=st.permutations(range(MINUTES)),
)
def test_whenever_bars_come_the_latest_revisions_are_the_clean_bars(
    minutes: set[int], order: list[int]
) -> None:
    """B9, B12: also long after their time."""
    market = Market()
    market.tell(*(BarTold(source_id=VENUE, bar=CLEAN[n]) for n in order if n in minutes))
    market.tell(time(MINUTES))
    assert market.all_bars() == clean_bars(sorted(minutes))
    for span in Span:
        first = [n for _, n, revision in market.published(span) if not revision]
        assert first == sorted(set(first))
