"""What of a parent each account is to trade: its shares, cut where it may only reduce."""

from typing import Final

import msgspec

from tandem.core.trading import account_gate, books, reducing, terms
from tandem.core.trading.books import Share
from tandem.core.trading.destinations import Place
from tandem.core.trading.splitting import Manner, split
from tandem.core.trading.state import Child, Parent
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import Lots, SlotId
from tandem.domain.money import ZERO
from tandem.domain.parents import ParentSpec, Split

_WEIGHTED: Final = Split.WEIGHTED  # finding a member of an enum costs more than comparing it


def shares_of(turn: Turn, spec: ParentSpec, places: list[Place]) -> list[Share] | Refused:
    """Split as asked, a reduce-only order no further than the positions reach."""
    shares = _shares(turn, spec, places)
    if spec.stop_price is not None:
        instrument = places[0][1]
        quote = turn.state.quotes.get(instrument.instrument_id)
        if quote is not None and quote.last is not None and terms.is_reached(spec, quote.last):
            stop, last = instrument.price_text(spec.stop_price), instrument.price_text(quote.last)
            text = f"{spec.symbol} trades at {last}: a {spec.side} stop at {stop} is there already"
            return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    if not spec.reduce_only:
        return shares
    shares = reducing.cut(turn, spec, shares)
    return shares or flat(spec)


def flat(spec: ParentSpec) -> Refused:
    """Return that there is nothing to reduce."""
    text = f"there is no position in {spec.symbol} that a {spec.side} order would reduce"
    return Refused(reason=RefusalReason.RISK, text=text)


def _shares(turn: Turn, spec: ParentSpec, places: list[Place]) -> list[Share]:
    """Split as asked; what does not divide begins at another slot for every order."""
    weighted = spec.split is _WEIGHTED
    if len(places) == 1 and not weighted:
        return [(*places[0], spec.quantity)]  # whole, however the others would share it
    powers = [ZERO] * len(places)
    if weighted:
        powers = [books.buying_power(turn, *place, spec.side) for place in places]
    number = turn.state.next_order
    manner = Manner(
        split=spec.split, start=number % len(places), seed=number, rounding=spec.rounding
    )
    shares = split(spec.quantity, powers, manner)
    return [(*place, lots) for place, lots in zip(places, shares, strict=True) if lots]


def share_of(turn: Turn, parent: Parent, slot_id: SlotId, quantity: int) -> Share:
    """Return so much of a parent that was taken before as the share of one of its slots.

    Of a reduce-only one no more than the position is by now, which may be nothing.
    """
    seat, spec = turn.state.seats[slot_id], parent.spec
    instrument = turn.rules.listed[spec.symbol, seat.venue_id]
    if spec.reduce_only:
        quantity = min(quantity, account_gate.room(turn, seat, instrument, spec.side))
    return seat, instrument, quantity


def share_again(turn: Turn, parent: Parent, left: int) -> list[Share]:
    """Split what is left of a parent over its slots, as children of their own.

    Those that have had attempts stay, with nothing to trade: their number is in the attempts' ids.
    """
    spec, slots = parent.spec, parent.slots
    is_each = spec.split is Split.EACH
    changed = msgspec.structs.replace(
        spec, quantity=Lots(left), split=Split.EQUAL if is_each else spec.split
    )
    places = [share_of(turn, parent, one, 0)[:2] for one in slots]
    shares = [
        share_of(turn, parent, one.slot_id, lots) for one, _, lots in _shares(turn, changed, places)
    ]
    kept = [one for one in parent.children if one.attempts]
    for child in kept:
        child.quantity = 0
    parent.children = [*kept, *(Child(seat.slot_id, quantity) for seat, _, quantity in shares)]
    return [*(share_of(turn, parent, one.slot_id, 0) for one in kept), *shares]
