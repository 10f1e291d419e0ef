"""Asking venues now and then what each account holds, has open and has traded.

Why a difference that is found is one (docs/protocol.md, "Reconciliation"):

- An order or execution is ours if its attempt is known: attempts are recorded before anybody can
  send them, so nothing of ours is listed too early. Ids of parents that were forgotten are known
  by their number; those executions were booked when they were young.
- Balances are compared only when the worker found no execution between two looks around them,
  and per instrument only when we booked none since a read lag before the audit was asked: then
  both sides speak of the same executions. And a difference must be seen twice, alike.
- An order that is listed although its attempt has ended may have been listed just before its
  end. Seen by two audits it lives, and is canceled.

What is found late is found by the next audit: nothing here has to arrive.
"""

from decimal import Decimal
from hashlib import blake2b
from typing import Final

import msgspec

from tandem.core.trading import attempts, corporate, external
from tandem.core.trading.external_book import Difference
from tandem.core.trading.plausible import is_money
from tandem.core.trading.state import Attempt, Phase, Seat, Worker
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, SlotId
from tandem.domain.limits import LOTS_MAX
from tandem.domain.link import (
    EXECUTIONS_TOLD_MAX,
    Audit,
    Audited,
    Executed,
    Listed,
    Withdraw,
)
from tandem.domain.money import ZERO, subtract
from tandem.domain.order import Side
from tandem.domain.venue import Balances, OpenOrder

_ENCODER: Final = msgspec.msgpack.Encoder()
_UNDER_WAY: Final = (Phase.RELEASED, Phase.UNKNOWN)
_DIGITS_MAX: Final = 18


# -- when


def on_ready(turn: Turn, worker: Worker) -> None:
    """The account can be asked: look soon after each grant, and every so often from now on."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if seat is None or not seat.ready:
        return
    if seat.audit.epoch != seat.epoch:
        seat.audit.epoch = seat.epoch
        hasten(turn, seat)
    if not turn.state.audits:
        _arrange(turn)


def on_restarted(turn: Turn) -> None:
    """Begin anew: alarms are gone, and CLOCK_BOOTTIME may be another."""
    turn.state.audits = False
    for seat in turn.state.seats.values():
        audit = seat.audit
        audit.query_id = audit.soon_ns = None
        audit.asked_at_ns = turn.now_ns
        audit.epoch = 0
        audit.booked_ns = dict.fromkeys(audit.booked_ns, turn.now_ns)
        seat.external.suspected.clear()
    if any(seat.opened for seat in turn.state.seats.values()):
        _arrange(turn)


def _arrange(turn: Turn) -> None:
    turn.state.audits = True
    turn.wait(Alarm.AUDIT, "", after_ns=turn.rules.timings.reconcile_ns)


def hasten(turn: Turn, seat: Seat) -> None:
    """Audit the account soon, but not at once again."""
    audit = seat.audit
    pause_ns = max(turn.rules.timings.ask_ns, turn.venue(seat).read_lag_ns + 1)
    due_ns = max(turn.now_ns, audit.asked_at_ns) + pause_ns
    if audit.soon_ns is None or due_ns < audit.soon_ns:
        audit.soon_ns = due_ns
        turn.wait(Alarm.AUDIT, seat.slot_id, after_ns=due_ns - turn.now_ns)


def on_alarm(turn: Turn, slot_id: SlotId) -> None:
    """Audit all accounts, or the one that was to be looked at soon."""
    state = turn.state
    if slot_id:
        seat = state.seats[slot_id]
        if seat.audit.soon_ns is not None and seat.audit.soon_ns <= turn.now_ns:
            _ask(turn, seat)
    else:
        for seat in state.seats.values():
            _ask(turn, seat)
        _arrange(turn)


def _ask(turn: Turn, seat: Seat) -> None:
    """Ask under a new number: what comes to an earlier audit is too late."""
    audit, worker = seat.audit, turn.holder(seat)
    audit.soon_ns = None
    if worker is None or not seat.ready or not seat.opened:
        return
    audit.query_id = turn.state.next_query
    audit.asked_at_ns = turn.now_ns
    turn.state.next_query += 1
    turn.count("audits")
    turn.send(
        worker,
        Audit(
            account_id=seat.account_id,
            account_epoch=seat.epoch,
            query_id=audit.query_id,
            cursor=audit.cursor,
            known=audit.known if audit.books == _digest(turn, seat) else b"",
        ),
    )


def _digest(turn: Turn, seat: Seat) -> bytes:
    """Return the digest of what an audit is compared with."""
    books = turn.state.ledger.accounts.get(seat.account_id)
    held = None if books is None else (books.cash, books.lots)
    return blake2b(_ENCODER.encode((held, list(seat.open))), digest_size=16).digest()


# -- what comes of it


def on_unknown_report(turn: Turn, worker: Worker, client_order_id: ClientOrderId) -> None:
    """The venue reports of an order that we do not have: its listing will say what it is."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if seat is not None and not _is_forgotten(turn, client_order_id):
        hasten(turn, seat)


