"""Runs every algorithm: shows it the market, and does what it answers.

Right at every moment: on each side, what an algorithm's parts have traded and may still trade is
at most what its spec allows, because nothing is placed beyond `room`. Its parts are parents like
any others, so what is promised of a parent (split, released together, never twice, never meeting
an own order, within limits) holds for whatever an algorithm does. (A spec that was replaced by a
smaller one allows less at once; what is out by the old one may trade until its cancel is
confirmed, and counts.)

It never hammers: when a part was refused, or ended by itself with nothing traded, the algorithm
is not asked again before `RETRY_NS`.

An algorithm ends in two steps: everything that is out is canceled and waited for, so that all
quantities are the venues' final word, and then it may leave what it holds (`Leaving`).
"""

from itertools import islice
from typing import Final

import msgspec

from tandem.core.trading import claims, destinations, meeting, planning, two_sided
from tandem.core.trading.algos import flat_by, kinds
from tandem.core.trading.algos.leaving import leave
from tandem.core.trading.algos.sight import LEAVE, LEFT, PartSeen, Sight, Slice, Step
from tandem.core.trading.state import (
    Algo,
    AlgoPhase,
    Parent,
    ParentPhase,
    Part,
    SeenQuote,
    Shown,
)
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.algos import AlgoSpec, Leaving, MakeMarket, Momentum, WorkedSpec
from tandem.domain.commands import (
    Answer,
    Done,
    PlaceAlgo,
    RefusalReason,
    Refused,
    ReplaceOrder,
    Taken,
)
from tandem.domain.ids import CommandId, Lots, VenueId
from tandem.domain.limits import LOTS_MAX
from tandem.domain.money import add
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec, SelfTrade, Split
from tandem.domain.venue import Quote

STEP_NS_MIN: Final = 1_000_000  # market time; a kind that asks to be woken sooner is not
PARTS_KEPT: Final = 1_000  # of one algorithm, for questions; its sums count them all
RETRY_NS: Final = 250_000_000  # after a part that was refused, or that nobody traded with

# Finding a member of an enum costs more than comparing it, and these are asked for every quote.
_WORKING, _PAUSED, _ENDING, _DONE = AlgoPhase
_PART_DONE: Final = ParentPhase.DONE
_BUY: Final = Side.BUY
_ALGO: Final = Alarm.ALGO
_CANCEL_RESTING: Final = SelfTrade.CANCEL_RESTING
_REJECT_NEW: Final = SelfTrade.REJECT_NEW
_OF_BOTH_SIDES: Final = (MakeMarket, Momentum)  # kinds that trade to and fro


def open_algo(turn: Turn, command_id: CommandId, command: PlaceAlgo) -> Answer:
    """Take an algorithm, and let it begin at once; refused, nothing has changed."""
    algo = begin(turn, command_id, command.spec)
    return algo if isinstance(algo, Refused) else Taken(order_id=algo.algo_id)


def begin(turn: Turn, command_id: CommandId, spec: AlgoSpec) -> Algo | Refused:
    """Return a new algorithm, which begins in this event."""
    text = _objection(spec) or flat_by.objection(spec, turn.now.market_ns)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    places = destinations.eligible(turn, spec.symbol, spec.slots)
    if isinstance(places, Refused):
        return places
    algo_id = planning.new_order_id(turn)
    algo = Algo(
        algo_id=algo_id,
        command_id=command_id,
        spec=spec,
        memo=kinds.new_memo(spec, seed=turn.state.next_order),
        began_market_ns=turn.now.market_ns,
    )
    quote = turn.state.quotes.get(places[0][1].instrument_id)
    algo.arrival = _sight(turn, algo, quote).middle
    turn.state.algos[algo_id] = algo
    turn.state.running[algo_id] = None
    turn.count(f"algos_{kinds.name_of(spec)}")
    turn.touch(algo_id)
    return algo


def _objection(spec: AlgoSpec) -> str | None:
    if not 0 < spec.quantity <= LOTS_MAX:
        return f"quantity {spec.quantity} is not within 1 to {LOTS_MAX}"
    text = None if isinstance(spec, _OF_BOTH_SIDES) else _objection_to_worked(spec)
    return text or kinds.objection(spec)


def _objection_to_worked(spec: WorkedSpec) -> str | None:
    if spec.limit_price is not None and not 0 < spec.limit_price <= LOTS_MAX:
        return f"price {spec.limit_price} is not within 1 to {LOTS_MAX}"
    if spec.split is Split.EACH:
        return "an algorithm's quantity is that of all its accounts together: it is not each's"
    low, high = spec.rounding.min_percent, spec.rounding.max_percent
    if not 0 <= low <= 100 <= high:
        return f"random shares of {low} to {high} per cent do not include the equal one"
    return None


