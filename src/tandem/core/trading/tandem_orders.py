"""Both sides of the market: a two-sided quote, and a pair on two markets.

Both are made of parents and own them. They decide only when all of their present parts are done,
so what they know of the traded quantities is the venues' final word; a part that is UNKNOWN is
not done, and so an unknown leg is never hedged.

A pair keeps |bought - sold| within one slice: slice n + 1 is opened only after both legs of slice
n are done and equal, or the leg policy has made them equal.
"""

from tandem.core.trading import destinations, planning, two_sided
from tandem.core.trading.state import (
    Both,
    BothPhase,
    Pair,
    PairPhase,
    Parent,
    ParentPhase,
)
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.commands import (
    Answer,
    ExitRule,
    LegPolicy,
    PlaceBoth,
    PlacePair,
    RefusalReason,
    Refused,
    Taken,
)
from tandem.domain.ids import CommandId, Lots, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec

REPAIRS_MAX = 3
TIMES_NS_MAX = 366 * 86_400 * 1_000_000_000


# -- two-sided quote


def open_both(turn: Turn, command_id: CommandId, spec: PlaceBoth) -> Answer:
    """Quote both sides; refused as a whole when either side is."""
    text = _impossible_both(spec)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    both = Both(
        both_id=planning.new_order_id(turn),
        command_id=command_id,
        spec=spec,
        refreshes_left=spec.refreshes,
        ends_at_ns=turn.now_ns + spec.lifetime_ns,
    )
    buy = _quote(turn, both, Side.BUY)
    if isinstance(buy, Refused):
        return buy
    turn.state.boths[both.both_id] = both
    turn.wait(Alarm.BOTH, both.both_id, after_ns=spec.lifetime_ns)
    sell = _quote(turn, both, Side.SELL)
    if isinstance(sell, Refused):
        # The buy side is planned and not released: ended now, it never leaves.
        planning.cancel_parent(turn, buy, "the other side was refused")
        cancel_both(turn, both, f"the sell side was refused: {sell.text}")
        return sell
    return Taken(order_id=both.both_id)


def _impossible_both(spec: PlaceBoth) -> str | None:
    if spec.buy_price >= spec.sell_price:
        return f"buy {spec.buy_price} is not below sell {spec.sell_price}: they would meet"
    if not 0 < spec.quantity <= spec.inventory_limit:
        return f"quantity {spec.quantity} is not within 1 to the limit {spec.inventory_limit}"
    if not 0 < spec.lifetime_ns <= TIMES_NS_MAX:
        return f"lifetime {spec.lifetime_ns} ns is not within 1 to {TIMES_NS_MAX}"
    return None


def _room(both: Both, side: Side) -> int:
    """Return how much this side may trade before the inventory reaches its limit."""
    return both.spec.inventory_limit - side.sign * both.inventory


def _quote(turn: Turn, both: Both, side: Side) -> Parent | Refused:
    """Open one side, as large as the inventory limit allows should it trade in full."""
    spec = both.spec
    quantity = min(spec.quantity, _room(both, side))
    price = spec.buy_price if side is Side.BUY else spec.sell_price
    parent = planning.open_parent(
        turn,
        both.command_id,
        ParentSpec(
            symbol=spec.symbol,
            side=side,
            quantity=Lots(quantity),
            limit_price=price,
            time_in_force=TimeInForce.GOOD_TILL_CANCEL,
            slots=two_sided.half_of(turn, spec.symbol, spec.slots, side),
        ),
        owner=both.both_id,
    )
    if isinstance(parent, Refused):
        return parent
    both.parts.append(parent.parent_id)
    if side is Side.BUY:
        both.buy_id = parent.parent_id
    else:
        both.sell_id = parent.parent_id
    return parent


def advance_both(turn: Turn, both: Both) -> None:
    """Count what is done; quote anew, cancel, flatten or end."""
    if both.phase is BothPhase.DONE:
        return
    _count_part(turn, both, Side.BUY)
    _count_part(turn, both, Side.SELL)
    expired = turn.now_ns >= both.ends_at_ns
    if both.phase is BothPhase.QUOTING and (expired or both.cancel_wanted):
        both.phase = BothPhase.CANCELING
        both.text = both.text or "its lifetime is over"
        for part in (both.buy_id, both.sell_id):
            if part is not None:
                planning.cancel_parent(turn, turn.state.parents[part], both.text)
    if both.phase is BothPhase.QUOTING:
        _refresh(turn, both)
    if both.buy_id is not None or both.sell_id is not None:
        return
    _exit(turn, both)


def _count_part(turn: Turn, both: Both, side: Side) -> None:
    part_id = both.buy_id if side is Side.BUY else both.sell_id
    if part_id is None or turn.state.parents[part_id].phase is not ParentPhase.DONE:
        return
    part = turn.state.parents[part_id]
    both.inventory += side.sign * part.done_quantity
    two_sided.count_part(turn.state, turn.rules, both.tally, part)
    if side is Side.BUY:
        both.buy_id = None
    else:
        both.sell_id = None


