"""Planted bugs of quantities, of the two gates, and of orders with two sides."""

import contextlib
from typing import Any

from tandem.core.trading import (
    amending,
    attempts,
    books,
    leftovers,
    planning,
    releasing,
    tandem_orders,
)
from tandem.core.trading import worker as worker_core
from tandem.core.trading.self_trade import Gate
from tandem.core.trading.state import (
    Attempt,
    Pair,
    PairPhase,
    Parent,
    ParentPhase,
    Phase,
    Piece,
    Seat,
)
from tandem.core.trading.turn import Turn
from tandem.domain.ids import ClientOrderId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.sim.undoing import Undo, all_of, put


def unknown_frees_its_price() -> Undo:
    """The self-trade gate forgets an order that nobody knows about."""
    become_unknown = attempts.become_unknown
    give_back = books.give_back

    def forget(turn: Turn, attempt: Attempt, why: str) -> None:
        was = attempt.phase
        become_unknown(turn, attempt, why)
        if was is Phase.RELEASED and attempt.phase is Phase.UNKNOWN:
            order = attempt.order
            gate = turn.state.gate
            gate.release(attempt.book_id, order.side, order.limit_price, order.client_order_id)

    def give(turn: Turn, attempt: Attempt) -> None:
        order = attempt.order
        gate = turn.state.gate
        with contextlib.suppress(AssertionError):
            gate.release(attempt.book_id, order.side, order.limit_price, order.client_order_id)
        gate.reserve(attempt.book_id, order.side, order.limit_price, order.client_order_id)
        give_back(turn, attempt)

    undo = (put(attempts, "become_unknown", forget), put(books, "give_back", give))
    return all_of(*undo)


def cancel_frees_its_price() -> Undo:
    """The self-trade gate forgets an order when its cancel is sent, not when it is confirmed."""
    cancel, give_back = attempts.cancel, books.give_back

    def forget(turn: Turn, attempt: Attempt) -> None:
        begins = attempt.phase is not Phase.PLANNED and not attempt.cancel_wanted
        cancel(turn, attempt)
        if begins and not attempt.is_final:
            _leave_gate(turn, attempt)

    def give(turn: Turn, attempt: Attempt) -> None:
        if attempt.cancel_wanted and attempt.sends:
            _enter_gate(turn, attempt)
        give_back(turn, attempt)

    return all_of(put(attempts, "cancel", forget), put(books, "give_back", give))


def planned_reserves_no_price() -> Undo:
    """The self-trade gate hears of an order when it is released, not when it is planned."""
    reserve, give_back, release = books.reserve, books.give_back, releasing.release

    def at_plan(turn: Turn, attempt: Attempt, seat: Seat, instrument: Any) -> None:
        reserve(turn, attempt, seat, instrument)
        _leave_gate(turn, attempt)

    def at_release(turn: Turn, attempt: Attempt) -> None:
        _enter_gate(turn, attempt)
        release(turn, attempt)

    def at_end(turn: Turn, attempt: Attempt) -> None:
        if not attempt.sends:
            _enter_gate(turn, attempt)
        give_back(turn, attempt)

    return all_of(
        put(books, "reserve", at_plan),
        put(releasing, "release", at_release),
        put(books, "give_back", at_end),
    )


def _enter_gate(turn: Turn, attempt: Attempt) -> None:
    order = attempt.order
    gate = turn.state.gate
    gate.reserve(attempt.book_id, order.side, order.limit_price, order.client_order_id)


def _leave_gate(turn: Turn, attempt: Attempt) -> None:
    order = attempt.order
    gate = turn.state.gate
    gate.release(attempt.book_id, order.side, order.limit_price, order.client_order_id)


