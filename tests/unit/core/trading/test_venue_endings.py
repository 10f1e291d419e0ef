"""Orders that a venue ended by itself."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.prevention import KEPT_MAX, Prevention, VenueFlag
from tandem.core.trading.showing import show
from tandem.core.trading.showing_prevention import prevention_view
from tandem.core.trading.state import Attempt
from tandem.domain import link
from tandem.domain.control import AskLife
from tandem.domain.desk import Alert
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, ParentId
from tandem.domain.order import OrderStatus, Side
from tandem.domain.reports import Canceled, EndCause, RejectCode
from tandem.domain.venue import OrderFound
from tandem.domain.views import LifeView
from tests.unit.core.trading.desk_driver import SECOND, Floor


def ended(floor: Floor, attempt: Attempt, cause: EndCause | None) -> list[str]:
    """Let the venue end it; return what is alerted."""
    key = attempt.order.client_order_id
    told = Canceled(client_order_id=key, cum_quantity=Lots(0), cause=cause)
    floor.teller(attempt).report(told)
    return [one.text for one in floor.effects if isinstance(one, Alert)]


def test_an_order_that_the_venue_ended_for_an_own_one_is_an_alert_and_is_listed() -> None:
    """C1: the second line has acted, so the first has missed one."""
    floor = Floor().open()
    parent = floor.buy(1, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.accept(attempt)
    (text,) = ended(floor, attempt, EndCause.SELF_MATCH)
    assert text.startswith("d-1-1-1 (T on A1) was ended by its venue's self-match rule")
    view = prevention_view(floor.state, floor.desk.rules, 10)
    (flag,) = view.flags
    assert (flag.client_order_id, flag.symbol, flag.quantity, flag.limit_price, flag.what) == (
        "d-1-1-1",
        "T",
        "1",
        "10.00",
        "ended",
    )
    life = show(floor.desk, AskLife(number=1, order_id="d-1"), 0)
    assert isinstance(life, LifeView)
    assert life.attempts[0].cause == "self_match"
    assert ended(floor, attempt, EndCause.SELF_MATCH) == []


def test_a_refusal_for_an_own_order_is_one_too() -> None:
    """C1."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, price=None, slots=("s1",)))
    floor.rejected(attempt, RejectCode.SELF_MATCH)
    assert any(isinstance(one, Alert) for one in floor.effects)
    (flag,) = prevention_view(floor.state, floor.desk.rules, 10).flags
    assert (flag.limit_price, flag.what) == (None, "refused")


def test_a_question_tells_the_cause_where_the_report_was_lost() -> None:
    """C1."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.timed_out(attempt)
    floor.pass_time(30 * SECOND)
    assert attempt.query_id is not None
    found = OrderFound(
        query_id=attempt.query_id,
        client_order_id=attempt.order.client_order_id,
        status=OrderStatus.CANCELED,
        cum_quantity=Lots(0),
        fills=(),
        cause=EndCause.SELF_MATCH,
    )
    floor.at("s1").say(link.Answered(account_id=AccountId("A1"), answer=found))
    assert attempt.cause is EndCause.SELF_MATCH


def test_an_end_that_somebody_asked_for_is_no_news() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.accept(attempt)
    assert ended(floor, attempt, None) == []
    assert floor.state.prevention.flags == []


@given(st.integers(0, 3 * KEPT_MAX))
def test_only_the_latest_are_remembered(count: int) -> None:
    book = Prevention()
    for number in range(count):
        book.note_flag(
            VenueFlag(
                market_ns=number,
                client_order_id=ClientOrderId("c"),
                parent_id=ParentId("p"),
                account_id=AccountId("a"),
                instrument_id=InstrumentId("i"),
                side=Side.BUY,
                quantity=1,
                limit_price=None,
                what="ended",
            )
        )
    kept = [one.market_ns for one in book.flags]
    assert kept == list(range(count))[-len(kept) :] if kept else not count
    assert len(kept) <= KEPT_MAX + KEPT_MAX // 16
