"""What stands behind prices, in a trader's words."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.showing import show
from tandem.domain.commands import Refused
from tandem.domain.control import AskStatus
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Ticks
from tandem.domain.limits import Limits
from tandem.domain.order import Side
from tandem.domain.venue import Doubt, Quote
from tandem.domain.views import StatusView
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of

SHARE = InstrumentId("T@X")


def look(floor: Floor) -> StatusView:
    view = show(floor.desk, AskStatus(number=1), records=0, now=floor.now)
    assert isinstance(view, StatusView)
    return view


def say(floor: Floor, told_ns: int | None, doubt: Doubt | None = None) -> None:
    quote = Quote(
        instrument_id=SHARE,
        bid=Ticks(999),
        ask=Ticks(1_001),
        last=None,
        told_ns=told_ns,
        messages=7,
        doubt=doubt,
        faults={"locked": 2, "far": 1},
    )
    floor.on(QuotesSeen(quotes=(quote,)))


def test_a_feed_is_shown_with_its_age_and_what_was_not_used_of_it() -> None:
    """A49: each bad quote has a reason that is counted."""
    floor = Floor().open()
    assert look(floor).feeds == ()
    say(floor, floor.now.market_ns - 3 * SECOND)
    (feed,) = look(floor).feeds
    assert (feed.symbol, feed.age_ns, feed.messages) == ("T", 3 * SECOND, 7)
    assert (feed.doubt, feed.too_old) == (None, False)
    assert list(feed.faults.items()) == [("far", 1), ("locked", 2)]
    say(floor, floor.now.market_ns + 9 * SECOND)  # its clock is ahead
    assert look(floor).feeds[0].age_ns == 0


def test_a_frozen_feed_that_repeats_itself_takes_no_new_risk() -> None:
    """F17: stale by the feed's own time, however often it comes."""
    floor = Floor(settings_of(limits=Limits(max_reference_age_ns=5 * SECOND))).open()
    frozen_ns = floor.now.market_ns
    for _ in range(6):
        floor.pass_time(SECOND)
        say(floor, frozen_ns)
    assert look(floor).feeds[0].too_old
    answer = floor.place(Side.BUY, 4, 1_000)
    assert isinstance(answer, Refused)
    assert answer.text == "no_reference_price"
    say(floor, floor.now.market_ns)
    assert floor.attempts(floor.buy(4, 1_000))


def test_prices_in_doubt_take_no_new_risk_until_they_are_believed_again() -> None:
    """A49: a burst, or feeds that do not agree; positions can still be reduced."""
    floor = Floor().open()
    say(floor, floor.now.market_ns, Doubt.BURST)
    status = look(floor)
    assert status.feeds[0].doubt == "burst"
    (note,) = status.notes
    assert note == "T: many more messages come than usual, so no new risk is taken"
    answer = floor.place(Side.BUY, 4, 1_000)
    assert isinstance(answer, Refused)
    assert answer.text == "price_in_doubt"
    say(floor, floor.now.market_ns)
    assert look(floor).notes == ()
    assert floor.attempts(floor.buy(4, 1_000))


@given(st.integers(-(10**18), 10**19), st.sampled_from([None, *Doubt]))
def test_whatever_a_quote_says_it_can_be_shown(told_ns: int, doubt: Doubt | None) -> None:
    floor = Floor().open()
    say(floor, told_ns, doubt)
    view = look(floor)
    assert view.feeds[0].age_ns >= 0
    assert len(view.notes) == (doubt is not None)
    assert msgspec.msgpack.encode(view)
