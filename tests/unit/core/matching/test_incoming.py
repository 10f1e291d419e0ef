"""A replayed market, judged before it is shown; A49 and F17."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.incoming import usable
from tandem.core.matching.state import opening
from tandem.domain.exchange import (
    BestShown,
    MarketEvent,
    MarketEvents,
    PublicTrade,
    Restarted,
    Stamp,
    TradingHalted,
)
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.venue import Doubt
from tests.unit.core.matching.paper import COIN, NOON_NS, SHARE, Paper, quoted, settings

SECOND = 1_000_000_000


def best(bid: int, ask: int, instrument_id: InstrumentId = SHARE) -> BestShown:
    return BestShown(
        instrument_id=instrument_id, bid=(Ticks(bid), Lots(5)), ask=(Ticks(ask), Lots(5))
    )


def said(
    *events: MarketEvent, at_ns: int, told_ns: int | None = None, is_second: bool = False
) -> MarketEvents:
    stamp = Stamp(at_ns=at_ns, told_ns=told_ns, is_second=is_second)
    return MarketEvents(events=events, stamps=(stamp,) * len(events))


def test_what_cannot_be_true_is_kept_out_of_the_books_and_counted() -> None:
    """A49, F17: a crossed quote, a price of nothing, a wild one."""
    paper = Paper()
    for number in range(5):
        paper.on(said(best(999, 1_001 + number), at_ns=NOON_NS + number))
    before = paper.book()
    for event in (best(1_002, 1_000), best(0, 5), best(5, 6), best(99_999, 100_000)):
        paper.on(said(event, at_ns=NOON_NS + SECOND))
    assert paper.book() == before
    watch = paper.exchange.state.feeds[SHARE]
    assert watch.filter.faults == {"crossed": 1, "price": 1, "far": 2}
    assert watch.messages == 9


def test_a_repeat_brings_back_what_was_taken_but_makes_nothing_fresher() -> None:
    """F17: a frozen feed repeats itself; its quotes go on being as old as they are."""
    paper = Paper()
    paper.on(said(best(999, 1_001), at_ns=NOON_NS, told_ns=NOON_NS - SECOND))
    (quotes,) = quoted(paper.wait(SECOND), 1)
    (first,) = quotes.quotes
    assert (first.bid, first.told_ns, first.messages) == (999, NOON_NS - SECOND, 1)
    paper.on(said(best(999, 1_001), at_ns=NOON_NS + 9 * SECOND, told_ns=NOON_NS - SECOND))
    (quotes,) = quoted(paper.wait(SECOND), 1)
    (second,) = quotes.quotes
    assert (second.told_ns, second.messages) == (NOON_NS - SECOND, 2)
    assert second.faults == {"repeated": 1}
    state = opening(settings())
    event = said(best(1, 2), at_ns=1, told_ns=1)
    assert [list(usable(state, event)) for _ in range(2)] == [[best(1, 2)]] * 2


def test_a_second_feed_is_only_compared_and_its_doubt_is_told_with_the_quote() -> None:
    """A49: two feeds of one instrument."""
    paper = Paper()
    paper.on(said(best(999, 1_001), at_ns=NOON_NS))
    book = paper.book()
    paper.on(said(best(1_099, 1_101), at_ns=NOON_NS, is_second=True))
    paper.wait(4 * SECOND)
    paper.on(said(best(1_099, 1_102), at_ns=NOON_NS + 4 * SECOND, is_second=True))
    (quotes,) = quoted(paper.wait(SECOND), 1)
    assert [one.doubt for one in quotes.quotes] == [Doubt.FEEDS_APART]
    assert paper.book() == book
    paper.on(said(best(1_099, 1_101), at_ns=NOON_NS + 5 * SECOND))
    (quotes,) = quoted(paper.wait(SECOND), 1)
    assert [one.doubt for one in quotes.quotes] == [None]


def test_a_gap_of_the_feed_is_told_with_the_quote() -> None:
    """F17."""
    paper = Paper()
    stamp = Stamp(at_ns=NOON_NS, is_after_gap=True)
    paper.on(MarketEvents(events=(best(999, 1_001),), stamps=(stamp,)))
    (quotes,) = quoted(paper.wait(SECOND), 1)
    assert [one.doubt for one in quotes.quotes] == [Doubt.GAP]


def test_a_replay_that_begins_again_is_not_older_than_the_run_before() -> None:
    paper = Paper()
    paper.on(said(best(999, 1_001), at_ns=NOON_NS + 9 * SECOND, told_ns=NOON_NS + 9 * SECOND))
    paper.on(Restarted())
    paper.on(said(best(899, 901), at_ns=NOON_NS, told_ns=NOON_NS))
    watch = paper.exchange.state.feeds[SHARE]
    assert (watch.filter.faults, watch.fresh_ns) == ({}, NOON_NS)


def test_without_stamps_everything_is_taken_as_it_is() -> None:
    state = opening(settings())
    wrong = (best(5, 4), best(5, 4))
    assert tuple(usable(state, MarketEvents(events=wrong))) == wrong
    assert state.feeds == {}


def test_what_is_not_listed_is_passed_on_to_be_counted() -> None:
    state = opening(settings())
    unknown = best(1, 2, InstrumentId("paper:NONE"))
    assert list(usable(state, said(unknown, at_ns=1))) == [unknown]
    assert state.feeds == {}


def test_a_halt_is_no_news_of_a_feed() -> None:
    state = opening(settings())
    halted = TradingHalted(instrument_id=SHARE)
    stamp = Stamp(at_ns=1)
    assert list(usable(state, MarketEvents(events=(halted,), stamps=(stamp,)))) == [halted]
    assert state.feeds == {}


def test_a_snapshot_keeps_what_the_feeds_said() -> None:
    """I11."""
    paper = Paper()
    paper.on(said(best(999, 1_001), at_ns=NOON_NS))
    paper.on(said(best(999, 1_001, COIN), at_ns=NOON_NS, is_second=True))
    twin = type(paper.exchange).restore(paper.exchange.snapshot())
    assert twin.state.feeds == paper.exchange.state.feeds
    assert twin.snapshot() == paper.exchange.snapshot()


@given(st.lists(st.tuples(st.integers(-3, 20), st.integers(-3, 20), st.booleans(), st.booleans())))
def test_only_what_the_first_feed_says_and_can_be_is_shown(
    quotes: list[tuple[int, int, bool, bool]],
) -> None:
    state = opening(settings())
    for number, (bid, ask, is_second, is_trade) in enumerate(quotes):
        event: MarketEvent = best(bid, ask)
        if is_trade:
            event = PublicTrade(
                instrument_id=SHARE, price=Ticks(bid), quantity=Lots(ask), taker=None
            )
        shown = list(usable(state, said(event, at_ns=number, is_second=is_second)))
        assert shown in ([], [event])
        if shown:
            assert not is_second
            assert (bid > 0 < ask) if is_trade else 0 < bid < ask
