"""Splits and dividends as the desk follows them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.booked import BookedAction
from tandem.domain import link
from tandem.domain.algos import Leaving, MakeMarket, Twap
from tandem.domain.commands import (
    ExitRule,
    LegPolicy,
    PlaceAlgo,
    PlaceBoth,
    PlacePair,
    SetObjectives,
)
from tandem.domain.desk import Alert, QuotesSeen
from tandem.domain.ids import AccountId, ActionId, InstrumentId, Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.reports import Canceled, EndCause
from tandem.domain.venue import Adjusted, Balances, Quote
from tests.unit.core.trading.desk_driver import SECOND, Floor, X, instrument, settings_of
from tests.unit.core.trading.strategy_floor import MINUTE, strategy_floor

T = InstrumentId("T@X")


class Venue:
    """What the exchange has of four accounts, each with a thousand of T and U."""

    def __init__(self, floor: Floor | None = None) -> None:
        self.floor = Floor().open() if floor is None else floor
        self.lots = dict.fromkeys(("A1", "A2", "A3", "A4"), 1_000)
        self.cash = dict.fromkeys(self.lots, Decimal(100_000))
        self.told: dict[str, list[Adjusted]] = {name: [] for name in self.lots}
        self.splits = 0
        self.actions = 0

    def act(self, new: int = 1, old: int = 1, dividend: str = "0") -> None:
        """Split, or pay, at the exchange; nobody is told yet."""
        self.actions += 1
        self.splits += new != old
        for name, held in self.lots.items():
            after = held * new // old
            one = Adjusted(
                action_id=ActionId(f"X-C{self.actions}"),
                instrument_id=T,
                numerator=new,
                denominator=old,
                dividend=Decimal(dividend),
                lots=after - held,
                cash=Decimal(dividend) * held,
                venue_at_ns=0,
            )
            self.lots[name] = after
            self.cash[name] += one.cash
            self.told[name].append(one)

    def balances(self, name: str, query_id: int = 0) -> Balances:
        return Balances(
            query_id=query_id,
            cash={"USD": self.cash[name]},
            positions={T: self.lots[name], InstrumentId("U@X"): 1_000},
            adjusted=tuple(self.told[name]),
            splits={T: self.splits} if self.splits else {},
        )

    def tell(self, *slots: str) -> None:
        """Let the workers of these slots, or all, hear what their accounts hold now."""
        for slot in slots or tuple(self.floor.state.seats):
            self.floor.at(slot).ready(balances=self.balances(f"A{slot[1:]}"))

    def quote(self, price: int, splits: int | None = None) -> None:
        quote = Quote(
            instrument_id=T,
            bid=Ticks(price - 1),
            ask=Ticks(price + 1),
            last=None,
            splits=self.splits if splits is None else splits,
        )
        self.floor.on(QuotesSeen(quotes=(quote,)))

    def position(self, name: str = "A1") -> Any:
        return self.floor.state.positions[AccountId(name)][T]

    def reference(self) -> Any:
        return self.floor.state.exposure.holdings[T].reference


def test_a_split_is_booked_once_and_is_nobody_s_trade() -> None:
    """A29 I6: told with every look at the account, and explained before anything is compared."""
    venue = Venue()
    venue.act(2, 1)
    venue.tell()
    venue.tell()
    floor = venue.floor
    assert floor.state.ledger.lots(AccountId("A1"), T) == 2_000
    assert floor.state.counters["splits_booked"] == 4
    assert not any(seat.external.unexplained for seat in floor.state.seats.values())
    floor.state.ledger.check()
    floor.replay()


def test_an_audit_that_is_the_first_to_tell_of_it_finds_no_difference() -> None:
    """A29 I6: the stream may be silent."""
    venue = Venue()
    venue.act(2, 1)
    floor = venue.floor
    for _ in range(3):
        floor.pass_time(12 * SECOND)
        for slot, seat in floor.state.seats.items():
            balances = venue.balances(seat.account_id)
            asked = seat.audit.query_id
            audited = link.Audited(query_id=asked, cursor=0, balances=balances)
            floor.at(slot).say(link.Answered(account_id=seat.account_id, answer=audited))
    assert floor.state.counters["splits_booked"] == 4
    assert "external_differences" not in floor.state.counters
    assert not any(seat.external.suspected for seat in floor.state.seats.values())


def test_no_gain_or_loss_comes_of_a_split() -> None:
    """A29: prices of the other scale are not used, on either side of it."""
    venue = Venue()
    venue.act(2, 1)
    venue.quote(500)
    assert venue.reference() == 1_000
    venue.tell("s1", "s2")
    assert venue.reference() is None
    venue.quote(500)
    venue.quote(1_000, splits=0)
    assert venue.reference() is None
    venue.tell()
    venue.quote(1_000, splits=0)
    assert venue.reference() is None
    venue.quote(500)
    gains = venue.position().profit_and_loss(instrument("T", X, "m"), Ticks(500))
    assert (gains.realized, gains.unrealized, gains.income) == (0, 0, 0)
    assert venue.floor.state.counters["quotes_of_another_scale"] == 4


def test_an_account_that_has_not_heard_of_a_split_is_asked_soon() -> None:
    venue = Venue()
    venue.floor.pass_time(5 * SECOND)
    venue.act(2, 1)
    venue.quote(500)
    venue.floor.pass_time(SECOND)
    assert len(venue.floor.sent(link.Audit)) >= 1


def test_a_dividend_is_a_gain_of_who_holds_and_no_foreign_money() -> None:
    """A30."""
    venue = Venue()
    venue.act(dividend="0.25")
    venue.tell()
    assert venue.position().income == 250
    assert venue.floor.state.ledger.cash(AccountId("A1"), "USD") == 100_250
    assert venue.floor.state.exposure.realized["USD"] == 1_000
    assert venue.floor.state.counters["dividends_booked"] == 4
    assert venue.reference() == 1_000


def test_what_is_at_work_on_it_ends_and_leaves_what_it_holds_alone() -> None:
    """A29: quantities and prices are of before the split; it is told to a person once."""
    instruments = tuple(instrument(one, X, "m") for one in "TUVWZ")
    venue = Venue(Floor(settings_of(instruments=instruments)).open())
    floor = venue.floor
    both = PlaceBoth(
        symbol="T",
        quantity=Lots(4),
        buy_price=Ticks(990),
        sell_price=Ticks(1_010),
        inventory_limit=Lots(4),
        lifetime_ns=60 * SECOND,
        exit_rule=ExitRule.FLATTEN,
    )
    pair = PlacePair(
        buy_symbol="V",
        sell_symbol="W",
        buy_price=Ticks(1_000),
        sell_price=Ticks(1_000),
        slice_quantity=Lots(2),
        slices=1,
        buy_slots=(SlotId("s1"),),
        sell_slots=(SlotId("s3"),),
    )
    quoting = MakeMarket(
        symbol="T",
        quantity=Lots(4),
        half_spread=Ticks(50),
        skew=0,
        inventory_limit=Lots(4),
        tolerance=Ticks(5),
        refresh_ns=SECOND,
        duration_ns=60 * SECOND,
    )
    twap = Twap(
        symbol="T",
        side=Side.BUY,
        quantity=Lots(8),
        limit_price=Ticks(900),
        duration_ns=60 * SECOND,
        slices=2,
    )
    floor.ask(both)
    floor.ask(msgspec.structs.replace(both, symbol="U"))
    floor.ask(pair)
    floor.ask(
        msgspec.structs.replace(pair, buy_symbol="Z", sell_symbol="T", sell_price=Ticks(1_020))
    )
    floor.ask(PlaceAlgo(spec=quoting))
    floor.ask(PlaceAlgo(spec=twap))
    floor.ask(PlaceAlgo(spec=msgspec.structs.replace(quoting, symbol="U")))
    kept = floor.buy(4, symbol="U", price=900)
    venue.act(2, 1)
    venue.tell("s1")
    told = [one.text for one in floor.effects if isinstance(one, Alert)]
    assert len(told) == 1
    assert told[0].startswith("T was split 2:1: ")
    state = floor.state
    assert [one.spec.exit_rule for one in state.boths.values()] == [
        ExitRule.CANCEL,
        ExitRule.FLATTEN,
    ]
    policies = [one.spec.policy for one in state.pairs.values()]
    assert policies == [LegPolicy.HEDGE, LegPolicy.HALT]
    algos = list(state.algos.values())
    assert [one.phase.value for one in algos] == ["ending", "ending", "working"]
    assert [getattr(one.spec, "leaving", None) for one in algos] == [
        Leaving.KEEP,
        None,
        Leaving.FLATTEN,
    ]
    assert not kept.cancel_wanted
    venue.tell()
    assert not any(isinstance(one, Alert) for one in floor.effects)


def test_what_strategies_hold_is_split_with_their_stops_and_what_they_want_is_given_up() -> None:
    """A29 B20: nobody is stopped out, and nothing is traded, because there are more units."""
    floor = strategy_floor()
    floor.assign()
    floor.assign("b")
    floor.assign("c", symbol="U")
    floor.set(position=1, stop_price=Ticks(900), target_price=Ticks(2_000))
    floor.fill_all()
    assert floor.held() == 10
    venue = Venue(floor)
    venue.lots |= {"A1": 10, "A2": 0}
    venue.act(2, 1)
    venue.tell()
    assert floor.held() == 20
    one = floor.assigned()
    assert (one.stop_price, one.target_price) == (450, 1_000)
    assert floor.assigned("b").stop_price is None
    venue.quote(500)
    floor.pass_time(SECOND)
    assert floor.out() == []


def test_a_position_that_is_said_again_after_a_split_keeps_the_stop_that_was_split() -> None:
    """A29 A13: its strategy named that price before, of units that are halved."""
    floor = strategy_floor()
    floor.assign()
    prices: dict[str, Any] = {"stop_price": 900, "target_price": 2_000}
    floor.set(position=1, **prices)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.fill(attempt, 6)
    venue = Venue(floor)
    venue.lots |= {"A1": 6, "A2": 0}
    venue.act(2, 1)
    venue.tell()
    venue.quote(500)
    floor.pass_time(MINUTE)
    venue.quote(500)
    floor.set(position=1, is_again=True, **prices)
    one = floor.assigned()
    assert (one.stop_price, one.target_price) == (450, 1_000)
    assert floor.counted("strategy_stops_hit") == 0


def test_an_order_that_the_exchange_ended_for_a_split_is_not_sent_again() -> None:
    """A29: also when that comes before the split itself is heard of."""
    venue = Venue()
    parent = venue.floor.buy(4)
    for attempt in venue.floor.attempts(parent):
        venue.floor.accept(attempt)
        key = attempt.order.client_order_id
        ended = Canceled(client_order_id=key, cum_quantity=Lots(0), cause=EndCause.SPLIT)
        venue.floor.teller(attempt).report(ended)
    assert parent.phase.value == "done"
    assert len(parent.attempts) == 4
    assert parent.text == "its instrument was split"


def test_lots_whose_cost_is_not_known_yet_are_split_as_well() -> None:
    """They were held before any price was seen."""
    floor = Floor().open(quoted=("U",))
    venue = Venue(floor)
    venue.act(2, 1)
    venue.tell()
    assert [one.lots for one in floor.state.openings] == [2_000] * 4
    venue.quote(500)
    assert (venue.position().quantity, venue.position().cost) == (2_000, 1_000_000)


def test_what_happened_before_an_account_was_first_opened_is_in_its_balances() -> None:
    floor = Floor()
    venue = Venue(floor)
    venue.act(2, 1)
    floor.balances = lambda account_id: venue.balances(account_id)  # type: ignore[method-assign]
    floor.open()
    assert floor.state.ledger.lots(AccountId("A1"), T) == 2_000
    assert "splits_booked" not in floor.state.counters
    venue.quote(500)
    assert venue.reference() == 500


@pytest.mark.parametrize(
    "changes",
    [
        {"instrument_id": InstrumentId("no")},
        {"lots": 2**60},
        {"numerator": 0},
        {"numerator": 2_000_000},
        {"denominator": 0},
        {"cash": Decimal("NaN")},
        {"dividend": Decimal("1E+40")},
    ],
)
def test_what_cannot_be_is_not_booked_and_shows_as_a_difference(changes: dict[str, Any]) -> None:
    venue = Venue()
    venue.act(2, 1)
    venue.told["A1"] = [msgspec.structs.replace(venue.told["A1"][0], **changes)]
    odd = msgspec.structs.replace(venue.balances("A1"), splits={InstrumentId("no"): 3})
    venue.floor.at("s1").ready(balances=odd)
    assert venue.floor.state.counters["adjustments_garbled"] == 1
    assert venue.floor.state.ledger.lots(AccountId("A1"), T) == 1_000


def test_objectives_that_leave_out_what_was_held_go_on_leaving_it_out() -> None:
    """A28: of 4,000 held at 1,000, three for two."""
    venue = Venue()
    venue.floor.ask(SetObjectives(currency="USD", target_profit=Decimal(500), of_trades=True))
    venue.act(3, 2)
    venue.tell()
    for price in (667, 700):
        venue.quote(price)
        assert venue.floor.state.objectives.phase.value == "watching"


def test_statements_take_it_in_only_where_somebody_keeps_them() -> None:
    venue = Venue()
    venue.floor.desk.booked = []
    venue.act(2, 1)
    venue.tell("s1")
    (one,) = venue.floor.desk.booked
    assert isinstance(one, BookedAction)
    assert (one.account_id, one.instrument_id, one.position) == ("A1", T, 2_000)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("split"), st.integers(1, 4), st.integers(1, 4)),
            st.tuples(st.just("pay"), st.integers(1, 9), st.just(0)),
            st.tuples(st.just("tell"), st.integers(1, 4), st.just(0)),
            st.tuples(st.just("restart"), st.just(0), st.just(0)),
        ),
        max_size=12,
    )
)
def test_once_all_have_heard_the_books_are_the_exchange_s(
    steps: list[tuple[str, int, int]],
) -> None:
    """A29 I5 I6: however the words come."""
    venue = Venue()
    for what, one, other in steps:
        if what == "split" and one != other:
            venue.act(one, other)
        elif what == "pay":
            venue.act(dividend=f"0.0{one}")
        elif what == "tell":
            venue.tell(f"s{one}")
        elif what == "restart":
            venue.floor.restart()
            for hand in venue.floor.all_hands():
                hand.join(ready=True)
    venue.tell()
    ledger = venue.floor.state.ledger
    ledger.check()
    for name, lots in venue.lots.items():
        assert ledger.lots(AccountId(name), T) == lots
        assert ledger.cash(AccountId(name), "USD") == venue.cash[name]
        assert venue.position(name).quantity == lots
        assert venue.position(name).cost + abs(venue.position(name).realized) == 1_000_000
