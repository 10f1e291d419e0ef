"""What decisions become: wanted lots on each account, stops that are watched, times to be flat.

Right at every moment: of each assignment the newest bar's decision counts, once. A decision that
comes again, late, out of turn, or from before its assignment was given anew changes nothing, and is
counted. A position is sized when it changes, or was not reached: the same answer again keeps the
lots that it was given on every account that has not given it up, so that prices alone trade
nothing.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from tandem.core.trading import netting, sizing, strategy_orders
from tandem.core.trading.algos import watching
from tandem.core.trading.algos.sight import Sight
from tandem.core.trading.claims import net_id
from tandem.core.trading.risk import DAY_NS
from tandem.core.trading.sizing import Equities, Worth
from tandem.core.trading.target_state import Assigned
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.algos import Trigger
from tandem.domain.commands import Answer, SetTargets, TargetsTaken
from tandem.domain.ids import InstrumentId, Lots, SlotId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LOTS_MAX
from tandem.domain.order import Side
from tandem.domain.strategies import FULL_PPM, AssignmentId, DroppedTarget, Target
from tandem.domain.venue import Quote

FLAT_BY: Final = "flat by"
TOO_LATE: Final = "it came too late"
LOOK_NS_MAX: Final = 3_600_000_000_000
AHEAD_NS_MAX: Final = DAY_NS  # a bar that ends later than this is nonsense
ANEW_NS: Final = 60_000_000_000  # whose last bar is so far ahead saw it in another run


def set_targets(turn: Turn, command: SetTargets) -> Answer:
    """Take each decision that counts; say which are not carried out, and why."""
    taken = 0
    dropped = []
    equities: Equities = {}
    for target in command.targets:
        one = turn.state.strategies.assigned.get(target.assignment_id)
        why = "unassigned" if one is None else _objection(turn, one, target)
        if why is None and one is not None:
            taken += 1
            why = _take(turn, one, target, equities)
        else:
            turn.count(f"targets_{why}")
        if why is not None:
            dropped.append(_dropped(target, why))
    turn.state.counters["targets_taken"] = turn.state.counters.get("targets_taken", 0) + taken
    return TargetsTaken(taken=len(command.targets) - len(dropped), dropped=tuple(dropped))


def _dropped(target: Target, why: str) -> DroppedTarget:
    return DroppedTarget(
        assignment_id=target.assignment_id,
        number=target.number,
        end_ns=target.end_ns,
        why=why,
        is_expired=why == TOO_LATE,
    )


def _objection(turn: Turn, one: Assigned, target: Target) -> str | None:
    """Return in a word why this decision does not count."""
    if one.number != target.number:
        return "of_before"
    if one.leaving or one.suspended is not None:
        return "unwanted"
    if not _is_plausible(turn, target):
        return "garbled"
    # A recorded market may have begun anew, at a time long past.
    is_anew = one.end_ns is not None and one.end_ns - turn.now.market_ns > ANEW_NS
    if one.end_ns is not None and target.end_ns <= one.end_ns and not is_anew:
        if target.end_ns == one.end_ns and _is_besides(one, target):
            return None
        return "repeated" if target.end_ns == one.end_ns else "overtaken"
    return None


def _is_besides(one: Assigned, target: Target) -> bool:
    """Whether the bar's orders were taken, and this is the position that is wanted besides."""
    is_position = target.position_ppm is not None and not target.orders
    return is_position and one.position_end_ns < target.end_ns


def _is_plausible(turn: Turn, target: Target) -> bool:
    ahead_ns = target.end_ns - turn.now.market_ns
    ppm = target.position_ppm or 0
    prices = (target.stop_price, target.target_price)
    return (
        target.begin_ns < target.end_ns
        and ahead_ns <= AHEAD_NS_MAX
        and -FULL_PPM <= ppm <= FULL_PPM
        and all(price is None or 0 < price <= LOTS_MAX for price in prices)
    )


def _take(turn: Turn, one: Assigned, target: Target, equities: Equities) -> str | None:
    """Carry a decision out; return why its position is dropped, None when it is not."""
    one.begin_ns, one.end_ns = target.begin_ns, target.end_ns
    if target.position_ppm is not None:
        one.position_end_ns, one.dropped_at = target.end_ns, 0
    is_late = turn.now.market_ns > one.assignment.good_until_ns(target.end_ns)
    if is_late and (target.position_ppm is not None or target.orders):
        one.is_sized = one.is_sized and target.position_ppm is None
        if target.position_ppm not in (None, one.position_ppm):
            netting.forget_cancels(turn, one)
        one.dropped += 1
        turn.count("targets_dropped")
        netting.note(turn, one, "dropped", text=TOO_LATE)
        return TOO_LATE
    why = None
    if target.position_ppm is not None and not _was_stopped(one, target):
        if _is_answer(one, target):
            strategy_orders.cancel_all(turn, one, "a new position is wanted")
        why = _want(turn, one, target, equities)
    if target.orders and not is_flat_time(one, turn.now.market_ns):
        is_placed = strategy_orders.place_all(turn, one, _slots(turn, one), target.orders)
        one.has_ordered = one.has_ordered or is_placed
    return why


