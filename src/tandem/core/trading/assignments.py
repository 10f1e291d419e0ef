"""Which strategies are saved, and where each decides: the roster of a desk.

Right at every moment: what an assignment holds belongs to it until it is traded back or let go, so
giving it anew, suspending it or taking it away moves nothing by itself. Each time it is given, it
has a higher number; a decision that names an earlier one was made by other words, and is dropped.
"""

from typing import Final, assert_never

from tandem.core.trading import netting, strategy_orders, targets
from tandem.core.trading.risk import DAY_NS
from tandem.core.trading.target_state import (
    ASSIGNMENTS_MAX,
    TEXTS_BYTES_MAX,
    TEXTS_MAX,
    Assigned,
)
from tandem.core.trading.turn import Turn
from tandem.domain.algos import Leaving
from tandem.domain.commands import (
    Answer,
    Assign,
    Done,
    OfStrategies,
    RefusalReason,
    Refused,
    SaveStrategy,
    SetTargets,
    SuspendStrategy,
    Unassign,
)
from tandem.domain.desk import Alert
from tandem.domain.limits import LOTS_MAX
from tandem.domain.strategies import (
    FULL_PPM,
    Assignment,
    AssignmentId,
    Fixed,
    PercentOfEquity,
    Sizing,
)

ID_MAX: Final = 60
_ONE_LINE: Final = f"1 to {ID_MAX} characters on one line, without a blank at the ends"
_BREAKS: Final = "\x7f\x85\u2028\u2029"  # beside the control characters below the blank
OTHERS_MAX: Final = 20
PARAMETERS_MAX: Final = 64
PARAMETER_BYTES_MAX: Final = 1_000
LEVERAGE_MAX: Final = 100  # a full position's worth, in times of equity
BARS_MIN, BARS_MAX = 2, 2_000
GOOD_FOR_NS_MAX: Final = 7 * DAY_NS


def carry_out(turn: Turn, command: OfStrategies) -> Answer:
    """Do what was asked of strategies."""
    match command:
        case SaveStrategy():
            return save(turn, command)
        case Assign():
            return assign(turn, command)
        case Unassign():
            return unassign(turn, command)
        case SuspendStrategy():
            return suspend(turn, command)
        case SetTargets():
            return targets.set_targets(turn, command)
        case _:
            assert_never(command)


def save(turn: Turn, command: SaveStrategy) -> Answer:
    """Keep a text, and let its name mean it; a text that nothing refers to goes when it is full."""
    roster, text = turn.state.strategies, command.text
    if not _is_one_line(text.name):
        return Refused(
            reason=RefusalReason.BAD_ASSIGNMENT, text=f"name {text.name!r}: expected {_ONE_LINE}"
        )
    if text.name not in roster.names and len(roster.names) >= TEXTS_MAX:
        says = f"{len(roster.names)} names of strategies are in use"
        return Refused(reason=RefusalReason.TOO_MANY, text=says)
    text_hash = text.text_hash
    is_known = text_hash in roster.texts
    if is_known and roster.names.get(text.name) == text_hash:
        return Done(text=f"{text.name} is saved already: {text_hash[:12]}")
    if not is_known:
        size = len(text.text.encode())
        while len(roster.texts) >= TEXTS_MAX or roster.texts_bytes + size > TEXTS_BYTES_MAX:
            if not _forget_one(turn):
                says = f"{len(roster.texts)} strategies are saved, of {roster.texts_bytes} bytes"
                return Refused(reason=RefusalReason.TOO_MANY, text=says)
        roster.texts_bytes += size
    roster.texts[text_hash] = text
    roster.names[text.name] = text_hash
    roster.version += 1
    return Done(text=f"{text.name} is saved: {text_hash[:12]}")


def _is_one_line(name: str) -> bool:
    """Return whether a name can stand in a row of a table, and be typed again."""
    is_bounded = 0 < len(name) <= ID_MAX and name == name.strip()
    return is_bounded and not any(one in _BREAKS or one < " " for one in name)


def _forget_one(turn: Turn) -> bool:
    """Forget the oldest text that no name and no assignment means; return whether there is one."""
    roster = turn.state.strategies
    meant = dict.fromkeys(roster.names.values())
    meant |= dict.fromkeys(one.assignment.text_hash for one in roster.assigned.values())
    for text_hash in roster.texts:
        if text_hash not in meant:
            roster.texts_bytes -= len(roster.texts.pop(text_hash).text.encode())
            return True
    return False


def assign(turn: Turn, command: Assign) -> Answer:
    """Let a strategy decide from now on; what does not belong to it any more is traded back."""
    roster, assignment = turn.state.strategies, command.assignment
    refused = _objection(turn, assignment)
    if refused is not None:
        return refused
    roster.version += 1
    before = roster.assigned.get(assignment.assignment_id)
    one = Assigned(assignment=assignment, number=roster.version)
    if before is not None:
        targets.disarm(turn, before)
        one.position_ppm = before.position_ppm
        one.begin_ns, one.end_ns = before.begin_ns, before.end_ns
        one.position_end_ns = before.position_end_ns
        one.stop_price, one.target_price = before.stop_price, before.target_price
        one.watch, one.exits, one.dropped = before.watch, before.exits, before.dropped
        one.nets, one.orders = before.nets, before.orders
    roster.assigned[assignment.assignment_id] = one
    netting.on_assigned(turn, one)
    targets.arm(turn, one)
    targets.look_at_clock(turn, one)
    turn.count("assignments")
    return Done(text=f"{assignment.assignment_id}: {assignment.name} decides {assignment.symbol}")