def on_quote(turn: Turn, quote: Quote) -> None:
    """Remember the market, for everybody who looks at it."""
    turn.state.quotes[quote.instrument_id] = SeenQuote(
        quote.bid,
        quote.ask,
        quote.last,
        quote.volume,
        turn.now.market_ns,
        told_ns=quote.told_ns,
        messages=quote.messages,
        doubt=quote.doubt,
        faults=quote.faults,
    )


def touch_all(turn: Turn) -> None:
    """Let every running algorithm look: the market moved."""
    for algo_id in turn.state.running:
        turn.touch(algo_id)


def renew(turn: Turn) -> None:
    """Let every running algorithm look, after a restart has stopped all alarms."""
    for algo_id in turn.state.running:
        algo = turn.state.algos[algo_id]
        algo.alarm_ns = algo.retry_at_ns = 0
        turn.touch(algo_id)


def advance(turn: Turn, algo: Algo) -> None:
    """Count what has ended, ask the algorithm, and do what it says."""
    if algo.phase is _DONE:
        return
    _count_ended(turn, algo)
    _note_shown(turn, algo)
    if algo.spec.flat_by_ns is not None:
        _mind_flat_by(turn, algo)
    if algo.phase is _PAUSED:
        return
    if algo.phase is _ENDING and any(one.role != LEAVE for one in algo.open):
        _cancel_parts(turn, algo, algo.text or "its algorithm ends")
        return
    sight = _sight(turn, algo, _quote(turn, algo))
    if algo.arrival is None:
        algo.arrival = sight.middle
    if turn.now_ns < algo.retry_at_ns:
        _look_in(turn, algo, algo.retry_at_ns - turn.now_ns)
        return
    if algo.flattens:
        step = leave(Leaving.FLATTEN, algo, sight)
    else:
        step = kinds.step(algo.spec, algo.memo, sight)
    if step.is_over and algo.phase is _ENDING and _holds_on(algo, sight):
        algo.text = "holds what it has until it is to be flat"
        return
    _do(turn, algo, step, sight)
    _note_shown(turn, algo)


def _mind_flat_by(turn: Turn, algo: Algo) -> None:
    """Begin to become flat when it is time to, or look again then."""
    begins_ns = flat_by.begins_ns(algo.spec, algo.began_market_ns)
    assert begins_ns is not None, f"{algo.algo_id} need not be flat"
    left_ns = begins_ns - turn.now.market_ns
    if left_ns > 0:
        _look_in(turn, algo, turn.rules.life_ns(left_ns))
    elif not (algo.flattens or algo.is_canceled):
        turn.count("algos_flat_by")
        algo.phase, algo.text = _ENDING, "it is time to be flat"
        algo.flattens = flat_by.gives_back(algo.spec)
    if algo.flattens and flat_by.goes_on(algo.spec, turn.now.market_ns):
        algo.leaves = 0


def _holds_on(algo: Algo, sight: Sight) -> bool:
    """Whether it has done its work, and holds what is to be given back by a later moment."""
    is_to_be_flat = algo.spec.flat_by_ns is not None and flat_by.gives_back(algo.spec)
    is_over = algo.flattens or algo.is_canceled or not sight.position
    return is_to_be_flat and not is_over


def _do(turn: Turn, algo: Algo, step: Step, sight: Sight | None) -> None:
    algo.text = step.text or algo.text
    if LEFT in step.text:
        algo.text = step.text.replace(LEFT, _quantity_text(turn, algo, step.left))
    for what in step.counts:
        turn.count(what)
    if step.is_over:
        if algo.phase is _ENDING:
            _end(turn, algo)
        else:
            algo.phase = _ENDING
            turn.touch(algo.algo_id)
        return
    for parent_id in step.cancel:
        planning.cancel_parent(turn, turn.state.parents[parent_id], "its algorithm moved it")
    for one in step.place:
        _place(turn, algo, one, sight)
        sight = None  # what was placed just now counts for the next
    algo.wake_market_ns = step.wake_market_ns
    if step.wake_market_ns is not None:
        left_ns = max(STEP_NS_MIN, step.wake_market_ns - turn.now.market_ns)
        _look_in(turn, algo, turn.rules.life_ns(left_ns))


def _quantity_text(turn: Turn, algo: Algo, lots: int) -> str:
    return destinations.quantity_text(turn, algo.spec.symbol, algo.spec.slots, lots)


def _look_in(turn: Turn, algo: Algo, after_ns: int) -> None:
    """Ask it again by then at the latest; an alarm that stands and rings earlier is enough."""
    due_ns = turn.now_ns + after_ns
    if not turn.now_ns < algo.alarm_ns <= due_ns:
        algo.alarm_ns = due_ns
        turn.wait(_ALGO, algo.algo_id, after_ns=after_ns)