def _was_stopped(one: Assigned, target: Target) -> bool:
    """Whether its stop or target was reached since it was answered: that takes another answer."""
    return not _is_answer(one, target) and one.exits not in ("", FLAT_BY)


def _is_answer(one: Assigned, target: Target) -> bool:
    """Whether it is another wish than the last one, and not the same said again."""
    return not target.is_again or (target.is_after_orders and one.has_ordered)


def _want(turn: Turn, one: Assigned, target: Target, equities: Equities) -> str | None:
    position_ppm = target.position_ppm or 0
    is_answer = _is_answer(one, target)
    is_new = bool(one.exits) or one.position_ppm != position_ppm
    if is_new or target.is_after_orders:
        is_new, one.has_ordered = is_new or one.has_ordered, False
    one.position_ppm, one.exits = position_ppm, ""
    disarm(turn, one)
    if is_answer:  # else a split may have moved them since
        one.stop_price, one.target_price = target.stop_price, target.target_price
    if is_flat_time(one, turn.now.market_ns):
        netting.leave(turn, one, FLAT_BY)
        return FLAT_BY
    is_same = one.is_sized and not is_new
    why = None if is_same else _size(turn, one, target, equities, is_new=is_new)
    arm(turn, one)
    return why


def _size(
    turn: Turn, one: Assigned, target: Target, equities: Equities, *, is_new: bool
) -> str | None:
    """Let it want what its position comes to on every account; return where that is not known.

    Of a position that is not new, only on those accounts where it is not sized, or was given up.
    """
    ppm = one.position_ppm
    if ppm < 0 and not one.assignment.may_short:
        ppm = 0
    one.is_sized = True
    if is_new:
        netting.unsize(turn, one)
    said, unsized = [], []
    for slot_id in _slots(turn, one):
        if not is_new and _is_sized_on(turn, one, slot_id):
            continue
        lots: int | str = 0
        if ppm:
            worth = _worth(turn, one, slot_id, target.volatility_ppm, equities)
            how = one.assignment.sizing
            lots = worth if isinstance(worth, str) else sizing.lots_of(how, ppm, worth)
        if isinstance(lots, str):
            one.is_sized = False
            unsized.append(f"{slot_id}: {lots}")
            said.append(unsized[-1])
        else:
            netting.want(turn, one, slot_id, lots, is_again=not is_new)
            said.append(f"{slot_id} {_instrument(turn, one, slot_id).quantity_text(Lots(lots))}")
    netting.note(turn, one, "taken", text=f"{_share_text(one.position_ppm)}: {', '.join(said)}")
    return ", ".join(unsized) or None


def _is_sized_on(turn: Turn, one: Assigned, slot_id: SlotId) -> bool:
    instrument_id = _instrument(turn, one, slot_id).instrument_id
    net = turn.state.strategies.nets.get(net_id(slot_id, instrument_id))
    member = net.members.get(one.assignment.assignment_id) if net is not None else None
    return member is not None and member.is_sized


def _share_text(position_ppm: int) -> str:
    return f"{(Decimal(position_ppm) / FULL_PPM).normalize():f}"


def _slots(turn: Turn, one: Assigned) -> list[SlotId]:
    seats, named = turn.state.seats, one.assignment.slots
    slots = netting.slots_of(turn, one.assignment)
    return slots if named else [key for key in slots if seats[key].active]


def _worth(
    turn: Turn,
    one: Assigned,
    slot_id: SlotId,
    volatility_ppm: int | None,
    equities: Equities,
) -> Worth | str:
    seat, instrument = turn.state.seats[slot_id], _instrument(turn, one, slot_id)
    return sizing.worth_on(turn, seat, instrument, volatility_ppm, equities)


def _instrument(turn: Turn, one: Assigned, slot_id: SlotId) -> Instrument:
    """Return what an assignment trades on this account."""
    return turn.rules.listed[one.assignment.symbol, turn.state.seats[slot_id].venue_id]


# -- stops and targets


