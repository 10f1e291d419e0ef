"""What everything that trades both sides shares: its slots' sides, its way out, what it traded."""

from decimal import Decimal

import msgspec

from tandem.core.trading import destinations, planning
from tandem.core.trading.state import DeskState, Parent
from tandem.core.trading.tally import Tally
from tandem.core.trading.turn import Rules, Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import CommandId, Lots, ParentId, SlotId
from tandem.domain.money import add, multiply
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade, Split


def half_of(turn: Turn, symbol: str, slots: tuple[SlotId, ...], side: Side) -> tuple[SlotId, ...]:
    """Pair the slots: the first of each two buys, the second sells; a single one does both."""
    chosen = slots or tuple(
        one.slot_id
        for one in turn.state.seats.values()
        if one.active and destinations.instrument_at(turn, symbol, one) is not None
    )
    if len(chosen) < 2:
        return chosen
    return chosen[0::2] if side is Side.BUY else chosen[1::2]


def market_order(symbol: str, side: Side, quantity: int, slots: tuple[SlotId, ...]) -> ParentSpec:
    """Return an order that trades so much at the market, own resting orders out of its way."""
    return ParentSpec(
        symbol=symbol,
        side=side,
        quantity=Lots(quantity),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        slots=slots,
        self_trade=SelfTrade.CANCEL_RESTING,
    )


def open_exit(
    turn: Turn, command_id: CommandId, spec: ParentSpec, owner: ParentId
) -> Parent | Refused:
    """Open it where there is most to trade with, else everywhere alike.

    An account that may go short has nothing to weigh, and can sell nevertheless.
    """
    weighted = msgspec.structs.replace(spec, split=Split.WEIGHTED)
    opened = planning.open_parent(turn, command_id, weighted, owner=owner)
    if isinstance(opened, Refused) and opened.reason is RefusalReason.FUNDS:
        alike = msgspec.structs.replace(spec, split=Split.EQUAL)
        opened = planning.open_parent(turn, command_id, alike, owner=owner)
    return opened


def value_of(parent: Parent) -> Decimal:
    """What it traded, and what it took over from other strategies of ours, in ticks times lots."""
    return add(parent.filled_value, parent.netted_value)


def count_part(state: DeskState, rules: Rules, tally: Tally, parent: Parent) -> None:
    """Count what a part has traded, in money of its own market."""
    seat = state.seats[parent.slots[0]]
    instrument = rules.listed[parent.spec.symbol, seat.venue_id]
    money = multiply(instrument.step_value, value_of(parent))
    lots = parent.filled + parent.netted
    tally.count(parent.spec.side, lots, money=money, fees=parent.fees)
