"""The worker's half of an audit."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.errands import (
    AGAIN_NS,
    PAGE,
    PAGES_MAX,
    REPORTED_MAX,
    TIMES_MAX,
    Errands,
)
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    Ticks,
)
from tandem.domain.link import (
    EXECUTIONS_TOLD_MAX,
    MESSAGE_BYTES_MAX,
    Amend,
    Answered,
    Ask,
    Audit,
    Audited,
    Listed,
    Withdraw,
)
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Canceled, Filled
from tandem.domain.venue import (
    AmendOrder,
    AskBalances,
    Balances,
    CancelOrder,
    Executions,
    ListExecutions,
    ListOpenOrders,
    OpenOrder,
    OpenOrders,
    QueryOrder,
    Traded,
    VenueRequest,
)

A = AccountId("A")
T = InstrumentId("T")
WHAT = Traded(instrument_id=T, side=Side.SELL)
Venue = tuple[list[OpenOrder], list[Filled], dict[str, Decimal]]


def audit(cursor: int | None = 0, known: bytes = b"", query_id: int = 9) -> Audit:
    return Audit(account_id=A, account_epoch=1, query_id=query_id, cursor=cursor, known=known)


def fill(number: int) -> Filled:
    return Filled(
        client_order_id=ClientOrderId("x"),
        execution_id=ExecutionId(f"e{number}"),
        quantity=Lots(1),
        price=Ticks(1),
        fee=Decimal(0),
        venue_at_ns=0,
    )


def opened(number: int) -> OpenOrder:
    order = Order(
        client_order_id=ClientOrderId(f"o{number}"),
        instrument_id=T,
        side=Side.BUY,
        quantity=Lots(1),
        limit_price=Ticks(1),
        time_in_force=TimeInForce.DAY,
    )
    return OpenOrder(order=order, cum_quantity=Lots(0))


def answer(request: VenueRequest, venue: Venue) -> OpenOrders | Executions | Balances:
    """Answer as a paper exchange does."""
    orders, fills, cash = venue
    match request:
        case ListOpenOrders():
            most = request.most or len(orders)
            page = orders[request.cursor : request.cursor + most]
            reached = request.cursor + len(page)
            cursor = reached if reached < len(orders) else None
            return OpenOrders(query_id=request.query_id, orders=tuple(page), cursor=cursor)
        case ListExecutions():
            begin = len(fills) if request.cursor is None else request.cursor
            chosen = tuple(fills[begin : begin + (request.most or len(fills))])
            return Executions(
                query_id=request.query_id,
                fills=chosen,
                cursor=begin + len(chosen),
                traded=(WHAT,) * len(chosen),
            )
        case _:
            assert isinstance(request, AskBalances)
            return Balances(query_id=request.query_id, cash=dict(cash), positions={T: len(fills)})


def run(errands: Errands, asked: Audit, venue: Venue) -> list[Listed | Audited]:
    requests = errands.requests(asked, 0)
    for _ in range(2 * PAGES_MAX):
        (request,) = requests
        requests, answers = errands.on_answer(answer(request, venue), 0)
        if not requests:
            return answers
    raise AssertionError("an audit without end")


def audited(answers: list[Listed | Audited]) -> Audited:
    assert isinstance(answers[-1], Audited)
    return answers[-1]


def test_cancels_amendments_and_questions_are_handed_on() -> None:
    errands = Errands()
    key = ClientOrderId("o")
    withdraw = Withdraw(account_id=A, account_epoch=1, client_order_id=key)
    ask = Ask(account_id=A, account_epoch=1, query_id=3, client_order_id=key)
    assert errands.requests(withdraw, 0) == [CancelOrder(client_order_id=key)]
    figures: dict[str, Any] = {"quantity": Lots(5), "limit_price": Ticks(1_000)}
    amend = Amend(account_id=A, account_epoch=1, client_order_id=key, **figures)
    assert errands.requests(amend, 0) == [AmendOrder(client_order_id=key, **figures)]
    assert errands.requests(ask, 0) == [QueryOrder(query_id=3, client_order_id=key)]
    assert errands.due_ns is None


@given(
    st.integers(0, 3 * PAGE),
    st.integers(0, 2 * EXECUTIONS_TOLD_MAX),
    st.integers(0, EXECUTIONS_TOLD_MAX),
)
def test_an_audit_tells_all_open_orders_and_all_executions_after_its_cursor(
    orders: int, fills: int, cursor: int
) -> None:
    """F23 F24: in messages of a bounded size, however many there are."""
    venue = (
        [opened(n) for n in range(orders)],
        [fill(n) for n in range(fills)],
        {"USD": Decimal(5)},
    )
    found: list[Filled] = []
    cursor = min(cursor, fills)
    errands = Errands()
    while True:
        answers = run(errands, audit(cursor), venue)
        listed = [one for part in answers[:-1] if isinstance(part, Listed) for one in part.orders]
        assert listed == venue[0]
        last = audited(answers)
        assert len(last.executions) <= EXECUTIONS_TOLD_MAX
        found += [one.fill for one in last.executions]
        assert last.cursor == cursor + len(last.executions)
        if last.balances is not None:
            break
        cursor = last.cursor
    assert found == venue[1][len(venue[1]) - len(found) :]
    assert last.cursor == fills
    assert last.balances.cash == {"USD": Decimal(5)}


def test_an_audit_without_a_cursor_finds_only_where_executions_end() -> None:
    last = audited(run(Errands(), audit(None), ([], [fill(1), fill(2)], {})))
    assert (last.cursor, last.executions) == (2, ())
    assert last.balances is not None


def test_an_audit_with_nothing_new_is_one_small_message() -> None:
    errands = Errands()
    venue: Venue = ([opened(1)], [fill(1)], {"USD": Decimal(5)})
    first = audited(run(errands, audit(), venue))
    assert first.digest
    again = run(errands, audit(first.cursor, first.digest), venue)
    assert again == [Audited(query_id=9, cursor=1, digest=first.digest)]
    venue[2]["USD"] = Decimal(6)
    assert audited(run(errands, audit(first.cursor, first.digest), venue)).balances is not None


def test_executions_that_change_nothing_held_are_told_all_the_same() -> None:
    """F24: bought and sold again at one price is traded."""
    errands = Errands()
    fills = [fill(1)]
    first = audited(run(errands, audit(), ([], fills, {})))
    assert first.balances is not None
    (request,) = errands.requests(audit(0, first.digest), 0)
    answers: list[Listed | Audited] = []
    while not answers:
        requests, answers = errands.on_answer(answer(request, ([], fills, {})), 0)
        request = requests[0] if requests else request
    assert len(audited(answers).executions) == 1


def test_executions_that_this_run_has_reported_are_left_out() -> None:
    errands = Errands()
    errands.note_reported(fill(1))
    errands.note_reported(Canceled(client_order_id=ClientOrderId("x"), cum_quantity=Lots(0)))
    fills = [fill(1), fill(2)]
    last = audited(run(errands, audit(), ([], fills, {})))
    assert [one.fill for one in last.executions] == [fill(2)]
    again = audited(run(errands, audit(), ([], fills, {})))
    assert len(again.executions) == 2, "it is remembered for two audits, which is once too often"


def test_what_was_reported_is_remembered_within_a_bound() -> None:
    errands = Errands()
    for number in range(REPORTED_MAX + 1):
        errands.note_reported(fill(number))
    last = audited(run(errands, audit(), ([], [fill(REPORTED_MAX)], {})))
    assert len(last.executions) == 1


def test_balances_are_told_only_when_nothing_traded_about_them() -> None:
    """F24: else a fill might be in one of the two lists and not in the other."""
    errands = Errands()
    fills: list[Filled] = []
    venue: Venue = ([], fills, {})
    requests = errands.requests(audit(), 0)
    for _ in range(3):
        requests, _ = errands.on_answer(answer(requests[0], venue), 0)
    fills.append(fill(1))
    requests, answers = errands.on_answer(answer(requests[0], venue), 0)
    assert requests == []
    last = audited(answers)
    assert (last.balances, last.digest, len(last.executions)) == (None, b"", 1)
    assert last.cursor == 1


def test_a_lost_answer_is_asked_for_again_but_not_for_ever() -> None:
    errands = Errands()
    (first,) = errands.requests(audit(), 0)
    assert errands.on_due(AGAIN_NS - 1) == []
    now_ns = 0
    for _ in range(TIMES_MAX - 1):
        assert errands.due_ns is not None
        now_ns = errands.due_ns
        assert errands.on_due(now_ns) == [first]
    assert errands.on_due(now_ns + AGAIN_NS) == []
    assert errands.due_ns is None
    assert errands.on_answer(answer(first, ([], [], {})), 0) == ([], [])


def test_a_repeated_or_late_answer_is_none_to_the_question_after_it() -> None:
    """F9."""
    errands = Errands()
    venue: Venue = ([opened(n) for n in range(PAGE + 1)], [], {})
    (first,) = errands.requests(audit(), 0)
    told = answer(first, venue)
    (second,), _ = errands.on_answer(told, 0)
    assert errands.on_answer(told, 0) == ([], [])
    assert isinstance(second, ListOpenOrders)
    assert second.cursor == PAGE


def test_a_venue_whose_pages_never_end_is_given_up() -> None:
    errands = Errands()
    (request,) = errands.requests(audit(), 0)
    for _ in range(PAGES_MAX):
        assert errands.due_ns is not None
        assert isinstance(request, ListOpenOrders)
        told = OpenOrders(query_id=request.query_id, orders=(), cursor=0)
        requests, answers = errands.on_answer(told, 0)
        assert answers == []
        request = requests[0] if requests else request
    assert requests == []
    assert errands.due_ns is None


def test_the_longest_ids_fit_into_one_message_each() -> None:
    """A venue takes ids of 128 characters; a thousand such orders may be open."""
    long = "x" * 128
    order = msgspec.structs.replace(opened(1).order, client_order_id=ClientOrderId(long))
    orders = [OpenOrder(order=order, cum_quantity=Lots(2**53))] * 1_000
    fills = [
        msgspec.structs.replace(
            fill(number),
            client_order_id=ClientOrderId(long),
            execution_id=ExecutionId(f"{number:064}"),
            fee=Decimal("123456789.123456789"),
            venue_at_ns=2**62,
        )
        for number in range(2 * EXECUTIONS_TOLD_MAX)
    ]
    answers = run(Errands(), audit(), (orders, fills, {"USD": Decimal(5)}))
    assert len(answers) == 6
    for one in answers:
        words = [Answered(account_id=A, answer=one)]
        assert len(msgspec.msgpack.encode(words)) < MESSAGE_BYTES_MAX