def _pause_for_breath(turn: Turn, algo: Algo) -> None:
    algo.retry_at_ns = turn.now_ns + RETRY_NS
    _look_in(turn, algo, RETRY_NS)


def _place(turn: Turn, algo: Algo, one: Slice, sight: Sight | None) -> None:
    room = kinds.room(algo.spec, one.side, sight or _sight(turn, algo, None))
    assert one.quantity <= room, f"{algo.algo_id} places {one.quantity} with room for {room}"
    if meeting.is_waited_for(turn, algo.spec.symbol, one.side):
        _pause_for_breath(turn, algo)
        return
    spec = _parent_spec(turn, algo.spec, one)
    opening = two_sided.open_exit if one.is_exit else planning.open_parent
    opened = opening(turn, algo.command_id, spec, owner=algo.algo_id)
    if isinstance(opened, Refused):
        algo.refusals += 1
        algo.text = opened.text
        turn.count(f"algo_refused_{opened.reason}")
        _pause_for_breath(turn, algo)
        return
    if len(algo.parts) >= 2 * PARTS_KEPT:
        del algo.parts[:PARTS_KEPT]
    algo.parts.append(opened.parent_id)
    algo.open.append(Part(one.role, opened.parent_id))
    claims.claim_part(algo, opened)


def _parent_spec(turn: Turn, spec: AlgoSpec, one: Slice) -> ParentSpec:
    slots = spec.slots
    if isinstance(spec, MakeMarket) and not one.is_exit:
        slots = two_sided.half_of(turn, spec.symbol, slots, one.side)
    made = ParentSpec(
        symbol=spec.symbol,
        side=one.side,
        quantity=Lots(one.quantity),
        limit_price=one.limit_price,
        time_in_force=one.time_in_force,
        post_only=one.post_only,
        slots=slots if one.slots is None else one.slots,
        self_trade=_CANCEL_RESTING if one.cancels_own else _REJECT_NEW,
        strategy=spec.strategy,
    )
    if isinstance(spec, _OF_BOTH_SIDES):
        return made
    return msgspec.structs.replace(
        made,
        split=spec.split,
        rounding=spec.rounding,
        self_trade=made.self_trade if one.cancels_own else spec.self_trade,
        reduce_only=spec.reduce_only,
    )


def _count_ended(turn: Turn, algo: Algo) -> None:
    still = []
    for part in algo.open:
        parent = turn.state.parents[part.parent_id]
        if parent.phase is not _PART_DONE:
            still.append(part)
            continue
        if parent.spec.side is _BUY:
            algo.bought += parent.done_quantity + parent.netted
            algo.bought_value = add(algo.bought_value, two_sided.value_of(parent))
        else:
            algo.sold += parent.done_quantity + parent.netted
            algo.sold_value = add(algo.sold_value, two_sided.value_of(parent))
        algo.fees = add(algo.fees, parent.fees)
        if not (parent.done_quantity or parent.netted or parent.cancel_wanted):
            _pause_for_breath(turn, algo)
    algo.open = still


def _sight(turn: Turn, algo: Algo, quote: SeenQuote | None) -> Sight:
    bought, sold, open_buys, open_sells = algo.bought, algo.sold, 0, 0
    parts = []
    for part in algo.open:
        parent = turn.state.parents[part.parent_id]
        seen = _seen(part, parent)
        parts.append(seen)
        if parent.spec.side is _BUY:
            bought += seen.traded
            open_buys += parent.quantity - seen.traded
        else:
            sold += seen.traded
            open_sells += parent.quantity - seen.traded
    return Sight(
        market_ns=turn.now.market_ns,
        began_market_ns=algo.began_market_ns,
        bid=quote.bid if quote is not None else None,
        ask=quote.ask if quote is not None else None,
        last=quote.last if quote is not None else None,
        volume=quote.volume if quote is not None else None,
        bought=bought,
        sold=sold,
        open_buys=open_buys,
        open_sells=open_sells,
        parts=parts,
        is_ending=algo.phase is _ENDING,
        quoted_market_ns=_told_ns(quote) if quote is not None else None,
        collar_ppm=turn.rules.limits.price_collar_ppm,
    )


def _told_ns(quote: SeenQuote) -> int:
    """Return how old it is by its feed; one that says nothing is as old as its arrival."""
    return quote.market_ns if quote.told_ns is None else min(quote.market_ns, quote.told_ns)


def _seen(part: Part, parent: Parent) -> PartSeen:
    return PartSeen(
        role=part.role,
        parent_id=part.parent_id,
        side=parent.spec.side,
        quantity=parent.quantity,
        limit_price=parent.spec.limit_price,
        traded=min(parent.filled + parent.netted, parent.quantity),
        is_ending=parent.cancel_wanted,
    )


