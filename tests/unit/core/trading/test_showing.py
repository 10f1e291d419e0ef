"""A desk's state in a trader's words; nothing is changed by looking."""

from decimal import Decimal
from typing import TypeVar

import msgspec
import pytest

from tandem.core.trading.showing import LIFE_MAX, ORDERS_MAX, PARTS_MAX, show
from tandem.domain import link
from tandem.domain.commands import (
    CancelOrders,
    ExitRule,
    PlaceBoth,
    PlacePair,
    PlaceParent,
    ResumeTrading,
    Taken,
)
from tandem.domain.control import (
    AskCatalogue,
    AskLife,
    AskOrders,
    AskPositions,
    AskStatus,
    Question,
)
from tandem.domain.ids import AccountId, Lots, SlotId, Ticks
from tandem.domain.order import FenceClass, Side, TimeInForce
from tandem.domain.parents import ParentSpec
from tandem.domain.views import (
    CatalogueView,
    GainsView,
    LifeView,
    OrdersView,
    PositionsView,
    StatusView,
)
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of, two_markets

V = TypeVar("V")


def look(floor: Floor, question: Question, kind: type[V]) -> V:
    before = floor.desk.snapshot()
    view = show(floor.desk, question, records=len(floor.log))
    assert floor.desk.snapshot() == before
    assert isinstance(view, kind)
    assert len(msgspec.msgpack.encode([view])) < link.MESSAGE_BYTES_MAX
    return view


def test_an_order_that_is_lowered_says_so_step_by_step() -> None:
    """A7."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.accept(attempt)
    floor.replace(parent, 6)
    floor.amended(attempt, 6)
    (shown,) = look(floor, AskLife(number=1, order_id=parent.parent_id), LifeView).attempts
    steps = {one.what: one.course for one in shown.hops}
    assert steps["lowering to 6"] == "to_worker"
    assert steps["lowered to 6"] == "from_venue"


def test_an_order_shows_all_its_terms() -> None:
    """A7."""
    floor = Floor().open()
    date_ns = floor.now.market_ns + SECOND
    floor.sell(
        8,
        980,
        stop_price=Ticks(990),
        trail=Ticks(5),
        time_in_force=TimeInForce.GOOD_TILL_DATE,
        good_till_ns=date_ns,
        reduce_only=True,
    )
    (view,) = look(floor, AskOrders(number=1), OrdersView).parents
    assert (view.limit_price, view.stop_price, view.trail) == ("9.80", "9.90", "0.05")
    assert (view.good_till_ns, view.reduce_only) == (date_ns, True)


def test_the_status_shows_every_seat_and_worker() -> None:
    """A4's half here: a row with slot, account, worker and process."""
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER)).open()
    floor.spare()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.timed_out(attempt)
    floor.at("s2").die()
    floor.at("s3").lose()
    view = look(floor, AskStatus(number=1), StatusView)
    assert (view.pool, view.trading, view.coordinator_epoch) == ("trading", "active", 1)
    assert view.records == len(floor.log)
    assert [(one.slot_id, one.worker, one.ready) for one in view.slots] == [
        ("s1", "w1", True),
        ("s2", "spare", False),
        ("s3", "w3", False),
        ("s4", "w4", True),
    ]
    assert view.slots[0].open_orders == 1
    assert (view.unknown, view.for_person) == (1, ("d-1-1-1",))
    assert [one.name for one in view.workers] == ["w1", "w3", "w4", "spare"]
    assert (view.parents_open, view.parents_done) == (1, 0)
    assert view.counters["takeovers"] == 1
    floor.all_hands()[4].die()
    assert look(floor, AskStatus(number=1), StatusView).slots[1].worker is None


def test_an_order_shows_its_children_fills_average_price_and_skew() -> None:
    """A10: one parent, one P&L."""
    floor = Floor().open()
    parent = floor.buy(4, slots=("s1", "s2"))
    first, second = floor.attempts(parent)
    floor.fill(first, 2)
    floor.now_ns += 1_500
    floor.fill(second, 1)
    (view,) = look(floor, AskOrders(number=1), OrdersView).parents
    assert (view.quantity, view.filled, view.limit_price) == ("4", "3", "10.00")
    assert (view.average_price, view.value, view.fees) == (
        Decimal(10),
        Decimal(30),
        Decimal("0.02"),
    )
    assert (view.children, view.fills, view.skew_ns) == (2, 2, 1_500)
    assert (view.phase, view.outcome) == ("working", None)
    floor.fill(second, 1, execution="last")
    (view,) = look(floor, AskOrders(number=1), OrdersView).parents
    assert (view.phase, view.outcome) == ("done", "filled")


