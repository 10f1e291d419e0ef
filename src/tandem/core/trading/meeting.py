"""What becomes of an order that could meet own ones (docs/protocol.md, "Self-trade prevention").

Whatever the mode, an order is planned only once the gate holds nothing that it would meet, and the
gate gives a price back only for what has ended for certain. So no mode can let two own orders
meet: the modes only differ in what is given up. An order of another program cannot be given up
by us, so it refuses the new one in every mode.

- decrement: as many orders in the way are canceled as the new one would meet; when the end of one
  is confirmed, the smaller of its rest and the new one's is taken off both (`leftovers`), and what
  it has beyond that is placed again. What is left of the new one goes out when its way is free.
- of strategies for strategies (`planning.open_parent` is told for whom): what rests in the way is
  taken back, and made again for its rest once the new one has gone by.
- net internally: only what is planned and has not left, on the same account, of another
  strategy. Both lose the smaller quantity at once, and the strategies' internal positions move at
  the middle of the market, brought within both limits. It is no fill: no fee, and the account
  holds what it held. All that would be met must be netted, or nothing is.
"""

from collections.abc import Sequence

from tandem.core.trading import attempts, external, leftovers, lowering
from tandem.core.trading.booked import Handed
from tandem.core.trading.books import Share
from tandem.core.trading.prevention import Netting, Refusal
from tandem.core.trading.state import Attempt, Parent, Phase
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import ClientOrderId, CommandId, ParentId, SlotId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import add
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade

Netted = dict[ClientOrderId, int]  # how much of each planned own order is netted


def refusal(
    turn: Turn, spec: ParentSpec, instrument: Instrument, netted: Netted | None
) -> Refused | None:
    """Return why the mode does not take an order that would meet own ones; None when it does.

    `netted` is None when netting is not asked for, or would not do.
    """
    every = turn.state.gate.all_met(instrument.book_id, spec.side, spec.limit_price)
    outside = next((one for one in every if external.is_external(one)), None)
    # The one that could not be taken back is what keeps it out.
    met = outside or next((one for one in every if not _is_of_strategies(turn, one)), every[0])
    text = f"it could meet your own order {met}"
    if outside is None:
        match spec.self_trade:
            case SelfTrade.CANCEL_RESTING | SelfTrade.DECREMENT:
                return None
            case SelfTrade.NET_INTERNALLY if netted is not None:
                return None
            case SelfTrade.CANCEL_BOTH:
                parents = dict.fromkeys(turn.state.attempts[one].parent_id for one in every)
                text += f"; neither is wanted: {', '.join(parents)} canceled"
            case _:
                pass
    return Refused(reason=RefusalReason.SELF_TRADE, text=text, met=met)


def record(
    turn: Turn,
    refused: Refused,
    spec: ParentSpec,
    instrument: Instrument,
    asked_by: tuple[CommandId, ParentId | None],
) -> None:
    """Remember a refusal with the order that would have been met."""
    assert refused.met is not None, "it is refused for an order that it would meet"
    attempt = turn.state.attempts.get(refused.met)
    command_id, owner = asked_by
    turn.state.prevention.note_refusal(
        Refusal(
            at_ns=turn.now_ns,
            market_ns=turn.now.market_ns,
            command_id=command_id,
            owner=owner,
            instrument_id=instrument.instrument_id,
            side=spec.side,
            quantity=spec.quantity,
            limit_price=spec.limit_price,
            mode=spec.self_trade.value,
            met=refused.met,
            met_parent=None if attempt is None else attempt.parent_id,
            text=refused.text,
        )
    )


# -- decrement


def let_yield(turn: Turn, newer: Parent, instrument: Instrument) -> None:
    """Cancel the first orders in the way that hold at least what the newer order asks for.

    One that is being canceled already is only waited for.
    """
    left = newer.quantity - newer.prevented - newer.done_quantity
    spec = newer.spec
    for key in turn.state.gate.all_met(instrument.book_id, spec.side, spec.limit_price):
        if left <= 0:
            return
        attempt = turn.state.attempts.get(key)
        if attempt is None:
            continue  # of another program, since the order was taken: the deadline ends the wait
        left -= attempt.order.quantity - attempt.cum_quantity
        if not attempt.cancel_wanted:
            attempt.yields_to = newer.parent_id
            attempts.cancel(turn, attempt)


# -- of strategies


def is_shared(turn: Turn, instrument: Instrument, side: Side) -> bool:
    """Whether all that an order at the market would meet now trades for strategies."""
    met = turn.state.gate.all_met(instrument.book_id, side, None)
    return bool(met) and all(_is_of_strategies(turn, key) for key in met)


def _is_of_strategies(turn: Turn, key: ClientOrderId) -> bool:
    attempt = turn.state.attempts.get(key)
    return attempt is not None and bool(turn.parent(attempt).claims)


def take_back(turn: Turn, newer: Parent, instrument: Instrument) -> None:
    """Cancel what rests for strategies in the way; its parents make it again for the rest.

    What trades at once or ends is only waited for.
    """
    spec = newer.spec
    for key in turn.state.gate.all_met(instrument.book_id, spec.side, spec.limit_price):
        attempt = turn.state.attempts.get(key)
        if attempt is None or attempt.cancel_wanted:
            continue
        other = turn.parent(attempt)
        if other.claims and _rests(other.spec):
            turn.count("orders_taken_back")
            attempts.cancel_and_remake(turn, attempt)