def _quote(turn: Turn, algo: Algo) -> SeenQuote | None:
    found = destinations.listed_at(
        turn, algo.spec.symbol, algo.spec.slots or tuple(turn.state.seats)
    )
    assert found is not None, f"{algo.spec.symbol} was listed when {algo.algo_id} was taken"
    return turn.state.quotes.get(found.instrument_id)


def _note_shown(turn: Turn, algo: Algo) -> None:
    """Keep the most that it may have had at a venue at once, and in all: others can see that.

    What is planned or unknown counts in full, so it is never more than what is noted here.
    """
    if not algo.open:
        return
    state = turn.state
    shown: dict[VenueId, int] = {}
    for part in algo.open:
        for key in state.parents[part.parent_id].attempts:
            attempt = state.attempts[key]
            if not attempt.is_final:
                venue_id = state.seats[attempt.slot_id].venue_id
                leaves = max(0, attempt.order.quantity - attempt.cum_quantity)
                shown[venue_id] = shown.get(venue_id, 0) + leaves
    algo.shown_max = max(algo.shown_max, sum(shown.values()))
    for venue_id, lots in shown.items():
        before = algo.shown.get(venue_id)
        if before is None or lots > before.lots:
            algo.shown[venue_id] = Shown(lots, turn.now.market_ns)


def _cancel_parts(turn: Turn, algo: Algo, why: str) -> None:
    for part in algo.open:
        planning.cancel_parent(turn, turn.state.parents[part.parent_id], why)


def _end(turn: Turn, algo: Algo) -> None:
    assert not algo.open, f"{algo.algo_id} ends while something of it is out"
    algo.phase = _DONE
    algo.ended_market_ns = turn.now.market_ns
    del turn.state.running[algo.algo_id]
    turn.count("algos_done")
    if algo.assignment_id is not None:
        claims.order_ended(turn, algo.assignment_id, algo.algo_id)


def cancel(turn: Turn, algo: Algo, why: str) -> None:
    """Wind it up: cancel what is out, leave as its spec says, end."""
    if algo.is_canceled or algo.phase is _DONE:
        return
    algo.is_canceled = True
    if algo.phase is not _ENDING or not algo.open:
        algo.phase, algo.text = _ENDING, why
    turn.touch(algo.algo_id)


def pause(turn: Turn, algo: Algo) -> Answer:
    """Cancel what is out, and place nothing until resumed."""
    if algo.phase is not AlgoPhase.WORKING:
        text = f"{algo.algo_id} is {algo.phase}: only a working algorithm can be paused"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    algo.phase = _PAUSED
    turn.count("algos_paused")
    _cancel_parts(turn, algo, "paused")
    return Done(text=f"{algo.algo_id} is paused; {len(algo.open)} of its orders are being canceled")


def resume(turn: Turn, algo: Algo) -> Answer:
    """Go on: what a schedule asked for meanwhile is caught up."""
    if algo.phase is not _PAUSED:
        text = f"{algo.algo_id} is {algo.phase}, not paused"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    algo.phase = AlgoPhase.WORKING
    turn.count("algos_resumed")
    turn.touch(algo.algo_id)
    return Done(text=f"{algo.algo_id} goes on")


def replace(turn: Turn, algo: Algo, command: ReplaceOrder) -> Answer:
    """Change its quantity or limit; what is out by the old words is canceled."""
    if algo.phase in (_ENDING, _DONE):
        text = f"{algo.algo_id} is {algo.phase}"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    spec = kinds.replaced(algo.spec, command)
    if isinstance(spec, str):
        return Refused(reason=RefusalReason.BAD_ORDER, text=spec)
    objection = _objection(spec)
    if objection is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=objection)
    if not isinstance(spec, _OF_BOTH_SIDES):
        traded = _sight(turn, algo, None).traded(spec.side)
        if spec.quantity < traded:
            asked, done = (_quantity_text(turn, algo, one) for one in (spec.quantity, traded))
            text = f"quantity {asked} is less than the {done} that have traded"
            return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    algo.spec = spec
    turn.count("algos_replaced")
    _cancel_parts(turn, algo, "replaced")
    turn.touch(algo.algo_id)
    return Done(text=f"{algo.algo_id} is replaced")


def forget_old(turn: Turn) -> None:
    """Those that are done are kept for questions, but not for ever; now and then a sixteenth more.

    One that runs for long does not keep the others.
    """
    algos, kept = turn.state.algos, turn.rules.settings.finished_max
    surplus = len(algos) - len(turn.state.running) - kept
    if surplus > kept // 16:
        done = (key for key, algo in algos.items() if algo.phase is _DONE)
        for key in list(islice(done, surplus)):
            del algos[key]