def arm(turn: Turn, one: Assigned) -> None:
    """Watch the market for its stop and its target, wherever it may hold something."""
    if one.stop_price is None and one.target_price is None:
        return
    armed, key = turn.state.strategies.armed, one.assignment.assignment_id
    for instrument_id in _instruments(turn, one):
        armed.setdefault(instrument_id, {})[key] = None


def disarm(turn: Turn, one: Assigned) -> None:
    """Watch no more for it."""
    armed, key = turn.state.strategies.armed, one.assignment.assignment_id
    for instrument_id in _instruments(turn, one):
        keys = armed.get(instrument_id, {})
        if keys.pop(key, key) is None and not keys:
            del armed[instrument_id]


def _instruments(turn: Turn, one: Assigned) -> list[InstrumentId]:
    """Return what its symbol is called at every venue."""
    listed, symbol = turn.rules.listed, one.assignment.symbol
    found = [listed.get((symbol, venue_id)) for venue_id in turn.rules.venues]
    return [each.instrument_id for each in found if each is not None]


def on_quotes(turn: Turn, quotes: Sequence[Quote]) -> None:
    """See whether a stop or a target is reached."""
    roster = turn.state.strategies
    for quote in quotes if roster.armed else ():
        for key in list(roster.armed.get(quote.instrument_id, ())):
            _watch(turn, roster.assigned[key], quote)


def _watch(turn: Turn, one: Assigned, quote: Quote) -> None:
    roster, key = turn.state.strategies, one.assignment.assignment_id
    held = sum(
        net.members[key].held
        for net in (roster.nets[net_id] for net_id in one.nets)
        if net.instrument_id == quote.instrument_id
    )
    if not held or one.exits:
        return
    side = Side.SELL if held > 0 else Side.BUY
    price = watching.believed(one.watch, Trigger.QUOTE, side, _sight(turn, quote))
    if price is None:
        return
    is_hit = one.stop_price is not None and watching.is_reached(
        side, price, stop_price=one.stop_price
    )
    if is_hit or _is_won(one, side, price):
        what = "stop" if is_hit else "target"
        one.is_sized = False
        turn.count(f"strategy_{what}s_hit")
        netting.note(turn, one, what, text=f"reached at {price}")
        strategy_orders.cancel_all(turn, one, f"its {what} was reached")
        netting.leave(turn, one, f"its {what} was reached")
        disarm(turn, one)


def _is_won(one: Assigned, side: Side, price: Ticks) -> bool:
    target = one.target_price
    return target is not None and (price >= target if side is Side.SELL else price <= target)


def _sight(turn: Turn, quote: Quote) -> Sight:
    return Sight(
        market_ns=turn.now.market_ns,
        began_market_ns=0,
        bid=quote.bid,
        ask=quote.ask,
        last=quote.last,
        volume=None,
        bought=0,
        sold=0,
        open_buys=0,
        open_sells=0,
        parts=(),
        is_ending=False,
        collar_ppm=turn.rules.limits.price_collar_ppm,
    )


# -- flat by


def is_flat_time(one: Assigned, market_ns: int) -> bool:
    """Whether it is to be flat now: from its time until the day (UTC) ends."""
    return one.assignment.is_flat_at(market_ns)


def look_at_clock(turn: Turn, one: Assigned) -> None:
    """Make it flat when it is time, and come back for the next day's."""
    at_ns, market_ns = one.assignment.flat_by_ns, turn.now.market_ns
    if at_ns is None:
        return
    if is_flat_time(one, market_ns) and not one.exits and one.nets:
        one.is_sized = False
        netting.note(turn, one, FLAT_BY)
        strategy_orders.cancel_all(turn, one, FLAT_BY)
        netting.mark_dropped(turn, one, FLAT_BY)  # tomorrow it may want it again
        netting.leave(turn, one, FLAT_BY)
    left_ns = min((at_ns - market_ns - 1) % DAY_NS + 1, LOOK_NS_MAX)
    after_ns = turn.rules.life_ns(left_ns)
    one.flat_alarm_ns = turn.now_ns + after_ns
    turn.wait(Alarm.FLAT, one.assignment.assignment_id, after_ns=after_ns)


def on_alarm(turn: Turn, assignment_id: AssignmentId) -> None:
    """It may be time to be flat; an alarm of an earlier assignment is not meant."""
    one = turn.state.strategies.assigned.get(assignment_id)
    if one is not None and turn.now_ns >= one.flat_alarm_ns:
        look_at_clock(turn, one)


def renew(turn: Turn) -> None:
    """Look at every clock again, after a restart has stopped all alarms."""
    for one in turn.state.strategies.assigned.values():
        look_at_clock(turn, one)