def on_answered(turn: Turn, worker: Worker, account_id: AccountId, told: Listed | Audited) -> None:
    """A part of the answer to an audit, or its end."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if (
        seat is None
        or seat.account_id != account_id
        or seat.audit.query_id != told.query_id
        or not seat.opened
    ):
        turn.count("answers_late")
    elif isinstance(told, Listed):
        for one in told.orders:
            _listed(turn, seat, worker, one)
    else:
        _audited(turn, seat, told)


def _audited(turn: Turn, seat: Seat, told: Audited) -> None:
    audit = seat.audit
    audit.query_id = None
    if told.balances is None and told.digest:
        turn.count("audits_alike")
        return
    for one in told.executions:
        _executed(turn, seat, one)
    if audit.cursor is None or told.cursor > audit.cursor:
        audit.cursor = told.cursor
    _sweep(turn, seat, told.query_id)
    if told.balances is not None:
        corporate.take(turn, seat, told.balances)  # what they are after is no difference
    agrees = told.balances is not None and _compare(turn, seat, told.balances)
    lives_on = audit.undead or any(one.is_ours for one in seat.external.orders.values())
    agrees = agrees and not lives_on
    audit.known = told.digest if agrees else b""
    audit.books = _digest(turn, seat)
    if len(told.executions) >= EXECUTIONS_TOLD_MAX:
        _ask(turn, seat)  # there are more
    elif lives_on or seat.external.suspected or told.executions:
        hasten(turn, seat)


def _ours(
    turn: Turn, seat: Seat, key: ClientOrderId, instrument_id: InstrumentId, side: Side
) -> Attempt | None:
    """Return the attempt that this is about; None when it is somebody else's."""
    attempt = turn.attempt(key)
    if attempt is None or attempt.slot_id != seat.slot_id:
        return None
    order = attempt.order
    return attempt if (order.instrument_id, order.side) == (instrument_id, side) else None


def _is_forgotten(turn: Turn, key: ClientOrderId) -> bool:
    """Whether this is an id of ours, of a parent that ended so long ago that it is forgotten."""
    assert turn.state.settings is not None
    parent_id, _, rest = key.removeprefix(f"{turn.state.settings.desk_id}-").partition("-")
    child, _, number = rest.partition("-")
    if not all(one.isdecimal() and len(one) <= _DIGITS_MAX for one in (parent_id, child, number)):
        return False
    whole = f"{turn.state.settings.desk_id}-{int(parent_id)}"
    is_made = key == f"{whole}-{int(child)}-{int(number)}" and (
        0 < int(parent_id) < turn.state.next_order
    )
    return is_made and whole not in turn.state.parents


def _executed(turn: Turn, seat: Seat, told: Executed) -> None:
    key = told.fill.client_order_id
    attempt = _ours(turn, seat, key, told.instrument_id, told.side)
    if attempt is not None:
        if attempt.phase is Phase.PLANNED:
            turn.count("reports_before_release")
        elif told.fill.execution_id not in attempt.executions:
            turn.count("fills_by_audit")
            attempts.on_executed(turn, attempt, told.fill)
    elif _is_forgotten(turn, key):
        turn.count("fills_of_forgotten_orders")
    else:
        external.take_execution(turn, seat, told)


def _listed(turn: Turn, seat: Seat, worker: Worker, told: OpenOrder) -> None:
    order, query_id = told.order, seat.audit.query_id
    assert query_id is not None, "nobody asked"
    key = order.client_order_id
    attempt = _ours(turn, seat, key, order.instrument_id, order.side)
    if attempt is None and not _is_forgotten(turn, key):
        external.take_order(turn, seat, told, query_id=query_id)
    elif attempt is None or attempt.is_final:
        _ended_but_listed(turn, seat, worker, told)


