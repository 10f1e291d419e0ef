"""One account's own limits, as the desk judges them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import account_gate
from tandem.core.trading.external_book import ExternalOrder
from tandem.core.trading.risk import Exposure
from tandem.core.trading.state import Seat
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import ClientOrderId, InstrumentId, Ticks
from tandem.domain.order import Side
from tandem.domain.venue import Doubt, Quote
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of

T = InstrumentId("T@X")


def seat_of(floor: Floor, slot: str = "s2") -> Seat:
    found = floor.state.seats[slot]
    assert isinstance(found, Seat)
    return found


def exposure(floor: Floor) -> Exposure:
    return account_gate.exposure_of(floor.state, floor.desk.rules, seat_of(floor))


def test_an_account_s_exposure_is_what_it_holds_and_has_out() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, 1_000, slots=("s2",)))
    floor.sell(4, 1_001, slots=("s2",))
    floor.fill(attempt, 3)
    made = exposure(floor)
    holding = made.holdings[T]
    assert (holding.position, holding.open_buys, holding.open_sells) == (1_003, 7, 4)
    assert (holding.reference, made.open_orders) == (1_000, 2)
    assert made.realized == {"USD": Decimal("-0.01")}


def test_an_ended_order_that_is_still_looked_for_is_not_out() -> None:
    floor = Floor().open()
    parent = floor.buy(10, 1_000, slots=("s2",))
    (attempt,) = floor.attempts(parent)
    floor.cancel(parent.parent_id)
    floor.canceled(attempt, 3)
    assert attempt.missing == 3
    assert exposure(floor).open_orders == 0


def test_an_account_that_was_never_opened_has_nothing() -> None:
    floor = Floor()
    assert exposure(floor).holdings == {}


def test_an_account_s_own_gate_knows_that_prices_are_in_doubt() -> None:
    """A49: as the desk's does, and its worker's."""
    floor = Floor().open()
    doubt = Doubt.FEEDS_APART
    quote = Quote(instrument_id=T, bid=Ticks(999), ask=Ticks(1_001), last=None, doubt=doubt)
    floor.on(QuotesSeen(quotes=(quote,)))
    assert exposure(floor).holdings[T].doubt is doubt
    floor.quote(1_000)
    assert exposure(floor).holdings[T].doubt is None


def test_a_limit_of_one_account_refuses_what_the_desk_allows() -> None:
    """A28 I10: per account; the refusal names it."""
    floor = Floor().open()
    floor.limit(account="A2", max_position_notional=Decimal(10_100))
    assert floor.refusal(floor.place(Side.BUY, 44)).text == "position of A2"
    floor.buy(40)
    assert floor.refusal(floor.place(Side.BUY, 1, slots=("s2",))).text == "position of A2"
    floor.buy(1, slots=("s1",))


def test_what_a_failed_share_left_goes_to_an_account_that_may_take_it() -> None:
    """A28 C4."""
    floor = Floor().open()
    floor.limit(account="A2", max_notional=Decimal(150))
    parent = floor.buy(40)
    first = floor.attempts(parent)[0]
    floor.not_sent(first)
    floor.at("s1").not_ready()
    floor.pass_time(SECOND)
    again = [one for one in floor.attempts(parent) if one.number == 1 and one.child > 3]
    assert {one.slot_id for one in again} <= {"s3", "s4"}


def test_what_others_do_there_counts() -> None:
    """F24: an external order may trade."""
    floor = Floor().open()
    seat = seat_of(floor)
    seat.external.orders[ClientOrderId("x")] = ExternalOrder(T, Side.BUY, None, 50, 1_000, 1)
    floor.look_away()
    assert exposure(floor).holdings[T].open_buys == 50


def test_an_instrument_without_a_price_is_refused_there_as_well() -> None:
    floor = Floor().open(quoted=("T",))
    floor.limit(account="A2", max_open_orders=5)
    assert exposure(floor).unvalued == {InstrumentId("U@X"): "USD"}
    refused = floor.refusal(floor.place(Side.BUY, 1, slots=("s2",)))
    assert refused.text == "no_reference_price"


def test_the_day_s_result_of_an_account_begins_anew_with_the_day() -> None:
    floor = Floor().open()
    (one,) = floor.attempts(floor.sell(1, 1_000, slots=("s2",)))
    floor.fill(one, 1)
    assert seat_of(floor).realized == {"USD": Decimal("-0.01")}
    floor.now_ns += 86_400 * SECOND
    floor.quote()
    (two,) = floor.attempts(floor.sell(1, 1_000, slots=("s2",)))
    floor.fill(two, 1)
    assert seat_of(floor).realized == {"USD": Decimal("-0.01")}


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 30), st.integers(0, 30)),
        min_size=1,
        max_size=6,
    )
)
def test_what_the_accounts_hold_and_have_out_is_what_the_desk_does(
    orders: list[tuple[Side, int, int]],
) -> None:
    """I10: made anew, the exposures of all accounts sum to the desk's running one."""
    floor = Floor(settings_of(slots=2)).open()
    for side, quantity, traded in orders:
        price = 1_000 - 10 if side is Side.BUY else 1_000 + 10
        parent = floor.parent_of(floor.place(side, quantity, price))
        for attempt in floor.attempts(parent):
            if traded and attempt.order.quantity >= traded:
                floor.fill(attempt, traded)
    made = [
        account_gate.exposure_of(floor.state, floor.desk.rules, one)
        for one in floor.state.seats.values()
    ]
    whole = floor.state.exposure.holdings[T]
    assert sum(one.holdings[T].position for one in made) == whole.position
    assert sum(one.holdings[T].open_buys for one in made) == whole.open_buys
    assert sum(one.holdings[T].open_sells for one in made) == whole.open_sells
    assert sum(one.open_orders for one in made) == floor.state.exposure.open_orders
