"""Planted bugs of strategies: what they want, and what they are thought to hold."""

from collections.abc import Mapping
from decimal import Decimal

from tandem.core.trading import claims, handing, meeting, netting, targets
from tandem.core.trading.accounting import Accounting
from tandem.core.trading.booked import Claimed, Handed
from tandem.core.trading.group_tally import Tally
from tandem.core.trading.state import DeskState, Parent, ParentPhase
from tandem.core.trading.target_state import Assigned, Member, Net
from tandem.core.trading.turn import Turn
from tandem.domain.ids import SlotId
from tandem.domain.order import Order, Side
from tandem.domain.reports import Filled
from tandem.domain.strategies import AssignmentId, Target
from tandem.sim.undoing import Undo, put


def older_bars_decide_again() -> Undo:
    """A decision that comes late overrides that of a newer bar."""
    objection = targets._objection

    def never_overtaken(turn: Turn, one: Assigned, target: Target) -> str | None:
        why = objection(turn, one, target)
        return None if why == "overtaken" else why

    return put(targets, "_objection", never_overtaken)


def net_forgets_its_order() -> Undo:
    """What is wanted of an account is traded anew while an order for it is out."""
    advance = netting.advance

    def forget(turn: Turn, net: Net) -> None:
        net.parent_id = None
        advance(turn, net)

    return put(netting, "advance", forget)


def old_decisions_are_traded() -> Undo:
    """What was decided is carried out however old it has become."""
    return put(netting, "_expire", lambda _turn, _net: None)


def late_fills_are_nobodys() -> Undo:
    """What trades of a strategy's order while it is being canceled is counted for nobody."""
    on_fill = claims.on_fill

    def skip(
        state: DeskState, parent: Parent, order: Order, *, slot_id: SlotId, lots: int
    ) -> tuple[Claimed, ...]:
        if parent.cancel_wanted or parent.phase is ParentPhase.DONE:
            return ()
        return on_fill(state, parent, order, slot_id=slot_id, lots=lots)

    return put(claims, "on_fill", skip)


def handed_over_is_told_to_one() -> Undo:
    """What strategies hand each other counts for the one that takes it, and not for the giver."""
    hand = Accounting._hand

    def half(self: Accounting, handed: Handed) -> None:
        count = Tally.on_fill

        def skip_sells(
            tally: Tally, side: Side, fill: Filled, step_value: Decimal, *, executions: int = 1
        ) -> None:
            if side is Side.BUY:
                count(tally, side, fill, step_value, executions=executions)

        undo = put(Tally, "on_fill", skip_sells)
        hand(self, handed)
        undo()

    return put(Accounting, "_hand", half)


def handed_over_by_nobody() -> Undo:
    """What a strategy takes over from another one stays with the other as well."""
    cross = handing.cross

    def copy(turn: Turn, net: Net, lacking: Mapping[AssignmentId, Member]) -> None:
        before = {key: member.held for key, member in lacking.items() if member.lacking < 0}
        cross(turn, net, lacking)
        for key, held in before.items():
            lacking[key].held = held

    return put(handing, "cross", copy)


def resting_orders_keep_strategies_out() -> Undo:
    """What rests for one strategy has the orders of another refused, as long as it rests."""
    return put(meeting, "is_shared", lambda _turn, _instrument, _side: False)
