"""Where an order on a symbol can go: the seats whose venues list it, and that may trade it now."""

from tandem.core.trading import external
from tandem.core.trading.state import Seat
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import Lots, SlotId
from tandem.domain.instrument import Instrument

Place = tuple[Seat, Instrument]  # a seat, and what its venue calls the symbol of an order


def instrument_at(turn: Turn, symbol: str, seat: Seat) -> Instrument | None:
    """Return what the seat's venue calls `symbol`."""
    return turn.rules.listed.get((symbol, seat.venue_id))


def listed_at(turn: Turn, symbol: str, slots: tuple[SlotId, ...]) -> Instrument | None:
    """Return what the first of these slots that lists `symbol` calls so."""
    for slot_id in slots:
        seat = turn.state.seats.get(slot_id)
        instrument = instrument_at(turn, symbol, seat) if seat is not None else None
        if instrument is not None:
            return instrument
    return None


def quantity_text(turn: Turn, symbol: str, slots: tuple[SlotId, ...], lots: int) -> str:
    """Return lots of `symbol` as its venue writes them; no slots are all."""
    found = listed_at(turn, symbol, slots or tuple(turn.state.seats))
    return f"{lots} lots" if found is None else found.quantity_text(Lots(lots))


def symbol_halted(turn: Turn, symbol: str) -> Refused:
    """Say why nothing is placed on a symbol that a person halted."""
    text = f"{symbol} is halted: {turn.state.halted[symbol]}"
    return Refused(reason=RefusalReason.HALTED, text=text)


def eligible(turn: Turn, symbol: str, wanted: tuple[SlotId, ...]) -> list[Place] | Refused:
    """Return where an order on `symbol` goes to, in the pool's order."""
    if symbol in turn.state.halted:
        return symbol_halted(turn, symbol)
    seats = turn.state.seats
    for slot_id in wanted:
        if slot_id not in seats or not seats[slot_id].active:
            return Refused(reason=RefusalReason.UNKNOWN_SLOT, text=f"no slot {slot_id} trades")
    listed = turn.rules.listed
    free: list[Place] = []
    first: Instrument | None = None
    unlisted: list[Seat] = []
    blocked: list[Seat] = []
    # One that is named needs no search; several come in the pool's order.
    for seat in seats.values() if len(wanted) != 1 else (seats[wanted[0]],):
        if not seat.active or (wanted and seat.slot_id not in wanted):
            continue
        one = listed.get((symbol, seat.venue_id))
        if one is None:
            unlisted.append(seat)
        elif one.instrument_id in seat.blocked:
            blocked.append(seat)
        elif first is None or one is first or _is_same_grid(one, first):
            first = first or one
            free.append((seat, one))
        else:
            # One order has one price and one quantity grid, so it cannot span two books.
            text = f"{symbol} is traded in {first.book_id} and {one.book_id}: name the slots"
            return Refused(reason=RefusalReason.NO_SLOT, text=text)
    if free and not (wanted and (unlisted or blocked)):
        return free
    return _not_free(turn, symbol, unlisted if wanted else [], blocked)


def _is_same_grid(one: Instrument, other: Instrument) -> bool:
    return one.book_id == other.book_id and one.lot_size == other.lot_size


def _not_free(turn: Turn, symbol: str, unlisted: list[Seat], blocked: list[Seat]) -> Refused:
    """Say why the slots asked for cannot take an order on `symbol`."""
    active = [one for one in turn.state.seats.values() if one.active]
    if all(instrument_at(turn, symbol, one) is None for one in active):
        return Refused(reason=RefusalReason.UNKNOWN_SYMBOL, text=f"no venue lists {symbol}")
    if unlisted:
        text = f"the venue of {unlisted[0].slot_id} does not list {symbol}"
        return Refused(reason=RefusalReason.NO_SLOT, text=text)
    seat = blocked[0]
    why = "an order waits for a person"
    if external.is_unexplained(turn, seat, symbol):
        why = "somebody else trades there; tandem orders external says what"
    text = f"{symbol} on {seat.account_id}: {why}"
    return Refused(reason=RefusalReason.BLOCKED, text=text)
