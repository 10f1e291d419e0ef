"""One account's own limits, judged by the desk before the account's worker judges them again.

The desk keeps no running exposure of every account, as a worker does of its own: it is made of the
books when an order comes that concerns an account for which something was set. The argument is
that of `risk`: what is held, and all that may still trade, counted in full on the worse side.
"""

from decimal import Decimal

from tandem.core.trading.risk import DAY_NS, Exposure, Intent, first_breach
from tandem.core.trading.state import DeskState, Seat
from tandem.core.trading.turn import Rules, Turn
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits, changed, closed
from tandem.domain.money import ZERO, add
from tandem.domain.order import Side


def limits_of(state: DeskState, rules: Rules, seat: Seat) -> Limits:
    """Return what is allowed on the seat's account: the desk's limits, and what was set for it."""
    scope = state.limits.accounts.get(seat.account_id)
    if scope is None:
        return rules.limits
    return closed(changed(rules.limits, scope.changes), state.halted)


def exposure_of(state: DeskState, rules: Rules, seat: Seat) -> Exposure:
    """Return what the account holds and has out, at the desk's prices."""
    scope = state.limits.accounts.get(seat.account_id)
    made = Exposure(day=seat.realized_day, realized=dict(seat.realized))
    if scope is not None:
        made.state = scope.state
    books = state.ledger.accounts.get(seat.account_id)
    for instrument_id, lots in books.lots.items() if books is not None else ():
        track(made, state, rules, instrument_id)
        made.set_position(instrument_id, lots)
    for client_order_id in seat.open:
        attempt = state.attempts[client_order_id]
        if attempt.is_final:
            continue
        order = attempt.order
        track(made, state, rules, order.instrument_id)
        made.open_orders += 1
        leaves = max(0, order.quantity - attempt.cum_quantity)
        made.note_external(order.instrument_id, order.side, leaves)
    for one in seat.external.orders.values():
        track(made, state, rules, one.instrument_id)
        made.note_external(one.instrument_id, one.side, one.leaves)
    return made


def track(made: Exposure, state: DeskState, rules: Rules, instrument_id: InstrumentId) -> None:
    """Let an account's exposure judge an instrument, at the desk's price."""
    if instrument_id in made.holdings:
        return
    made.track(rules.instruments[instrument_id])
    known = state.exposure.holdings[instrument_id]
    if known.reference is not None:
        seen_at = Instant(0, known.reference_market_ns)
        made.note_reference(instrument_id, known.reference, seen_at)
        made.holdings[instrument_id].doubt = known.doubt


def first_breach_at(turn: Turn, seat: Seat, intent: Intent) -> str | None:
    """Return the limit of the seat's account that `intent` would break, with the account."""
    if seat.account_id not in turn.state.limits.accounts:
        return None  # the desk's own gate allows no more than its worker's does
    made = exposure_of(turn.state, turn.rules, seat)
    track(made, turn.state, turn.rules, intent.instrument_id)
    limits = limits_of(turn.state, turn.rules, seat)
    breach = first_breach(intent, limits, made, turn.now, intent.quantity)
    return None if breach is None else f"{breach.value} of {seat.account_id}"


def room(turn: Turn, seat: Seat, instrument: Instrument, side: Side) -> int:
    """Return how much the account could still trade on that side before it is flat."""
    key = instrument.instrument_id
    held = -side.sign * turn.state.ledger.lots(seat.account_id, key)
    out = 0
    for client_order_id in seat.open:
        attempt = turn.state.attempts[client_order_id]
        order = attempt.order
        if order.instrument_id == key and order.side is side:
            leaves = max(0, order.quantity - attempt.cum_quantity)
            out += attempt.missing if attempt.is_final else leaves
    for other in seat.external.orders.values():
        if other.instrument_id == key and other.side is side:
            out += other.leaves
    return max(0, held - out)


def is_exit(turn: Turn, seat: Seat, instrument: Instrument, side: Side, quantity: int) -> bool:
    """Whether such an order brings the account's position nearer to zero, whatever else trades."""
    return quantity <= room(turn, seat, instrument, side)


def note_realized(turn: Turn, seat: Seat, currency: str, amount: Decimal) -> None:
    """Add a profit (or, negative, a loss or fee) to the account's of today."""
    day = turn.now.market_ns // DAY_NS
    if day != seat.realized_day:
        seat.realized_day = day
        seat.realized.clear()
    seat.realized[currency] = add(seat.realized.get(currency, ZERO), amount)
    if amount < 0:
        turn.lost[seat.slot_id] = None