def _ended_but_listed(turn: Turn, seat: Seat, worker: Worker, told: OpenOrder) -> None:
    key, undead, query_id = told.order.client_order_id, seat.audit.undead, seat.audit.query_id
    assert query_id is not None, "nobody asked"
    if key not in seat.external.orders and undead.setdefault(key, query_id) == query_id:
        return
    if undead.pop(key, None) is not None:
        turn.count("orders_undead")
    external.take_order(turn, seat, told, query_id=query_id, is_ours=True)
    cancel = Withdraw(account_id=seat.account_id, account_epoch=seat.epoch, client_order_id=key)
    turn.send(worker, cancel)


def _sweep(turn: Turn, seat: Seat, query_id: int) -> None:
    """What this audit did not list is open no more."""
    for key, order in list(seat.external.orders.items()):
        if order.seen_by != query_id:
            external.drop_order(turn, seat, key)
    undead = seat.audit.undead
    seat.audit.undead = {key: first for key, first in undead.items() if first == query_id}


# -- holdings


def _compare(turn: Turn, seat: Seat, balances: Balances) -> bool:
    """Return whether everything held is as our books say; book what differs a second time."""
    held = turn.state.ledger.accounts[seat.account_id]
    busy = _busy(turn, seat)
    differences: dict[str, Decimal] = {}
    left_out = len(busy)
    for instrument_id in dict.fromkeys((*held.lots, *balances.positions)):
        lots = balances.positions.get(instrument_id, 0)
        if instrument_id not in turn.rules.instruments or abs(lots) > LOTS_MAX:
            turn.count("balances_garbled")
        elif instrument_id not in busy:
            differences[instrument_id] = Decimal(lots - held.lots.get(instrument_id, 0))
    moving = {turn.rules.instruments[one].quote: None for one in busy}
    for currency in dict.fromkeys((*held.cash, *balances.cash)):
        amount = balances.cash.get(currency, ZERO)
        if not is_money(amount):
            turn.count("balances_garbled")
        elif currency not in moving:
            differences[currency] = subtract(amount, held.cash.get(currency, ZERO))
    found = {unit: amount for unit, amount in differences.items() if amount}
    _judge(turn, seat, found)
    return not found and not left_out


def _busy(turn: Turn, seat: Seat) -> dict[InstrumentId, None]:
    """Return instruments of which one side may know an execution that the other does not."""
    since_ns = seat.audit.asked_at_ns - turn.venue(seat).read_lag_ns
    busy = {key: None for key, at_ns in seat.audit.booked_ns.items() if at_ns >= since_ns}
    for attempt in turn.attempts_on(seat.slot_id):
        if attempt.phase in _UNDER_WAY:
            busy[attempt.order.instrument_id] = None
    return busy


def _judge(turn: Turn, seat: Seat, found: dict[str, Decimal]) -> None:
    """Believe a difference that is seen twice, more than a read lag apart."""
    suspected, lag_ns = seat.external.suspected, turn.venue(seat).read_lag_ns
    confirmed = {}
    waiting = {}
    for unit, amount in found.items():
        earlier = suspected.get(unit)
        if earlier is None or earlier.amount != amount:
            waiting[unit] = Difference(amount, turn.now_ns)
        elif seat.audit.asked_at_ns - earlier.seen_ns <= lag_ns:
            waiting[unit] = earlier
        else:
            confirmed[unit] = amount
    seat.external.suspected = waiting
    for unit, amount in confirmed.items():
        _book(turn, seat, unit, amount)


def _book(turn: Turn, seat: Seat, unit: str, amount: Decimal) -> None:
    """Book a difference, lots before money: trade in an instrument explains its currency's."""
    turn.count("external_differences")
    instrument = turn.rules.instruments.get(InstrumentId(unit))
    if instrument is not None:
        reference = turn.state.exposure.holdings[instrument.instrument_id].reference
        external.move_lots(turn, seat, instrument, int(amount), reference)
        text = f"{external.lots_text(instrument, int(amount))} that no execution explains"
        external.note_news(turn, seat, unit, text=text)
        return
    external.move_cash(turn, seat, unit, amount)
    instruments = turn.rules.instruments
    quotes = [
        instruments[InstrumentId(one)].quote
        for one in seat.external.unexplained
        if one in instruments
    ]
    if unit not in quotes:
        text = f"{amount:+f} {unit} that no execution explains"
        external.note_news(turn, seat, unit, text=text)
