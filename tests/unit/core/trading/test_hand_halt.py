"""A worker that is halted by hand: what it asks the venue until nothing is open."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.hand_halt import (
    CANCEL_AGAIN_NS,
    LIST_AGAIN_NS,
    LOOK_AGAIN_NS,
    HandHalt,
    Request,
)
from tandem.core.trading.sent_orders import SentOrders
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import ClientOrderId, DeskId, HaltId, InstrumentId, Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.limits import Limits
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.venue import CancelOrder, ListOpenOrders, OpenOrder, OpenOrders
from tests.unit.core.trading.desk_driver import X, instrument

LAG_NS = 50 * MS
BEGIN_NS = 1_000 * SECOND
DESK = DeskId("d1")
H = HaltId("h")


def order(key: str) -> Order:
    return Order(
        client_order_id=ClientOrderId(key),
        instrument_id=InstrumentId("T@X"),
        side=Side.BUY,
        quantity=Lots(1),
        limit_price=Ticks(1),
        time_in_force=TimeInForce.DAY,
    )


class Stage:
    """A halt, the orders sent before it, and a venue that is asked."""

    def __init__(self, *sent: str) -> None:
        self.now_ns = BEGIN_NS
        self.sent = SentOrders()
        self.sent.track((instrument("T", X, "m"),))
        for key in sent:
            known = self.sent.take(order(key))
            known.answered = True
            self.sent.on_sent(known, Limits(), Instant(self.now_ns, 0))
        self.halt = HandHalt()
        self.requests: list[Request] = []

    def stop(self, halt_id: HaltId = H) -> bool:
        return self.halt.halt(halt_id, self.now_ns)

    def sweep(self, after_ns: int = 0) -> None:
        self.now_ns += after_ns
        self.requests = self.halt.sweep(self.sent, self.now_ns, read_lag_ns=LAG_NS)

    def hear(self, *open_orders: str, query_id: int | None = None) -> None:
        orders = tuple(OpenOrder(order=order(key), cum_quantity=Lots(0)) for key in open_orders)
        told = OpenOrders(query_id=query_id or self.query_id, orders=orders)
        self.requests = self.halt.on_open_orders(told, DESK, self.now_ns)

    @property
    def query_id(self) -> int:
        return self.halt._query

    @property
    def canceled(self) -> list[str]:
        return [one.client_order_id for one in self.requests if isinstance(one, CancelOrder)]

    @property
    def is_verified(self) -> bool:
        view = self.halt.view("p1", None, Instant(self.now_ns, 0))
        return view.verified_at_ns is not None


def test_what_is_known_to_be_out_is_canceled_before_the_venue_was_asked() -> None:
    """C9 C14."""
    stage = Stage("d1-1-1-1", "d1-2-1-1")
    assert stage.stop()
    stage.sweep()
    assert stage.canceled == ["d1-1-1-1", "d1-2-1-1"]
    assert isinstance(stage.requests[-1], ListOpenOrders)


def test_what_an_earlier_worker_left_open_is_found_in_the_list_and_canceled() -> None:
    """C9."""
    stage = Stage("d1-1-1-1")
    stage.stop()
    stage.sweep()
    stage.hear("d1-1-1-1", "d1-7-2-1")
    assert stage.canceled == ["d1-7-2-1"]
    view = stage.halt.view("p1", None, Instant(stage.now_ns, 0))
    assert (view.halt_id, view.cancels, view.open_orders) == (H, 2, 2)
    assert view.stopped_at_ns == view.cancels_sent_at_ns == BEGIN_NS
    assert view.verified_at_ns is None
    assert stage.halt.due_ns == BEGIN_NS + LIST_AGAIN_NS


def test_orders_of_other_programs_are_left_alone_and_stand_in_no_way() -> None:
    """C14: own orders only."""
    stage = Stage()
    stage.stop()
    stage.sweep(LAG_NS)
    stage.hear("d11-1-1-1", "by hand")
    assert stage.canceled == []
    assert stage.is_verified


def test_an_empty_list_asked_too_early_proves_nothing() -> None:
    """C14: the venue answers as of a read lag ago."""
    stage = Stage()
    stage.stop()
    stage.sweep(LAG_NS - 1)
    stage.hear()
    assert not stage.is_verified
    stage.sweep(1)
    stage.hear()
    assert stage.is_verified
    assert stage.halt.due_ns == stage.now_ns + LOOK_AGAIN_NS


def test_an_empty_list_proves_nothing_while_an_order_is_under_way() -> None:
    """C14: one that has not arrived yet is in no list."""
    stage = Stage("d1-1-1-1")
    known = stage.sent.orders[ClientOrderId("d1-1-1-1")]
    known.answered = False
    stage.sent.wait(known, BEGIN_NS + SECOND)
    stage.stop()
    stage.sweep(LAG_NS)
    stage.hear()
    assert not stage.is_verified
    known.answered = True
    stage.sweep(LIST_AGAIN_NS)
    stage.hear()
    assert stage.is_verified


def test_it_asks_again_when_no_answer_comes_and_cancels_again_later() -> None:
    """C9."""
    stage = Stage()
    stage.stop()
    stage.sweep()
    assert stage.halt.due_ns == BEGIN_NS + LIST_AGAIN_NS
    stage.sweep(LIST_AGAIN_NS)
    stage.hear("d1-1-1-1")
    assert stage.canceled == ["d1-1-1-1"]
    stage.sweep(CANCEL_AGAIN_NS - 1)
    stage.hear("d1-1-1-1")
    assert stage.canceled == []
    stage.sweep(1)
    stage.hear("d1-1-1-1")
    assert stage.canceled == ["d1-1-1-1"]


def test_an_answer_to_another_question_is_not_taken() -> None:
    stage = Stage()
    stage.hear()
    stage.stop()
    stage.sweep(LAG_NS)
    stage.hear("d1-1-1-1", query_id=7)
    assert stage.canceled == []
    stage.halt.on_session_ended()
    stage.hear(query_id=stage.query_id - 1)
    assert not stage.is_verified
    assert stage.halt.due_ns is None


def test_what_comes_to_light_later_is_canceled_and_the_proof_is_withdrawn() -> None:
    stage = Stage()
    stage.stop()
    stage.sweep(LAG_NS)
    stage.hear()
    verified_at_ns = stage.now_ns
    stage.sweep(LOOK_AGAIN_NS)
    stage.hear()
    view = stage.halt.view("p1", None, Instant(stage.now_ns, 0))
    assert view.verified_at_ns == verified_at_ns
    assert stage.halt.due_ns == stage.now_ns + LOOK_AGAIN_NS
    stage.sweep(LOOK_AGAIN_NS)
    stage.hear("d1-1-1-1")
    assert stage.canceled == ["d1-1-1-1"]
    assert not stage.is_verified


def test_the_same_halt_again_changes_nothing_and_another_one_begins_anew() -> None:
    stage = Stage()
    stage.stop()
    stage.sweep(LAG_NS)
    stage.hear()
    assert not stage.stop()
    assert stage.is_verified
    assert stage.stop(HaltId("i"))
    assert not stage.is_verified


def test_only_the_lifting_of_this_very_halt_ends_it() -> None:
    stage = Stage()
    stage.stop()
    assert not stage.halt.lift(HaltId("i"))
    assert stage.halt.is_on
    assert stage.halt.lift(H)
    assert not stage.halt.is_on
    stage.sweep()
    assert stage.requests == []
    assert stage.halt.due_ns is None


keys = st.sampled_from(["d1-1-1-1", "d1-2-1-1", "x-1"])


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(keys, max_size=3), st.integers(0, 300))))
def test_it_is_verified_only_by_an_empty_list_of_ours_and_never_cancels_what_is_not_ours(
    steps: list[tuple[int, list[str], int]],
) -> None:
    """C14."""
    stage = Stage("d1-1-1-1")
    stage.stop()
    for what, listed, after_ms in steps:
        if what == 0:
            stage.sweep(after_ms * MS)
        elif what == 1:
            stage.halt.on_session_ended()
        else:
            stage.hear(*listed)
            if any(key.startswith("d1-") for key in listed):
                assert not stage.is_verified
        assert "x-1" not in stage.canceled
        if stage.is_verified:
            assert stage.now_ns >= BEGIN_NS + LAG_NS
