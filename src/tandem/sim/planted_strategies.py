"""Planted bugs of strategies: what is decided, what the desk is told, and what it makes of it."""

from collections.abc import Callable, Iterable

import msgspec

from tandem.core.deciding.decider import Decider
from tandem.core.deciding.likely import Likely, likely
from tandem.core.deciding.state import Asked, DeciderState, KeyState
from tandem.core.trading import netting
from tandem.core.trading.target_state import Assigned
from tandem.core.trading.turn import Turn
from tandem.domain.bars import FinalBar, Span
from tandem.domain.deciding import (
    DeciderEffect,
    Evaluate,
    Send,
    Started,
    TaskAnswered,
)
from tandem.domain.evaluation import Attached, TaskKey
from tandem.domain.ids import InstrumentId, SlotId
from tandem.domain.strategy_views import DroppedView
from tandem.messaging.balancer import Balancer
from tandem.messaging.balancer import Effect as BalancerEffect
from tandem.shells import holdings
from tandem.shells.deciding import DecidingShell
from tandem.shells.histories import BarsThen
from tandem.shells.roster import RosterLine
from tandem.sim.undoing import Undo, put


def late_answers_are_believed() -> Undo:
    """An answer is taken for the bar that is asked about now, whatever it was asked about."""
    answered = Decider._answered

    def believe(self: Decider, event: TaskAnswered) -> None:
        key = self.state.keys.get(event.answer.task_id.key)
        if key is not None and key.asked is not None:
            answer = msgspec.structs.replace(event.answer, task_id=key.asked.task_id)
            event = msgspec.structs.replace(event, answer=answer)
        answered(self, event)

    return put(Decider, "_answered", believe)


def outbox_is_forgotten_at_restart() -> Undo:
    """What the desk has not settled is not said again after a restart."""
    start = Decider._start

    def forget(self: Decider, event: Started) -> None:
        start(self, event)
        kept: list[DeciderEffect] = [one for one in self._effects if not isinstance(one, Send)]
        self._effects[:] = kept

    return put(Decider, "_start", forget)


def revisions_decide_again() -> Undo:
    """A corrected bar is decided on like a new one."""
    go_on = Decider._go_on

    def again(self: Decider, names: Iterable[TaskKey]) -> None:
        wanted = list(names)
        for name in wanted:
            key: KeyState = self.state.keys[name]
            key.pending[:] = [msgspec.structs.replace(one, revision=0) for one in key.pending]
        go_on(self, wanted)

    return put(Decider, "_go_on", again)


def memory_is_lost_when_cold() -> Undo:
    """Whoever evaluates a strategy anew is not given what it remembers."""
    evaluate = Decider._evaluate

    def lose(self: Decider, key: KeyState, asked: Asked) -> None:
        evaluate(self, key, asked)
        last = self._effects[-1]
        if isinstance(last, Evaluate) and last.whole is not None:
            bare: list[Attached] = [
                msgspec.structs.replace(one, state="{}") for one in last.whole.attached
            ]
            whole = msgspec.structs.replace(last.whole, attached=tuple(bare))
            self._effects[-1] = msgspec.structs.replace(last, whole=whole)

    return put(Decider, "_evaluate", lose)


def targets_are_traded_on_top() -> Undo:
    """What a decision wants is traded on top of what is held, so a repeat trades again."""
    want = netting.want

    def add(turn: Turn, one: Assigned, slot_id: SlotId, lots: int, *, is_again: bool) -> None:
        held = 0
        for each in one.nets:
            net = turn.state.strategies.nets[each]
            if net.slot_id == slot_id:
                held = net.members[one.assignment.assignment_id].held
        want(turn, one, slot_id, held + lots, is_again=is_again)

    return put(netting, "want", add)


def missed_bars_are_not_told_again() -> Undo:
    """What was stored while the market process died is not decided on when it is back."""
    return put(DecidingShell, "_republish", lambda _self: None)


def dead_evaluators_keep_their_tasks() -> Undo:
    """What an evaluator had when it was lost is given to nobody else."""
    on_lost = Balancer.on_lost

    def keep(self: Balancer, worker: bytes, now_ns: int) -> list[BalancerEffect]:
        seat = self._seats.get(worker)
        if seat is not None:
            seat.held.clear()
        return on_lost(self, worker, now_ns)

    return put(Balancer, "on_lost", keep)


def newcomers_hold_nothing_remembered() -> Undo:
    """A new evaluator holds strategies without what they remember."""

    def bare(state: DeciderState, has_home: Callable[[TaskKey], bool]) -> list[Likely]:
        found = []
        for one in likely(state, has_home):
            forgot = tuple(msgspec.structs.replace(each, state="{}") for each in one.whole.attached)
            whole = msgspec.structs.replace(one.whole, attached=forgot)
            found.append(msgspec.structs.replace(one, whole=whole))
        return found

    return put(holdings, "likely", bare)


def who_leaves_takes_its_tasks_along() -> Undo:
    """What an evaluator has in hand when it is told to leave is waited for by nobody."""
    on_leaving = Balancer.on_leaving

    def let_go(self: Balancer, worker: bytes, now_ns: int) -> list[BalancerEffect]:
        seat = self._seats.get(worker)
        if seat is not None:
            seat.held.clear()
        return on_leaving(self, worker, now_ns)

    return put(Balancer, "on_leaving", let_go)


def history_is_read_as_it_is_now() -> Undo:
    """Whoever is cold is given corrections that came after the bar which is evaluated."""

    def now(
        self: BarsThen, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> list[FinalBar]:
        return self._store.bars(instrument_id, span, from_ns=from_ns, to_ns=to_ns)

    return put(BarsThen, "bars", now)


def whoever_leaves_goes_on_trading() -> Undo:
    """An assignment that is taken away still wants what it wanted."""

    def stay(_turn: Turn, one: Assigned, why: str) -> None:
        one.exits = why

    return put(netting, "leave", stay)


def dropped_is_believed_taken() -> Undo:
    """What the desk says that it drops is taken for carried out, and not said again."""
    return put(Decider, "_dropped", lambda _self, _dropped: None)


def later_drops_are_not_told() -> Undo:
    """What the desk gives up after it took it is not told to whoever decides."""

    def pass_over(self: RosterLine, view: DroppedView) -> None:
        self.drops = view.drops
        self._is_asking = False

    return put(RosterLine, "_on_dropped", pass_over)


def others_are_read_as_they_are_now() -> Undo:
    """Whoever is cold is given bars of others that were told only after the bar was asked about."""
    bars = BarsThen.bars

    def now(
        self: BarsThen, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> list[FinalBar]:
        if instrument_id != self.own_id:
            return self._store.bars(instrument_id, span, from_ns=from_ns, to_ns=to_ns)
        return bars(self, instrument_id, span, from_ns=from_ns, to_ns=to_ns)

    return put(BarsThen, "bars", now)


def others_before_are_not_told() -> Undo:
    """What was published before somebody looked at a series, or was missed, is not told to him."""
    return put(DecidingShell, "_tell_others", lambda _self: None)