def test_a_market_order_without_a_fill_has_neither_price() -> None:
    floor = Floor().open()
    floor.buy(1, None, slots=("s1",))
    (view,) = look(floor, AskOrders(number=1), OrdersView).parents
    assert (view.limit_price, view.average_price, view.skew_ns) == (None, None, None)


def test_orders_are_the_latest_or_those_asked_for() -> None:
    floor = Floor().open()
    for _ in range(3):
        floor.buy(1)
    assert [
        one.parent_id for one in look(floor, AskOrders(number=1, limit=2), OrdersView).parents
    ] == [
        "d-2",
        "d-3",
    ]
    asked = AskOrders(number=1, ids=("d-1", "d-9"))
    assert [one.parent_id for one in look(floor, asked, OrdersView).parents] == ["d-1"]


@pytest.mark.parametrize("limit", [0, -5, 10**9])
def test_any_number_of_orders_may_be_asked_for_and_so_many_are_told(limit: int) -> None:
    """A39: an answer fits into one message."""
    floor = Floor(is_checked=False).open()
    for _ in range(ORDERS_MAX + 10):
        floor.buy(1, slots=("s1",))
    found = look(floor, AskOrders(number=1, limit=limit), OrdersView).parents
    assert len(found) == (ORDERS_MAX if limit > 0 else 0)
    everything = AskOrders(number=1, ids=tuple(floor.state.parents))
    assert len(look(floor, everything, OrdersView).parents) == ORDERS_MAX


def both_of(floor: Floor, **rest: object) -> None:
    fields: dict[str, object] = {
        "symbol": "T",
        "quantity": Lots(10),
        "buy_price": Ticks(999),
        "sell_price": Ticks(1_001),
        "inventory_limit": Lots(10),
        "lifetime_ns": SECOND,
        "exit_rule": ExitRule.CANCEL,
    }
    floor.command(PlaceBoth(**(fields | rest)))  # type: ignore[arg-type]


def test_a_quote_shows_both_sides_as_one() -> None:
    """As one object."""
    floor = Floor().open()
    both_of(floor)
    floor.fill(floor.attempts()[0], 3)
    (view,) = look(floor, AskOrders(number=1), OrdersView).both
    assert (view.kind, view.bought, view.sold, view.difference) == ("both", "3", "0", 3)
    assert view.parts == ("d-2", "d-3")
    assert [one.owner for one in look(floor, AskOrders(number=1), OrdersView).parents] == [
        "d-1",
        "d-1",
    ]
    floor.fill(floor.attempts()[2], 2)
    (view,) = look(floor, AskOrders(number=1, ids=("d-1",)), OrdersView).both
    assert view.sold == "2"
    assert view.gains == GainsView(
        inventory="1",
        skew_percent=10,
        realized=Decimal("0.04"),
        unrealized=Decimal("0.01"),
        fees=Decimal("0.02"),
    )


def test_a_quote_with_very_many_parts_shows_the_latest() -> None:
    """A39; what is forgotten of it is counted nevertheless."""
    floor = Floor(settings_of(finished_max=3), is_checked=False).open()
    both_of(
        floor,
        slots=(SlotId("s1"),),
        quantity=Lots(1),
        inventory_limit=Lots(1),
        refreshes=2 * PARTS_MAX,
    )
    for _ in range(2 * PARTS_MAX):
        for attempt in floor.attempts():
            if not attempt.is_final:
                floor.fill(attempt, 1)
    (view,) = look(floor, AskOrders(number=1), OrdersView).both
    assert len(view.parts) == PARTS_MAX
    assert int(view.bought) + int(view.sold) == 2 + 2 * PARTS_MAX
    assert len(look(floor, AskLife(number=1, order_id="d-1"), LifeView).parents) <= 5