def _refresh(turn: Turn, both: Both) -> None:
    for side in (Side.BUY, Side.SELL):
        part_id = both.buy_id if side is Side.BUY else both.sell_id
        if part_id is not None or both.refreshes_left <= 0 or _room(both, side) <= 0:
            continue
        both.refreshes_left -= 1
        turn.count("quotes_refreshed")
        opened = _quote(turn, both, side)
        if isinstance(opened, Refused):
            both.text = opened.text
            turn.count("quotes_refused")


def _exit(turn: Turn, both: Both) -> None:
    if both.inventory == 0 or both.spec.exit_rule is ExitRule.CANCEL:
        both.phase = BothPhase.DONE
        return
    if both.phase is BothPhase.FLATTENING:
        symbol, slots = both.spec.symbol, both.spec.slots
        left = destinations.quantity_text(turn, symbol, slots, both.inventory)
        both.text = f"could not flatten: {left} is left"
        both.phase = BothPhase.DONE
        return
    both.phase = BothPhase.FLATTENING
    turn.count("quotes_flattened")
    side = Side.SELL if both.inventory > 0 else Side.BUY
    spec = two_sided.market_order(both.spec.symbol, side, abs(both.inventory), both.spec.slots)
    opened = two_sided.open_exit(turn, both.command_id, spec, owner=both.both_id)
    if isinstance(opened, Refused):
        both.text = f"could not flatten: {opened.text}"
        both.phase = BothPhase.DONE
        return
    both.parts.append(opened.parent_id)
    if side is Side.BUY:
        both.buy_id = opened.parent_id
    else:
        both.sell_id = opened.parent_id


def cancel_both(turn: Turn, both: Both, why: str) -> None:
    """End both sides; what was traded is left to the exit rule."""
    if both.phase is BothPhase.QUOTING:
        both.cancel_wanted = True
        both.text = why
        turn.touch(both.both_id)


def forget_old(turn: Turn) -> None:
    """Those that are done are kept for questions, but not for ever."""
    boths, pairs, kept = turn.state.boths, turn.state.pairs, turn.rules.settings.finished_max
    while len(boths) > kept and next(iter(boths.values())).phase is BothPhase.DONE:
        del boths[next(iter(boths))]
    ended = (PairPhase.DONE, PairPhase.HALTED)
    while len(pairs) > kept and next(iter(pairs.values())).phase in ended:
        del pairs[next(iter(pairs))]


# -- pair on two markets


def open_pair(turn: Turn, command_id: CommandId, spec: PlacePair) -> Answer:
    """Open the first slice on both legs; refused as a whole when either leg is."""
    text = _impossible_pair(turn, spec)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    for symbol in (spec.buy_symbol, spec.sell_symbol):
        if symbol in turn.state.halted:  # or one leg would go out for the policy to repair
            return destinations.symbol_halted(turn, symbol)
    pair = Pair(pair_id=planning.new_order_id(turn), command_id=command_id, spec=spec)
    refused = _open_slice(turn, pair)
    if refused is not None and not pair.legs:
        return refused
    turn.state.pairs[pair.pair_id] = pair
    return refused or Taken(order_id=pair.pair_id)


def _impossible_pair(turn: Turn, spec: PlacePair) -> str | None:
    if spec.slice_quantity <= 0 or spec.slices <= 0:
        return f"{spec.slices} slices of {spec.slice_quantity}: both must be positive"
    if not (0 < spec.slice_ns <= TIMES_NS_MAX and 0 < spec.policy_ns <= TIMES_NS_MAX):
        return f"times {spec.slice_ns} and {spec.policy_ns} ns are not within 1 to {TIMES_NS_MAX}"
    if not spec.buy_slots or not spec.sell_slots:
        return "a pair names the slots of both legs"
    if any(one in spec.sell_slots for one in spec.buy_slots):
        return "a slot cannot be on both legs"
    bought = destinations.listed_at(turn, spec.buy_symbol, spec.buy_slots)
    sold = destinations.listed_at(turn, spec.sell_symbol, spec.sell_slots)
    if bought is None or sold is None:
        return None  # opening the leg says what is wrong
    if bought.book_id == sold.book_id:
        return f"both legs trade in {bought.book_id}: a pair needs two markets"
    if bought.lot_size != sold.lot_size:
        return f"lots of {bought.lot_size} and {sold.lot_size}: the legs could not be made equal"
    return None


