"""Stops that the desk holds."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos import stop
from tandem.core.trading.algos.memos import StopMemo
from tandem.core.trading.algos.sight import PartSeen, Sight, Step
from tandem.core.trading.algos.watching import DOUBT_NS
from tandem.core.trading.state import Algo, AlgoPhase
from tandem.domain.algos import Stop, Trigger
from tandem.domain.commands import PauseOrder, PlaceAlgo, ResumeOrder, Taken
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Lots, ParentId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.venue import Quote
from tests.unit.core.trading.algos.test_driver import fill_all, out, phase
from tests.unit.core.trading.algos.test_sight import sight
from tests.unit.core.trading.desk_driver import SECOND, Floor


def spec(**changes: Any) -> Stop:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.SELL,
        "quantity": Lots(10),
        "stop_price": Ticks(950),
    }
    return Stop(**(fields | changes))


def look(one: Stop, memo: StopMemo, last: int, **changes: Any) -> Step:
    return stop.step(one, memo, sight(last=last, bid=None, **changes))


def memo(stop_price: int | None = 950) -> StopMemo:
    return StopMemo(stop_price=None if stop_price is None else Ticks(stop_price))


def test_a_stop_that_cannot_be_is_refused_in_words() -> None:
    for changes, word in (
        ({"stop_price": None}, "trail"),
        ({"stop_price": Ticks(0)}, "stop price"),
        ({"trail": Ticks(0)}, "trail"),
    ):
        text = stop.objection(spec(**changes))
        assert text is not None
        assert word in text
    assert stop.objection(spec(trail=Ticks(5))) is None
    assert stop.objection(spec(stop_price=None, trail=Ticks(5))) is None


def test_nothing_is_placed_before_the_stop_is_reached() -> None:
    assert look(spec(), memo(), 951) == Step()
    assert not look(spec(side=Side.BUY), memo(), 949).place


def test_a_stop_goes_out_at_the_market_and_with_a_limit_it_rests() -> None:
    (market,) = look(spec(), memo(), 950).place
    assert (market.quantity, market.limit_price) == (10, None)
    assert market.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert market.cancels_own
    assert market.is_exit
    (limit,) = look(spec(limit_price=Ticks(940)), memo(), 950).place
    assert limit.limit_price == 940
    assert limit.time_in_force is TimeInForce.GOOD_TILL_CANCEL
    assert not limit.cancels_own


def test_a_gap_through_the_stop_fires_it() -> None:
    assert look(spec(), memo(), 600).place
    (bought,) = look(spec(side=Side.BUY), memo(), 1_400).place
    assert (bought.side, bought.is_exit) == (Side.BUY, False)


def test_a_bad_print_does_not_fire_and_is_looked_at_again() -> None:
    """A49."""
    held = memo()
    look(spec(), held, 1_000)
    doubted = look(spec(), held, 600, collar_ppm=100_000)
    assert not doubted.place
    assert doubted.wake_market_ns == DOUBT_NS
    assert look(spec(), held, 600, collar_ppm=100_000, market_ns=DOUBT_NS).place


def test_once_reached_it_stays_so_whatever_the_market_does() -> None:
    held = memo()
    look(spec(), held, 950)
    later = look(spec(), held, 2_000, sold=4, market_ns=1)
    assert [one.quantity for one in later.place] == [6]


def test_what_did_not_trade_is_sent_again_once_nothing_is_out() -> None:
    held = memo()
    look(spec(), held, 950)
    part = PartSeen("stop", ParentId("d-2"), Side.SELL, 10, None, 0, is_ending=False)
    assert look(spec(), held, 950, parts=(part,), open_sells=10) == Step()
    assert look(spec(), held, 950).place


def test_it_is_over_when_all_has_traded_or_a_person_ends_it() -> None:
    assert look(spec(), memo(), 950, sold=10).is_over
    assert look(spec(), memo(), 950, is_ending=True).is_over


def test_a_trailing_stop_follows_and_never_turns_back() -> None:
    one, held = spec(trail=Ticks(20)), memo()
    for price, stands in ((960, 950), (1_000, 980), (985, 980), (1_010, 990), (991, 990)):
        assert not look(one, held, price).place
        assert held.stop_price == stands
    assert look(one, held, 990).place


def test_a_trailing_buy_stop_comes_down_with_the_market() -> None:
    one, held = spec(side=Side.BUY, stop_price=None, trail=Ticks(20)), memo(None)
    for price, stands in ((1_000, 1_020), (980, 1_000), (999, 1_000)):
        assert not look(one, held, price).place
        assert held.stop_price == stands
    assert look(one, held, 1_000).place


def test_a_trail_begins_at_the_first_price_and_stays_above_nothing() -> None:
    held = memo(None)
    look(spec(stop_price=None, trail=Ticks(20)), held, 15)
    assert held.stop_price == 1


@given(
    st.sampled_from(Side),
    st.lists(st.integers(1, 2_000), min_size=1),
    st.integers(1, 300),
)
def test_a_trailing_stop_only_ever_moves_towards_the_market(
    side: Side, prices: list[int], trail: int
) -> None:
    one, held = spec(side=side, stop_price=None, trail=Ticks(trail)), memo(None)
    before: int | None = None
    for at, price in enumerate(prices):
        step = stop.step(one, held, _at(price, at * DOUBT_NS))
        if before is not None and held.stop_price is not None:
            assert side.sign * (before - held.stop_price) >= 0
        before = held.stop_price
        if step.place:
            assert side.sign * (price - (before or 0)) >= 0
            return


def _at(price: int, market_ns: int) -> Sight:
    return sight(last=Ticks(price), bid=None, market_ns=market_ns, collar_ppm=50_000)


def begin(floor: Floor, **changes: Any) -> Algo:
    answer = floor.ask(PlaceAlgo(spec=spec(**changes)))
    assert isinstance(answer, Taken), answer
    found = floor.state.algos[answer.order_id]
    assert isinstance(found, Algo)
    return found


def trade_at(floor: Floor, price: int) -> None:
    """Show the desk a market around that price, which is the last one too."""
    quote = Quote(
        instrument_id=InstrumentId("T@X"),
        bid=Ticks(price - 1),
        ask=Ticks(price + 1),
        last=Ticks(price),
    )
    floor.on(QuotesSeen(quotes=(quote,)))


def test_the_desk_holds_a_stop_and_sends_it_when_the_market_gets_there() -> None:
    """A11."""
    floor = Floor().open()
    algo = begin(floor)
    trade_at(floor, 951)
    assert not algo.parts
    trade_at(floor, 949)
    for one in out(floor, algo):
        floor.expired(one, 0)
    assert phase(algo) is AlgoPhase.WORKING
    floor.pass_time(SECOND)
    assert fill_all(floor, algo) == 10
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (0, 10)


def test_a_stop_by_quote_is_reached_by_what_it_would_trade_at() -> None:
    floor = Floor().open()
    algo = begin(floor, trigger=Trigger.QUOTE)
    trade_at(floor, 952)
    assert not algo.parts
    trade_at(floor, 951)
    assert algo.parts


def test_a_trailing_stop_stands_where_it_was_after_a_pause_and_a_restart() -> None:
    floor = Floor().open()
    algo = begin(floor, stop_price=None, trail=Ticks(20))
    trade_at(floor, 1_000)
    floor.ask(PauseOrder(order_id=algo.algo_id))
    trade_at(floor, 970)
    assert not algo.parts
    trade_at(floor, 990)
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
    floor.ask(ResumeOrder(order_id=algo.algo_id))
    trade_at(floor, 981)
    assert not algo.parts
    trade_at(floor, 980)
    assert out(floor, algo)


def test_own_resting_orders_do_not_keep_a_stop_from_the_market() -> None:
    """C1: they are canceled first, and only then it goes."""
    floor = Floor().open()
    resting = floor.buy(8, 940)
    for one in floor.attempts(resting):
        floor.accept(one)
    algo = begin(floor)
    trade_at(floor, 949)
    assert not out(floor, algo)
    for one in floor.attempts(resting):
        floor.canceled(one, 0)
    assert fill_all(floor, algo) == 10