def pair_of(quantity: int) -> Floor:
    """Return a desk that trades a pair of one slice, both its legs at 1000."""
    floor = Floor(two_markets()).open()
    pair = PlacePair(
        buy_symbol="T",
        sell_symbol="T",
        buy_price=Ticks(1_000),
        sell_price=Ticks(1_000),
        slice_quantity=Lots(quantity),
        slices=1,
        buy_slots=(SlotId("x1"),),
        sell_slots=(SlotId("y1"),),
    )
    floor.command(pair)
    return floor


def test_a_pair_shows_both_legs_as_one() -> None:
    """A11."""
    floor = pair_of(2)
    for attempt in floor.attempts():
        floor.fill(attempt, 2)
    (view,) = look(floor, AskOrders(number=1), OrdersView).both
    assert (view.kind, view.phase, view.bought, view.difference) == ("pair", "done", "2", 0)
    assert view.gains is not None
    assert (view.gains.realized, view.gains.fees) == (Decimal(0), Decimal("0.02"))
    life = look(floor, AskLife(number=1, order_id="d-1"), LifeView)
    assert [one.parent_id for one in life.parents] == ["d-2", "d-3"]


def test_a_pair_that_is_uneven_shows_what_it_holds_and_on_which_market() -> None:
    """C3."""
    for leg, inventory in ((0, "2"), (1, "-2")):
        floor = pair_of(4)
        floor.fill(floor.attempts()[leg], 2)
        (view,) = look(floor, AskOrders(number=1), OrdersView).both
        assert view.gains is not None
        assert (view.gains.inventory, view.gains.unrealized) == (inventory, Decimal(0))
        assert abs(view.gains.skew_percent or 0) == 50