def _rests(spec: ParentSpec) -> bool:
    return spec.limit_price is not None and spec.time_in_force not in leftovers.AT_ONCE


def is_waited_for(turn: Turn, symbol: str, side: Side) -> bool:
    """Return whether an own order waits for this side of the book to be empty of ours.

    What was canceled to make way must not come back before that order has gone by.
    """
    if not turn.state.clearing:
        return False
    waiting = [turn.state.parents[key].spec for key in turn.state.clearing]
    return any(each.symbol == symbol and each.side is not side for each in waiting)


def stands_aside(turn: Turn, parent: Parent) -> bool:
    """Whether what rests for a strategy lets another own order go by first, however long."""
    spec = parent.spec
    if not parent.claims or not _rests(spec):
        return False
    return is_waited_for(turn, spec.symbol, spec.side) or _meets(turn, parent)


def _meets(turn: Turn, parent: Parent) -> bool:
    spec, seat = parent.spec, turn.state.seats[parent.slots[0]]
    instrument = turn.rules.listed[spec.symbol, seat.venue_id]
    return turn.state.gate.first_met(instrument.book_id, spec.side, spec.limit_price) is not None


# -- net internally


def to_net(turn: Turn, spec: ParentSpec, shares: Sequence[Share]) -> Netted | None:
    """Return what would be netted; None when that is nothing, or own orders would still be met."""
    instrument = shares[0][1]
    if spec.self_trade is not SelfTrade.NET_INTERNALLY or not _is_plain(spec):
        return None
    left: dict[SlotId, int] = {seat.slot_id: quantity for seat, _, quantity in shares}
    netted: Netted = {}
    some_stay = False
    for key in turn.state.gate.all_met(instrument.book_id, spec.side, spec.limit_price):
        attempt = turn.state.attempts.get(key)
        lots = 0
        if attempt is not None and _may_net(turn, spec, attempt):
            lots = min(left.get(attempt.slot_id, 0), attempt.order.quantity)
        if attempt is not None and lots:
            netted[key] = lots
            left[attempt.slot_id] -= lots
        if attempt is None or lots < attempt.order.quantity:
            some_stay = True
    if not netted or (some_stay and any(left.values())):
        return None
    return netted


def _is_plain(spec: ParentSpec) -> bool:
    """Whether part of the order can be taken off it without making it another one."""
    whole_or_none = spec.time_in_force is TimeInForce.FILL_OR_KILL
    return not (whole_or_none or spec.reduce_only or spec.stop_price is not None)


def _may_net(turn: Turn, spec: ParentSpec, attempt: Attempt) -> bool:
    other = turn.parent(attempt)
    # A pair or a two-sided quote counts fills: its parts are left alone.
    is_free = other.owner is None or other.owner in turn.state.algos
    return (
        attempt.phase is Phase.PLANNED
        and other.spec.strategy != spec.strategy
        and is_free
        and _is_plain(other.spec)
    )


def net(turn: Turn, newer: Parent, netted: Netted) -> None:
    """Take what is netted off both, before anything of it has left."""
    for key, lots in netted.items():
        attempt = turn.state.attempts[key]
        other = turn.parent(attempt)
        instrument = turn.instrument(attempt)
        price = _price(turn, instrument, newer.spec, other.spec)
        child = next(one for one in newer.children if one.slot_id == attempt.slot_id)
        child.quantity -= lots
        for one in (newer, other):
            one.netted += lots
            one.netted_value = add(one.netted_value, lots * price)
        is_buy = newer.spec.side is Side.BUY
        buyer, seller = (newer, other) if is_buy else (other, newer)
        turn.state.prevention.note_netting(
            Netting(
                at_ns=turn.now_ns,
                market_ns=turn.now.market_ns,
                account_id=turn.state.seats[attempt.slot_id].account_id,
                instrument_id=instrument.instrument_id,
                quantity=lots,
                price=price,
                buyer=buyer.parent_id,
                seller=seller.parent_id,
            ),
            buyer=buyer.spec.strategy,
            seller=seller.spec.strategy,
        )
        if turn.booked is not None:
            turn.booked.append(
                Handed(
                    market_ns=turn.now.market_ns,
                    account_id=turn.state.seats[attempt.slot_id].account_id,
                    instrument_id=instrument.instrument_id,
                    quantity=lots,
                    price=price,
                    buyer=buyer.spec.strategy,
                    seller=seller.spec.strategy,
                    step_value=instrument.step_value,
                )
            )
        turn.count("nettings")
        attempts.note(turn, attempt, f"netted {lots}")
        lowering.take_planned(turn, attempt, lots)
        turn.touch(other.parent_id)


def _price(turn: Turn, instrument: Instrument, spec: ParentSpec, other: ParentSpec) -> Ticks:
    """Return the middle of the market, or the nearest price that both limits allow."""
    reference = turn.state.exposure.holdings[instrument.instrument_id].reference
    assert reference is not None, "nothing passes the risk gate without a price"
    buy, sell = (spec, other) if spec.side is Side.BUY else (other, spec)
    price = int(reference)
    if sell.limit_price is not None:
        price = max(price, sell.limit_price)
    if buy.limit_price is not None:
        price = min(price, buy.limit_price)
    return Ticks(price)