def market_orders_reserve_nothing() -> Undo:
    """The self-trade gate forgets orders without a price."""
    reserve, release = Gate.reserve, Gate.release

    def reserve_priced(
        self: Gate, book_id: str, side: Side, price: Ticks | None, key: ClientOrderId
    ) -> None:
        if price is not None:
            reserve(self, book_id, side, price, key)

    def release_priced(
        self: Gate, book_id: str, side: Side, price: Ticks | None, key: ClientOrderId
    ) -> None:
        if price is not None:
            release(self, book_id, side, price, key)

    return all_of(put(Gate, "reserve", reserve_priced), put(Gate, "release", release_priced))


def no_gate() -> Undo:
    """Nobody looks whether an order could meet an own one."""
    return put(planning, "_met", lambda _turn, _spec, _instrument: None)


def gate_of_each_venue() -> Undo:
    """The self-trade gate looks at one venue, not at all venues of its market."""

    def met(turn: Turn, spec: ParentSpec, instrument: Instrument) -> Any:
        gate = turn.state.gate
        for key in gate.all_met(instrument.book_id, spec.side, spec.limit_price):
            if turn.state.attempts[key].order.instrument_id == instrument.instrument_id:
                return key
        return None

    return put(planning, "_met", met)


def clearing_is_not_awaited() -> Undo:
    """An order that had own ones in its way goes out before their cancels are confirmed."""
    cleared = planning._cleared

    def at_once(turn: Turn, parent: Parent) -> Any:
        undo = put(planning, "_met", lambda _turn, _spec, _instrument: None)
        try:
            return cleared(turn, parent)
        finally:
            undo()

    return put(planning, "_cleared", at_once)


def fills_counted_twice() -> Undo:
    """Executions are not known by their id."""
    filled = attempts._filled

    def forgetful(turn: Turn, attempt: Attempt, fill: Any) -> None:
        if fill.execution_id in attempt.executions and not attempt.is_final:
            del attempt.executions[fill.execution_id]
        filled(turn, attempt, fill)

    return put(attempts, "_filled", forgetful)


def late_fills_forgotten() -> Undo:
    """A fill that comes after its order's end is dropped."""
    filled = attempts._filled

    def deaf(turn: Turn, attempt: Attempt, fill: Any) -> None:
        if not attempt.is_final:
            filled(turn, attempt, fill)

    return put(attempts, "_filled", deaf)


def own_count_at_the_end() -> Undo:
    """What is left of a canceled order is taken from our own count, not the venue's."""
    ended = attempts._ended_there

    def own(turn: Turn, attempt: Attempt, ending: Any, _cum: int) -> None:
        ended(turn, attempt, ending, attempt.cum_quantity)

    return put(attempts, "_ended_there", own)


def left_before_final() -> Undo:
    """What an UNKNOWN attempt holds is given to another account before it is settled."""
    become_unknown = attempts.become_unknown

    def hasty(turn: Turn, attempt: Attempt, why: str) -> None:
        released = attempt.phase is Phase.RELEASED
        become_unknown(turn, attempt, why)
        if released and attempt.phase is Phase.UNKNOWN:
            parent = turn.parent(attempt)
            parent.quantity += attempt.order.quantity
            parent.pieces.append(Piece(attempt.child, attempt.order.quantity))
            parent.deadline_ns = turn.now_ns + turn.rules.timings.retry_ns
            turn.touch(parent.parent_id)

    return put(attempts, "become_unknown", hasty)


def whole_is_tried_again() -> Undo:
    """What is tried again after an end is the whole order, not what was left of it."""
    hand_back = leftovers.hand_back

    def whole(turn: Turn, attempt: Attempt) -> None:
        final_cum, attempt.final_cum = attempt.final_cum, 0
        hand_back(turn, attempt)
        attempt.final_cum = final_cum

    return put(leftovers, "hand_back", whole)


def half_a_wave() -> Undo:
    """The slots that are ready are released at once; the others of the order follow, or do not."""
    try_release = releasing.try_release

    def ready_first(turn: Turn, parent: Parent) -> None:
        for attempt in releasing.planned_of(turn, parent):
            if releasing._may_go(turn, attempt, turn.state.seats[attempt.slot_id]):
                releasing.release(turn, attempt)
        if parent.planned:
            try_release(turn, parent)

    return put(releasing, "try_release", ready_first)


