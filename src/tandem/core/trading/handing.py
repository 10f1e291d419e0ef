"""What one strategy hands to another inside an account, instead of both trading it.

It is no execution: nothing leaves, the account holds what it held, and there is no fee. Both count
it at the market's reference, so what they gain sums to what the account gains.
"""

from collections.abc import Mapping

import msgspec

from tandem.core.trading.booked import Handed
from tandem.core.trading.prevention import Netting
from tandem.core.trading.sizing import young_price_of
from tandem.core.trading.target_state import Member, Net
from tandem.core.trading.turn import Turn
from tandem.domain.ids import ParentId, Ticks
from tandem.domain.strategies import AssignmentId


def cross(turn: Turn, net: Net, lacking: Mapping[AssignmentId, Member]) -> None:
    """Let those that have too much give to those that lack; nothing without a young price."""
    takers = [(key, one) for key, one in lacking.items() if one.lacking > 0]
    givers = [(key, one) for key, one in lacking.items() if one.lacking < 0]
    instrument = turn.rules.instruments[net.instrument_id]
    price = young_price_of(turn, instrument)
    if price is None:
        return
    while takers and givers:
        (to, taker), (giver_id, giver) = takers[0], givers[0]
        lots = min(taker.lacking, -giver.lacking)
        taker.held += lots
        giver.held -= lots
        _record(turn, net, _Handing(to, giver_id, lots, price))
        if not taker.lacking:
            del takers[0]
        if not giver.lacking:
            del givers[0]


class _Handing(msgspec.Struct, frozen=True, gc=False):
    """One step of it."""

    to: AssignmentId
    giver: AssignmentId
    lots: int
    price: Ticks


def _record(turn: Turn, net: Net, one: _Handing) -> None:
    assigned = turn.state.strategies.assigned
    buyer = assigned[one.to].assignment.name
    seller = assigned[one.giver].assignment.name
    account_id = turn.state.seats[net.slot_id].account_id
    turn.state.prevention.note_netting(
        Netting(
            at_ns=turn.now_ns,
            market_ns=turn.now.market_ns,
            account_id=account_id,
            instrument_id=net.instrument_id,
            quantity=one.lots,
            price=one.price,
            buyer=ParentId(one.to),
            seller=ParentId(one.giver),
        ),
        buyer=buyer,
        seller=seller,
    )
    turn.count("targets_handed")
    if turn.booked is not None:
        turn.booked.append(
            Handed(
                market_ns=turn.now.market_ns,
                account_id=account_id,
                instrument_id=net.instrument_id,
                quantity=one.lots,
                price=one.price,
                buyer=buyer,
                seller=seller,
                step_value=turn.rules.instruments[net.instrument_id].step_value,
                buyer_assignment=one.to,
                seller_assignment=one.giver,
            )
        )