def test_the_life_of_an_order_is_told_hop_by_hop() -> None:
    """A36."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.now_ns += 5
    floor.fill(attempt, 1)
    life = look(floor, AskLife(number=1, order_id="d-1"), LifeView)
    (told,) = life.attempts
    assert [(one.what, one.at_ns - floor.now_ns) for one in told.hops] == [
        ("planned", -5),
        ("released", -5),
        ("filled 1", 0),
        ("final: filled", 0),
        ("sent by its worker", 0),
    ]
    assert (told.account_id, told.sends, told.ending, told.filled) == ("A1", 1, "filled", "1")
    assert look(floor, AskLife(number=1, order_id="d-1-1-1"), LifeView) == life
    assert look(floor, AskLife(number=1, order_id="?"), LifeView) == LifeView(
        parents=(), attempts=()
    )


def test_every_step_says_where_it_went_and_how_long_after_the_command() -> None:
    """A36 C13: one trace from the command to the fill."""
    floor = Floor(settings_of(fence_class=FenceClass.UNIQUE)).open()
    floor.at("s1").not_ready()
    answer = floor.ask(
        PlaceParent(
            spec=ParentSpec(
                symbol="T",
                side=Side.BUY,
                quantity=Lots(9),
                limit_price=Ticks(1_000),
                slots=(SlotId("s1"),),
            )
        ),
        "my-command",
    )
    assert isinstance(answer, Taken)
    floor.now_ns += 3
    floor.at("s1").ready()
    (attempt,) = floor.attempts()
    floor.now_ns += 4
    floor.timed_out(attempt)
    floor.now_ns += 5
    floor.fill(attempt, 9)
    life = look(floor, AskLife(number=1, order_id="my-command"), LifeView)
    assert life == look(floor, AskLife(number=1, order_id="d-1"), LifeView)
    (told,) = life.attempts
    assert [(one.since_command_ns, one.what, one.course.value) for one in told.hops] == [
        (0, "planned", "coordinator"),
        (3, "released", "to_worker"),
        (7, "unknown: time-out", "from_worker"),
        (7, "sent by its worker", "to_venue"),
        (12, "filled 9", "from_venue"),
        (12, "final: filled", "coordinator"),
    ]
    assert (told.parent_id, told.command_id, told.workers) == ("d-1", "my-command", ("w1",))
    assert (life.parents[0].command_id, life.parents[0].ended_ns) == ("my-command", floor.now_ns)
    assert life.parents[0].began_ns == floor.now_ns - 12
    floor.at("s1").die()
    life = look(floor, AskLife(number=1, order_id="my-command"), LifeView)
    assert life.attempts[0].workers == ("i-w1",)


def test_a_command_that_was_refused_is_found_with_its_reason() -> None:
    """C13: also when it became no order, a trace leads somewhere."""
    floor = Floor().open()
    spec = ParentSpec(symbol="NO", side=Side.BUY, quantity=Lots(9), limit_price=None)
    floor.command(PlaceParent(spec=spec), "odd")
    life = look(floor, AskLife(number=1, order_id="odd"), LifeView)
    assert life == LifeView(parents=(), attempts=(), refused="unknown_symbol: no venue lists NO")
    floor.command(ResumeTrading(), "other")
    life = look(floor, AskLife(number=1, order_id="other"), LifeView)
    assert life == LifeView(parents=(), attempts=())
    floor.command(CancelOrders(order_id=None), "all")
    assert look(floor, AskLife(number=1, order_id="all"), LifeView).refused == ""


def test_the_status_shows_what_is_being_left_leases_and_how_long_things_took() -> None:
    """C13."""
    floor = Floor(settings_of(fence_class=FenceClass.UNIQUE, slots=2)).open(elsewhere=True)
    (attempt,) = floor.attempts(floor.buy(1, slots=("s2",)))
    floor.fill(attempt, 1)
    floor.at("s1").silent()
    leases = {(AccountId("A1"), 1): 0, (AccountId("A1"), 2): 7, (AccountId("A2"), 1): 5}
    view = show(floor.desk, AskStatus(number=1), records=1, leases=leases)
    assert isinstance(view, StatusView)
    assert [(one.leaving, one.lease_left_ns) for one in view.slots] == [(True, 0), (False, 5)]
    floor.spare("spare", "machine")
    floor.lapse("s1")
    later = show(floor.desk, AskStatus(number=1), records=1, leases=leases)
    assert isinstance(later, StatusView)
    assert [(one.leaving, one.lease_left_ns) for one in later.slots] == [(False, 7), (False, 5)]
    assert view.orders == 1
    took = {one.what: sum(one.counts) for one in view.latencies}
    assert took == {
        "begun_released": 1,
        "released_sent": 1,
        "released_accepted": 0,
        "released_filled": 1,
        "taken_over": 0,
        "unknown_known": 0,
    }
    for one in view.latencies:
        assert len(one.counts) == len(one.bounds_ns) + 1


def test_a_very_long_life_is_told_from_its_end() -> None:
    """A39."""
    floor = Floor(settings_of(slots=8), is_checked=False).open()
    parent = floor.buy(800)
    for _ in range(LIFE_MAX):
        for attempt in floor.attempts(parent):
            if not attempt.is_final:
                floor.not_sent(attempt)
                break
    life = look(floor, AskLife(number=1, order_id="d-1"), LifeView)
    assert len(life.attempts) == LIFE_MAX


def test_positions_are_valued_at_the_market_and_cash_is_exact() -> None:
    """A30 I6."""
    floor = Floor().open(quoted=("T",))
    (attempt,) = floor.attempts(floor.sell(1_000, 1_010, slots=("s1",)))
    floor.fill(attempt, 1_000)
    floor.quote(1_020, "T")
    view = look(floor, AskPositions(number=1), PositionsView)
    first, second = view.positions[:2]
    assert (first.account_id, first.quantity, first.average_cost) == ("A1", "0", None)
    assert (first.realized, first.fees) == (Decimal("100.00"), Decimal("0.01"))
    assert (second.quantity, second.average_cost, second.unrealized) == (
        "1000",
        Decimal("1E+1"),
        Decimal("200.00"),
    )
    assert view.cash[0].amount == Decimal("110099.99")
    assert view.balanced


def test_a_position_without_a_price_is_not_valued() -> None:
    floor = Floor().open()
    floor.state.positions["A1"]["T@X"].quantity = 1_000
    floor.state.exposure.holdings["T@X"].reference = None
    floor.look_away()
    view = look(floor, AskPositions(number=1), PositionsView)
    assert view.positions[0].unrealized is None


def test_the_catalogue_names_what_trades_where() -> None:
    floor = Floor().open()
    view = look(floor, AskCatalogue(number=1), CatalogueView)
    assert [one.symbol for one in view.instruments] == ["T", "U"]
    assert view.slots == ("s1", "s2", "s3", "s4")
    assert view.venues["s1"] == "X"  # type: ignore[index]