def next_slice_at_once() -> Undo:
    """The next slice of a pair does not wait for both legs of the last one."""
    advance = tandem_orders.advance_pair

    def hasty(turn: Turn, pair: Pair) -> None:
        done = [turn.state.parents[one].phase is ParentPhase.DONE for one in pair.legs]
        is_uneven = any(done) and not all(done)
        if pair.phase is PairPhase.SLICING and is_uneven and pair.slices < pair.spec.slices:
            tandem_orders._open_slice(turn, pair)
            return
        advance(turn, pair)

    return put(tandem_orders, "advance_pair", hasty)


def unknown_leg_is_hedged() -> Undo:
    """A leg that is UNKNOWN when its slice's time is over counts as one that did not trade."""
    advance = tandem_orders.advance_pair

    def hasty(turn: Turn, pair: Pair) -> None:
        parents = [turn.state.parents[one] for one in pair.legs]
        late = turn.now_ns >= pair.repair_by_ns and pair.phase is PairPhase.SLICING
        open_legs = [one for one in parents if one.phase is not ParentPhase.DONE]
        if not late or not open_legs or not all(_is_unknown(turn, one) for one in open_legs):
            advance(turn, pair)
            return
        for one in open_legs:
            planning.cancel_parent(turn, one, "the slice's time is over")
        for one in parents:
            if one.spec.side is Side.BUY:
                pair.bought += one.done_quantity
            else:
                pair.sold += one.done_quantity
        pair.legs = []
        if pair.bought != pair.sold:
            tandem_orders._repair(turn, pair)

    return put(tandem_orders, "advance_pair", hasty)


def _is_unknown(turn: Turn, parent: Parent) -> bool:
    open_ones = [turn.state.attempts[one] for one in parent.attempts]
    open_ones = [one for one in open_ones if not one.is_final]
    return bool(open_ones) and all(one.phase is Phase.UNKNOWN for one in open_ones)


def failed_leg_is_left() -> Undo:
    """A leg that traded less than the other is left so, and the pair goes on."""

    def leave(turn: Turn, pair: Pair) -> None:
        if pair.cancel_wanted or pair.slices >= pair.spec.slices:
            pair.phase = PairPhase.DONE
            return
        tandem_orders._open_slice(turn, pair)
        turn.touch(pair.pair_id)

    return put(tandem_orders, "_repair", leave)


def inventory_without_limit() -> Undo:
    """A two-sided quote is refreshed in full, whatever it holds already."""
    return put(tandem_orders, "_room", lambda both, _side: both.spec.quantity)


def desk_has_no_limits() -> Undo:
    """The desk asks no risk gate; its workers still do."""
    return put(books, "first_breach_of", lambda _turn, _spec, _shares: None)


def worker_has_no_limits() -> Undo:
    """A worker asks no risk gate; its desk still does."""
    return put(worker_core, "first_breach", lambda _order, _limits, _exposure, _now, _most: None)


def amend_counts_when_asked() -> Undo:
    """An order that is lowered counts less as soon as its venue is asked, not when it obeys."""
    ask = amending.ask

    def hasty(turn: Turn, attempt: Attempt) -> None:
        ask(turn, attempt)
        wanted = attempt.wanted_quantity
        if wanted is not None and attempt.cum_quantity < wanted < attempt.order.quantity:
            amending.lower(turn, attempt, wanted)

    return put(amending, "ask", hasty)


def anew_before_final() -> Undo:
    """What a replaced order leaves goes out anew when the old one's cancel is sent."""
    change = planning._change

    def hasty(turn: Turn, parent: Parent) -> None:
        out, parent.allocated = parent.allocated, 0
        change(turn, parent)
        parent.allocated += out

    return put(planning, "_change", hasty)