def _open_slice(turn: Turn, pair: Pair) -> Refused | None:
    """Release the next slice on both legs; a leg refused leaves the other to the policy."""
    pair.slices += 1
    pair.legs = []
    pair.repairs = 0
    pair.repair_by_ns = turn.now_ns + pair.spec.slice_ns
    turn.wait(Alarm.PAIR, pair.pair_id, after_ns=pair.spec.slice_ns)
    first: Refused | None = None
    for side in (Side.BUY, Side.SELL):
        opened = planning.open_parent(
            turn, pair.command_id, _leg(pair.spec, side), owner=pair.pair_id
        )
        if isinstance(opened, Refused):
            first = first or opened
            pair.text = f"{side} leg refused: {opened.text}"
            pair.cancel_wanted = True
            break
        pair.legs.append(opened.parent_id)
        pair.parts.append(opened.parent_id)
    if first is not None:
        for key in pair.legs:
            planning.cancel_parent(turn, turn.state.parents[key], "the other leg was refused")
        turn.count("legs_refused")
    return first


def _leg(spec: PlacePair, side: Side) -> ParentSpec:
    is_buy = side is Side.BUY
    return ParentSpec(
        symbol=spec.buy_symbol if is_buy else spec.sell_symbol,
        side=side,
        quantity=spec.slice_quantity,
        limit_price=Ticks(spec.buy_price if is_buy else spec.sell_price),
        time_in_force=TimeInForce.GOOD_TILL_CANCEL,
        slots=spec.buy_slots if is_buy else spec.sell_slots,
    )


def advance_pair(turn: Turn, pair: Pair) -> None:
    """Go on when all present legs are done: repair what is uneven, next slice, or end."""
    if pair.phase in (PairPhase.DONE, PairPhase.HALTED):
        return
    parents = [turn.state.parents[one] for one in pair.legs]
    if any(one.phase is not ParentPhase.DONE for one in parents):
        late = turn.now_ns >= pair.repair_by_ns
        # A repair is not canceled with its pair: it makes the legs equal.
        if late or (pair.cancel_wanted and pair.phase is PairPhase.SLICING):
            for one in parents:
                planning.cancel_parent(turn, one, pair.text or "the slice's time is over")
        return
    for one in parents:
        two_sided.count_part(turn.state, turn.rules, pair.tally, one)
        if one.spec.side is Side.BUY:
            pair.bought += one.done_quantity
        else:
            pair.sold += one.done_quantity
    pair.legs = []
    if pair.bought != pair.sold:
        _repair(turn, pair)
    elif pair.cancel_wanted or pair.slices >= pair.spec.slices:
        pair.phase = PairPhase.DONE
        turn.count("pairs_done")
    else:
        pair.phase = PairPhase.SLICING
        _open_slice(turn, pair)
        turn.touch(pair.pair_id)


def _repair(turn: Turn, pair: Pair) -> None:
    """One leg traded more than the other: hedge, unwind or halt."""
    turn.count("leg_failures")
    pair.phase = PairPhase.REPAIRING
    surplus = pair.bought - pair.sold
    if pair.spec.policy is LegPolicy.HALT or pair.repairs >= REPAIRS_MAX:
        _halt_pair(turn, pair, f"bought {pair.bought}, sold {pair.sold}")
        return
    pair.repairs += 1
    hedge = pair.spec.policy is LegPolicy.HEDGE
    side = Side.SELL if surplus > 0 else Side.BUY
    # To hedge is to trade the missing leg; to unwind is to trade the surplus leg back. Either
    # way the order's side is the same, and the leg it is placed on differs.
    on_buy_leg = (side is Side.BUY) == hedge
    symbol = pair.spec.buy_symbol if on_buy_leg else pair.spec.sell_symbol
    slots = pair.spec.buy_slots if on_buy_leg else pair.spec.sell_slots
    spec = two_sided.market_order(symbol, side, abs(surplus), slots)
    opened = two_sided.open_exit(turn, pair.command_id, spec, owner=pair.pair_id)
    if isinstance(opened, Refused):
        _halt_pair(turn, pair, f"bought {pair.bought}, sold {pair.sold}; {opened.text}")
        return
    turn.count("legs_hedged" if hedge else "legs_unwound")
    pair.legs = [opened.parent_id]
    pair.parts.append(opened.parent_id)
    pair.repair_by_ns = turn.now_ns + pair.spec.policy_ns
    turn.wait(Alarm.PAIR, pair.pair_id, after_ns=pair.spec.policy_ns)


def _halt_pair(turn: Turn, pair: Pair, text: str) -> None:
    pair.phase = PairPhase.HALTED
    pair.text = text
    turn.count("pairs_halted")


def cancel_pair(turn: Turn, pair: Pair, why: str) -> None:
    """End the pair; a difference between its legs still goes to the policy."""
    if pair.phase in (PairPhase.DONE, PairPhase.HALTED):
        return
    pair.cancel_wanted = True
    pair.text = why
    turn.touch(pair.pair_id)


def renew(turn: Turn, pair: Pair) -> None:
    """After a restart the present wait begins anew."""
    after_ns = pair.spec.slice_ns if pair.phase is PairPhase.SLICING else pair.spec.policy_ns
    pair.repair_by_ns = turn.now_ns + after_ns
    turn.wait(Alarm.PAIR, pair.pair_id, after_ns=after_ns)
    turn.touch(pair.pair_id)