def _objection(turn: Turn, new: Assignment) -> Refused | None:
    roster = turn.state.strategies
    if new.text_hash not in roster.texts:
        text = f"no strategy {new.text_hash[:12]!r} is saved"
        return Refused(reason=RefusalReason.UNKNOWN_STRATEGY, text=text)
    if new.assignment_id not in roster.assigned and len(roster.assigned) >= ASSIGNMENTS_MAX:
        return Refused(reason=RefusalReason.TOO_MANY, text=f"{ASSIGNMENTS_MAX} are assigned")
    refused = _objection_to_places(turn, new)
    if refused is not None:
        return refused
    objection = _objection_to_sizing(new.sizing) or _objection_to_bounds(new)
    if objection is None:
        return None
    return Refused(reason=RefusalReason.BAD_ASSIGNMENT, text=objection)


def _objection_to_places(turn: Turn, new: Assignment) -> Refused | None:
    if new.symbol in new.others:
        text = f"{new.symbol} is its own symbol: --others are those that it looks at besides"
        return Refused(reason=RefusalReason.BAD_ASSIGNMENT, text=text)
    for symbol in (new.symbol, *new.others):
        if not turn.rules.catalogue.on_symbol(symbol):
            text = f"no venue lists {symbol}"
            return Refused(reason=RefusalReason.UNKNOWN_SYMBOL, text=text)
    for slot_id in new.slots:
        slot = turn.rules.slots.get(slot_id)
        if slot is None:
            return Refused(reason=RefusalReason.UNKNOWN_SLOT, text=f"no slot {slot_id}")
        if (new.symbol, slot.venue_id) not in turn.rules.listed:
            text = f"the venue of {slot_id} does not list {new.symbol}"
            return Refused(reason=RefusalReason.NO_SLOT, text=text)
    if new.may_short:
        for slot_id in netting.slots_of(turn, new):
            if not turn.rules.slots[slot_id].may_short:
                text = f"{slot_id} is a spot account: its positions cannot be negative"
                return Refused(reason=RefusalReason.BAD_ASSIGNMENT, text=text)
    return None


def _objection_to_sizing(sizing: Sizing) -> str | None:
    if isinstance(sizing, Fixed):
        if not 0 < sizing.quantity <= LOTS_MAX:
            return f"quantity {sizing.quantity} is not within 1 to {LOTS_MAX}"
        return None
    most = LEVERAGE_MAX * FULL_PPM
    ppm = sizing.ppm if isinstance(sizing, PercentOfEquity) else sizing.ppm_per_day
    if not 0 < ppm <= most:
        return f"{ppm} millionths of equity are not within 1 to {most}"
    if not isinstance(sizing, PercentOfEquity) and not BARS_MIN <= sizing.bars <= BARS_MAX:
        return f"volatility of {sizing.bars} bars: expected {BARS_MIN} to {BARS_MAX}"
    return None


def _objection_to_bounds(new: Assignment) -> str | None:
    if not _is_one_line(new.assignment_id) or not _is_one_line(new.name):
        return f"an id and a name: expected {_ONE_LINE}"
    if len(new.others) > OTHERS_MAX:
        return f"{len(new.others)} other symbols: at most {OTHERS_MAX}"
    if len(new.parameters) > PARAMETERS_MAX:
        return f"{len(new.parameters)} parameters: at most {PARAMETERS_MAX}"
    for name, value in new.parameters.items():
        if len(name) > ID_MAX or len(str(value)) > PARAMETER_BYTES_MAX:
            return f"parameter {name[:ID_MAX]!r} is too long"
    if new.good_for_ns is not None and not 0 < new.good_for_ns <= GOOD_FOR_NS_MAX:
        return f"decisions good for {new.good_for_ns} ns are not within 1 to {GOOD_FOR_NS_MAX}"
    if new.flat_by_ns is not None and not 0 <= new.flat_by_ns < DAY_NS:
        return f"flat by {new.flat_by_ns} ns after midnight: expected less than {DAY_NS}"
    return None


def unassign(turn: Turn, command: Unassign) -> Answer:
    """Let it decide no more; what it holds is let go, or traded back first."""
    roster, key = turn.state.strategies, command.assignment_id
    one = roster.assigned.get(key)
    if one is None:
        return _unknown(key)
    roster.version += 1
    targets.disarm(turn, one)
    strategy_orders.cancel_all(turn, one, "it is taken away")
    if command.leaving is Leaving.KEEP:
        netting.let_go(turn, key)
        return Done(text=f"{key} decides no more; what it holds stays")
    one.leaving = True
    nets = [roster.nets[each] for each in one.nets]
    is_flat = not one.orders and not any(
        net.members[key].held or netting.is_claimed(turn, net, key) for net in nets
    )
    netting.leave(turn, one, "it is taken away")
    text = f"{key} decides no more"
    return Done(text=text if is_flat else f"{text}; what it holds is traded back")


def suspend(turn: Turn, command: SuspendStrategy) -> Answer:
    """Note that it failed; what it wants and holds stays as it is."""
    roster, key = turn.state.strategies, command.assignment_id
    one = roster.assigned.get(key)
    if one is None:
        return _unknown(key)
    if one.number != command.number:
        turn.count("suspensions_of_before")
        return Done(text=f"{key} was assigned anew since")
    if one.suspended is None:
        roster.version += 1
        one.suspended = command.reason
        turn.count("strategies_suspended")
        netting.note(turn, one, "suspended", text=command.reason)
        turn.out.append(Alert(text=f"strategy {key} is suspended: {command.reason}"))
    return Done(text=f"{key} is suspended")


def _unknown(key: AssignmentId) -> Refused:
    text = f"nothing is assigned as {key[:ID_MAX]!r}"
    return Refused(reason=RefusalReason.UNKNOWN_ASSIGNMENT, text=text)
