"""Gaps, several sources, bars out of trades."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market import inbox, making
from tandem.core.market.market import MarketCore
from tandem.domain.bars import Span
from tandem.domain.instant import Instant
from tandem.domain.market_words import (
    BackFilled,
    MarketSettings,
    MarketWord,
    Publish,
    Recall,
    Recalled,
    Source,
    Ticked,
)
from tests.unit.core.market.market_words import (
    COIN,
    FILLED,
    LIVE,
    MINUTE,
    OTHER,
    SECOND,
    SETTINGS,
    SOURCE,
    TRADES,
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

LIVE_FILLED = msgspec.structs.replace(LIVE, empty_minutes=FILLED)
LIVE_TRADES = msgspec.structs.replace(TRADES, is_asked=True)
FILLING = Source(source_id=OTHER, stale_ns=10**19)


# -- gaps


def test_what_is_dropped_and_filled_later_comes_in_before_anything_later_is_final() -> None:
    """B12, F17: a venue of which every minute has a bar left two out."""
    market = Market(LIVE_FILLED)
    market.tell(told(0, 1), told(3, 4), time(4))
    assert market.published() == [(1, 0, 0)]
    assert market.asked() == [(VENUE, 1, 3)]
    market.tell(told(4, 5), time(4.9))
    assert market.asked() == [(VENUE, 1, 3)]
    market.tell(time(4.95), answer(1, 3, bar(1, 2), bar(2, 3)))
    assert market.published() == [(n + 1, n, 0) for n in range(4)]
    market.tell(time(5))
    assert market.bars(Span.M5) == [bar(0, 1, 5, 1, 5, volume=5, span=Span.M5)]
    assert market.left() == []


def test_a_gap_that_nobody_fills_is_published_as_it_is_and_said() -> None:
    """B12, F17."""
    market = Market(LIVE_FILLED)
    market.tell(told(0), told(2), told(3), time(3.9))
    assert market.published() == [(1, 0, 0)]
    market.tell(time(4))
    assert market.published() == [(1, 0, 0), (2, 2, 0), (3, 3, 0)]
    assert market.left()[0] == (1, 2)


def test_what_comes_after_a_gap_was_left_is_a_revision() -> None:
    """B9, B12: it changes history and never decides."""
    market = Market(LIVE_FILLED)
    market.tell(told(0), told(2), time(9), told(1), answer(1, 2, bar(1, 3)))
    assert market.published()[-2:] == [(3, 1, 1), (4, 1, 2)]
    assert market.bars(Span.M3)[0].volume == 3


def test_answers_may_come_in_parts_and_say_that_nothing_traded() -> None:
    market = Market(LIVE_FILLED)
    market.tell(told(0), told(5), time(6), answer(1, 3, bar(2)))
    assert market.published() == [(1, 0, 0), (2, 2, 0)]
    market.tell(time(7.5), answer(3, 5))
    assert market.published() == [(1, 0, 0), (2, 2, 0), (3, 5, 0)]
    assert market.asked() == [(VENUE, 1, 5), (VENUE, 6, 7)]


def test_a_source_that_says_that_it_missed_something_is_asked() -> None:
    """F17: where empty minutes have no bar, only the source can know."""
    market = Market(LIVE)
    market.tell(told(0), gap(0.5, 2.5), time(4))
    assert market.asked() == [(VENUE, 0, 3)]
    assert market.published() == []
    market.tell(answer(0, 3, bar(0), bar(2)))
    assert market.published() == [(1, 0, 0), (2, 2, 0)]


def test_a_gap_in_what_is_final_is_asked_for_and_nobody_waits() -> None:
    """B9, B12."""
    market = Market(LIVE)
    market.tell(told(0), told(1, 5), time(2), gap(0, 2), told(2), time(3))
    assert market.asked() == [(VENUE, 0, 2)]
    assert market.published() == [(1, 0, 0), (2, 1, 0), (3, 2, 0)]
    market.tell(answer(0, 2, bar(0), bar(1, 6)))
    assert market.published()[3:] == [(4, 1, 1)]


def test_a_gap_that_nobody_can_fill_is_said_at_once() -> None:
    market = Market()
    market.tell(told(0), time(1), gap(0, 2), told(2), time(3))
    assert market.left() == [(0, 1), (1, 2)]
    assert market.published() == [(1, 0, 0), (2, 2, 0)]


def test_a_gap_of_nothing_is_none() -> None:
    market = Market(LIVE)
    market.tell(told(0), gap(2, 2), gap(3, 1))
    assert market.asked() == []


def test_what_was_told_while_nobody_listened_is_asked_for() -> None:
    """B12: a restart."""
    first = Market(LIVE)
    first.tell(told(0), told(1), time(2))
    market = Market(LIVE, finals=first.finals)
    market.tell(told(1), told(5), time(6))
    assert market.asked() == [(VENUE, 2, 5)]
    assert len(market.finals) == len(first.finals)
    market.tell(answer(2, 5, bar(3)))
    assert market.published() == [(1, 0, 0), (2, 1, 0), (3, 3, 0), (4, 5, 0)]


def test_a_gap_that_is_waited_for_makes_prices_stale() -> None:
    """F17."""
    market = Market(msgspec.structs.replace(LIVE_FILLED, stale_ns=5 * SECOND))
    market.tell(told(0), told(2), time(3), now=3)
    assert market.freshness() == [False]
    market.tell(Ticked(), now=3.01)
    effects = market.tell(answer(1, 2, bar(1)), now=3.02)
    assert market.freshness() == [False, True]
    assert isinstance(effects[0], Publish)


# -- several sources


def test_another_source_fills_where_the_primary_has_a_gap_and_only_there() -> None:
    """B12."""
    market = Market(SOURCE, FILLING)
    market.tell(told(0, 1), told(0, 9, by=OTHER), told(1, 9, by=OTHER), told(2, 9, by=OTHER))
    market.tell(gap(2, 3), told(3, 1), time(4))
    assert market.published() == [(1, 0, 0)]
    market.tell(time(5))
    assert [one.close for one in market.bars()] == [1, 9, 1]
    assert market.published() == [(1, 0, 0), (2, 2, 0), (3, 3, 0)]
    market.tell(told(1, 9, by=OTHER))
    assert len(market.bars()) == 3


def test_another_source_takes_over_from_a_silent_one() -> None:
    market = Market(SOURCE, FILLING)
    market.tell(told(0, 1), time(1), told(1, 9, by=OTHER), time(3.9, by=OTHER))
    assert [one.close for one in market.bars()] == [1]
    market.tell(time(4, by=OTHER))
    assert [one.close for one in market.bars()] == [1, 9]
    market.tell(told(1, 2))
    assert market.published()[-1] == (3, 1, 1)


def test_the_source_that_can_is_asked_and_its_late_answer_adds_what_is_not_there() -> None:
    """B12."""
    market = Market(SOURCE, msgspec.structs.replace(FILLING, is_asked=True))
    market.tell(told(0, 1), gap(1, 3), told(3, 1), time(4))
    assert market.asked() == [(OTHER, 1, 3)]
    market.tell(answer(1, 2, bar(1, 9), by=OTHER))
    assert [one.close for one in market.bars()] == [1, 9]
    market.tell(time(5), time(9), answer(0, 3, bar(0, 9), bar(2, 9), by=OTHER))
    assert [one.close for one in market.bars()] == [1, 9, 9, 1]
    assert market.published()[-1] == (4, 2, 1)


def test_a_gap_of_a_source_that_only_fills_is_none() -> None:
    market = Market(LIVE, FILLING)
    market.tell(msgspec.structs.replace(gap(0, 2), source_id=OTHER), time(1, by=OTHER))
    assert market.asked() == []


# -- bars out of trades


def test_trades_make_the_bars_and_late_repeats_vanish() -> None:
    """B8, B9."""
    market = Market(TRADES)
    market.tell(trade(1, 5, 1), trade(59, 7, 2), trade(1, 5, 1), trade(60, 6, 3), time(2))
    assert market.bars() == [bar(0, 5, 7, 5, 7, volume=2), bar(1, 6)]
    market.tell(trade(1, 5, 1), piece(130, 4), time(3))
    assert market.bars()[2] == bar(2, 4)
    assert market.refusals() == []


def test_where_that_is_the_convention_a_minute_without_trades_repeats_the_close() -> None:
    """B8."""
    market = Market(msgspec.structs.replace(TRADES, empty_minutes=FILLED))
    market.tell(time(1), trade(61, 5), trade(250, 6), time(6))
    assert [(one.begin_ns // MINUTE, one.close, one.is_filled) for one in market.bars()] == [
        (1, 5, False),
        (2, 5, True),
        (3, 5, True),
        (4, 6, False),
        (5, 6, True),
    ]
    market.tell(gap(6, 7), trade(421, 7), time(8))
    assert [one.begin_ns // MINUTE for one in market.bars()][-2:] == [5, 7]


def test_a_told_bar_without_trades_is_a_filled_one_where_that_is_the_convention() -> None:
    market = Market(msgspec.structs.replace(SOURCE, empty_minutes=FILLED))
    market.tell(told(0, 5, volume=0), told(1, 5), time(2), told(1, 5, volume=0))
    assert [one.is_filled for one in market.bars()] == [True, True]


def test_a_number_that_is_left_out_is_a_gap_when_its_time_is_over() -> None:
    """F17: a sequence gap; the answer has the bars."""
    market = Market(LIVE_TRADES)
    market.tell(trade(1, 5, 1), answer(0, 1), trade(2, 6, 4), trade(61, 6, 5))
    market.tell(time(2))
    assert market.asked() == [(VENUE, 0, 1), (VENUE, 0, 1)]
    assert market.published() == []
    market.tell(answer(0, 1, bar(0, 5, 9, 5, 6, volume=4)))
    assert market.bars() == [bar(0, 5, 9, 5, 6, volume=4), bar(1, 6)]


def test_trades_that_are_sent_again_make_the_minute_whole() -> None:
    market = Market(LIVE_TRADES)
    market.tell(trade(1, 5, 1), answer(0, 1), trade(2, 6, 4), time(1))
    whole = [trade(1, 5, 1), trade(1, 7, 2), trade(2, 8, 3), trade(2, 6, 4)]
    market.tell(answer(0, 1, trades=whole), trade(1, 7, 2))
    assert market.bars() == [bar(0, 5, 8, 5, 6, volume=4)]
    assert market.asked() == [(VENUE, 0, 1), (VENUE, 0, 1)]


def test_a_restart_within_a_minute_asks_for_the_whole_minute() -> None:
    """B12: its first trades were told to nobody who lives."""
    first = Market(LIVE_TRADES)
    first.tell(trade(1, 5, 1), time(1), answer(0, 1, trades=[trade(1, 5, 1)]))
    market = Market(LIVE_TRADES, finals=first.finals)
    market.tell(trade(90, 7, 9))
    assert market.asked() == [(VENUE, 1, 2)]


def test_a_trade_of_a_bar_that_is_final_lets_the_bar_be_asked_for_once() -> None:
    market = Market(LIVE_TRADES)
    market.tell(trade(1, 5, 2), answer(0, 1), time(2), trade(0, 9, 1), trade(2, 8), trade(3, 8))
    assert market.asked()[1:] == [(VENUE, 0, 1)]
    market.tell(answer(0, 1, bar(0, 9, 9, 5, 5, volume=2)))
    assert market.published() == [(1, 0, 0), (2, 0, 1)]


def test_a_late_trade_of_a_source_that_cannot_be_asked_is_refused() -> None:
    market = Market(TRADES, FILLING)
    market.tell(trade(1, 5), time(2), trade(2, 6))
    assert market.refusals() == ["a trade of a bar that is final"]
    market.tell(msgspec.structs.replace(trade(2, 6), source_id=OTHER))
    assert len(market.refusals()) == 1


def test_pieces_are_sent_again_too() -> None:
    market = Market(LIVE_TRADES)
    market.tell(piece(0, 5), time(1))
    whole = BackFilled(
        source_id=VENUE,
        instrument_id=COIN,
        from_ns=0,
        to_ns=MINUTE,
        trades=(piece(30, 8), piece(0, 6)),
    )
    market.tell(whole)
    assert market.bars() == [bar(0, 6, 8, 6, 8, volume=2)]


def test_until_the_store_has_answered_nothing_is_final() -> None:
    """B9: whoever breaks the promise to answer first gets no bar out of order."""
    core = MarketCore(SETTINGS, [listing(SOURCE)])
    now = Instant(10**19, 10**19)
    core.on_event(told(0), now)
    core.on_event(time(1), now)
    (recall,) = core.on_event(told(0, 9), now)
    assert isinstance(recall, Recall)
    assert core.on_event(told(1), now) == []
    assert core.on_event(time(2), now) == []
    effects = core.on_event(Recalled(instrument_id=COIN, bars=()), now)
    finals = [one.final for one in effects if isinstance(one, Publish)]
    assert [(one.number, one.bar.begin_ns, one.revision) for one in finals] == [
        (2, 0, 1),
        (3, MINUTE, 0),
    ]


# -- bounds


def test_too_many_bars_that_wait_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "BARS_MAX", 2)
    market = Market(LIVE)
    words: list[MarketWord] = [told(0), told(1), gap(0, 9), told(2), piece(200, 5)]
    market.tell(gap(0, 9), *words, answer(5, 6, bar(5)))
    assert market.refusals() == ["too many bars wait to be final"] * 3


def test_too_many_corrections_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "LATE_MAX", 2)
    market = Market(LIVE)
    market.tell(told(0), time(9), answer(0, 3, bar(0, 7), bar(1), bar(2)))
    assert market.refusals() == ["too many corrections at once"]
    assert len(market.bars()) == 2


def test_corrections_of_several_weeks_are_made_week_by_week() -> None:
    market = Market()
    week = 7 * 1_440
    market.tell(told(0), told(week), told(3 * week), time(3 * week + 1))
    whole = BackFilled(
        source_id=VENUE,
        instrument_id=COIN,
        from_ns=0,
        to_ns=4 * week * MINUTE,
        bars=(bar(0, 7), bar(week, 8), bar(3 * week, 9)),
    )
    market.tell(whole)
    assert [one.close for one in market.bars()] == [7, 8, 9]
    assert [one[2] for one in market.published()] == [0, 0, 0, 1, 1, 1]


# -- laws


@given(
    dropped=st.sets(st.integers(1, 28)),
    parts=st.lists(st.integers(1, 6), min_size=30, max_size=30),
    late=st.integers(0, 3),
)
def test_dropped_and_back_filled_gives_the_clean_bars(
    dropped: set[int], parts: list[int], late: int
) -> None:
    """B9, B12: whatever was dropped, and in whatever parts it is sent again, nothing is lost."""
    settings = MarketSettings(grace_ns=0, wait_ns=30 * MINUTE)
    bars = {n: bar(n, 10 + n % 7, volume=n) for n in range(30)}
    clean = Market(LIVE_FILLED, settings=settings)
    clean.tell(*(told(n, 10 + n % 7, volume=n) for n in range(30)), time(30))
    market = Market(LIVE_FILLED, settings=settings)
    waiting: list[tuple[int, int, int]] = []
    for n in range(36):
        before = len(market.asked())
        if n < 30 and n not in dropped:
            market.tell(told(n, 10 + n % 7, volume=n))
        market.tell(time(min(30, n + 1)))
        waiting += [(n + late, int(a), int(b)) for _, a, b in market.asked()[before:]]
        for _, first, last in [one for one in waiting if one[0] <= n]:
            for begin in range(first, last, parts[first]):
                end = min(last, begin + parts[first])
                market.tell(answer(begin, end, *(bars[one] for one in range(begin, end))))
        waiting = [one for one in waiting if one[0] > n]
    assert market.finals == clean.finals
