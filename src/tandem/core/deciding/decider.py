"""The decider: which strategies are due on a final bar, and what was decided, exactly once.

It is told final bars, what is assigned, and what evaluators answered. For each bar of an assigned
series it has all strategies of that series evaluated, one bar after the other, because what a
strategy remembers goes from one to the next. Evaluating is a pure function, so a bar may be
evaluated anywhere and any number of times: the first answer counts, and makes one decision for
each assignment. What an assignment newly wants goes to the desk, under a command id that is kept
until the desk has settled it. A position that the desk drops, then or later, goes there again with
the next bar, for as long as it is wanted; at once when its time was over and a newer bar wants it.
So does what was not said while prices were stale, once they are not. A revised bar changes
history, and decides nothing.
"""

from collections.abc import Iterable
from typing import Final, assert_never

import msgspec

from tandem.core.deciding import others, roster
from tandem.core.deciding.inputs import attached_of, chained, inputs_hash
from tandem.core.deciding.state import Asked, DeciderState, Held, KeyState
from tandem.core.deciding.volatility import volatility_ppm
from tandem.core.market.origins import origin_ns
from tandem.domain.bars import FinalBar
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.deciding import (
    AskWhole,
    BarsFinal,
    CommandSettled,
    Decided,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    FeedJudged,
    HistoryRead,
    Note,
    OthersTold,
    RosterSeen,
    Send,
    Started,
    TargetsDropped,
    TaskAnswered,
)
from tandem.domain.evaluation import (
    OWN_TENANT,
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    Said,
    Skipped,
    TaskId,
    TaskKey,
)
from tandem.domain.ids import CommandId, InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.strategies import (
    Answer,
    AssignmentId,
    Decision,
    DroppedTarget,
    Target,
    VolatilityTarget,
)

_SILENT: Final = Answer()  # of whoever said nothing


class Decider:
    """One trader's decider; everything it remembers is in `state`."""

    def __init__(self) -> None:
        """Begin with nothing assigned."""
        self.state = DeciderState()
        self._effects: list[DeciderEffect] = []
        self._now = Instant(0, 0)

    @classmethod
    def restore(cls, snapshot: bytes) -> "Decider":
        """Return the decider that gave this snapshot.

        Raises:
            msgspec.MsgspecError: the bytes are no snapshot.
        """
        made = cls()
        made.state = msgspec.msgpack.decode(snapshot, type=DeciderState)
        return made

    def snapshot(self) -> bytes:
        """Return everything remembered; equal deciders give equal bytes."""
        return msgspec.msgpack.encode(self.state)

    @property
    def next_due_ns(self) -> int | None:
        """None: bars and answers wake it, time does not."""
        return None

    def on(self, event: DeciderEvent, now: Instant) -> list[DeciderEffect]:
        """Return what must be done about `event`, in this order."""
        effects: list[DeciderEffect] = []
        self._effects = effects
        self._now = now
        match event:
            case Started():
                self._start(event)
            case RosterSeen():
                for text in roster.seen(self.state, event):
                    effects.append(Note(text=text))
                self._go_on(self.state.keys)
            case BarsFinal() | OthersTold():
                self._bars(event.bars, decides=isinstance(event, BarsFinal))
            case FeedJudged():
                self.state.stale.pop(event.instrument_id, None)
                if event.is_stale:
                    self.state.stale[event.instrument_id] = None
                else:
                    self._say_again(self._held_of(event.instrument_id))
            case TaskAnswered():
                self._answered(event)
            case CommandSettled():
                self._settled(event)
            case TargetsDropped():
                self._dropped(event.dropped, were_taken=True)
            case _:
                assert_never(event)
        return effects

    def _start(self, event: Started) -> None:
        """Ask and say again what nobody may have heard: those who were asked do not know us."""
        state = self.state
        state.run = state.run or event.run
        for command_id, command in state.outbox.items():
            self._effects.append(Send(command_id=command_id, command=command))
        for name, key in state.keys.items():
            key.warm = None
            if key.asked is not None:
                asked, key.asked = key.asked, None
                self._ask(name, key, asked.final, asked)

    # -- bars

    def _bars(self, bars: Iterable[FinalBar], *, decides: bool) -> None:
        touched: dict[TaskKey, None] = {}
        for final in bars:
            bar = final.bar
            for name in self._keys_of(final):
                key = self.state.keys[name]
                if bar.instrument_id == key.instrument.instrument_id:
                    if decides and final.number > key.seen:
                        key.seen = final.number
                        key.pending.append(final)
                else:
                    others.tell(key, final)
                touched[name] = None
        self._go_on(touched)

    def _keys_of(self, final: FinalBar) -> list[TaskKey]:
        """Return the keys whose strategies look at this bar."""
        instrument_id, span = final.bar.instrument_id, final.bar.span
        return [
            name
            for name in self.state.by_series.get(f"{instrument_id} {span}", ())
            if name in self.state.keys
        ]

    def _go_on(self, names: Iterable[TaskKey]) -> None:
        """Have the next bar of each key evaluated that waits for nothing else."""
        for name in names:
            key = self.state.keys[name]
            while key.pending and key.asked is None:
                final = key.pending.pop(0)
                if final.revision:
                    roster.history_changed(self.state, key)
                    key.done = final.number
                else:
                    self._ask(name, key, final)

    def _ask(
        self, name: TaskKey, key: KeyState, final: FinalBar, before: Asked | None = None
    ) -> None:
        """Have a bar evaluated, with all that was told by now; `before` is how it was asked."""
        taken = others.take(self.state, key, final)
        seen = others.seen(key)
        if before is not None:
            taken = before.others + taken
            if seen != before.seen:
                roster.changed(self.state, key)  # an answer to that would be of less
        bar = final.bar
        began_ns = origin_ns(bar.span, bar.begin_ns, bar.instrument_id)
        if key.origin_ns != began_ns:
            key.origin_ns = began_ns
            roster.history_changed(self.state, key)
        attached = [
            number
            for number, assignment_id in key.members.items()
            if self.state.held[assignment_id].error is None
        ]
        if not attached:
            key.done = final.number
            key.warm = None
            key.chain = None  # whoever comes next reads this bar from history
            return
        if any(one not in key.others_chains for one in key.others):
            key.chain = None  # somebody looks at it only now: nobody is warm
        is_whole = key.warm != key.roster or key.done != final.number - 1
        task_id = TaskId(tenant=OWN_TENANT, key=name, roster=key.roster, number=final.number)
        key.asked = Asked(task_id, final, taken, attached, is_whole, seen)
        self._evaluate(key, key.asked)

    def _evaluate(self, key: KeyState, asked: Asked) -> None:
        whole = None
        if asked.is_whole:
            held = [self._member(key, number) for number in asked.attached]
            whole = AskWhole(
                instrument=key.instrument,
                others=tuple(key.others.values()),
                from_ns=key.origin_ns or 0,
                attached=tuple(_attached(one) for one in held),
                closes=key.closes_wanted,
                wants_chain=key.chain is None,
                others_seen=asked.seen,
            )
        taken = asked.others if whole is None else ()  # history has them
        self._effects.append(
            Evaluate(task_id=asked.task_id, bar=asked.final.bar, others=taken, whole=whole)
        )

    # -- answers

    def _answered(self, event: TaskAnswered) -> None:
        answer = event.answer
        key = self.state.keys.get(answer.task_id.key)
        if key is None or key.asked is None or key.asked.task_id != answer.task_id:
            self.state.late += 1
            return
        asked = key.asked
        match answer:
            case Cold() if asked.is_whole and event.history is None:
                self.state.late += 1  # it was asked with everything since
            case Cold():
                self._cold(answer, key, asked)
            case Skipped():
                self._skip(answer.task_id.key, key, asked, answer.reason)
            case Evaluated():
                self._read(key, asked, event.history)
                self._decide(answer, key, asked)
                key.warm = asked.task_id.roster
                key.done = asked.final.number
                key.asked = None
                self._go_on((answer.task_id.key,))
            case _:
                assert_never(answer)

    def _skip(self, name: TaskKey, key: KeyState, asked: Asked, reason: str) -> None:
        """Decide nothing on this bar, and say so."""
        text = f"{name}: nothing was decided on bar {asked.final.number}: {reason}"
        self._effects.append(Note(text=text))
        key.warm = None
        key.chain = None
        key.done = asked.final.number
        key.asked = None
        self._go_on((name,))

    def _cold(self, cold: Cold, key: KeyState, asked: Asked) -> None:
        """Ask again with everything, without those that had to be ended."""
        numbers = dict.fromkeys(asked.attached)
        failed = [one for one in cold.failed if one.number in key.members and one.number in numbers]
        if asked.is_whole and not failed and key.roster == asked.task_id.roster:
            self._skip(cold.task_id.key, key, asked, "an evaluator cannot do it, though it has all")
            return
        key.asked = None
        key.warm = None
        for said in failed:
            self._suspend(self._member(key, said.number), said.answer.error or "ended by force")
            roster.changed(self.state, key)
        self._ask(cold.task_id.key, key, asked.final, asked)
        if key.asked is None:  # nobody is left
            self._go_on((cold.task_id.key,))

    def _read(self, key: KeyState, asked: Asked, history: HistoryRead | None) -> None:
        """Take what was found of the history, and add the bar to it."""
        if history is not None:
            key.closes = list(history.closes)
        others.chain(key, asked, history if key.chain is None else None)
        if history is not None and key.chain is None:
            key.chain = history.chain
        bar = asked.final.bar
        key.chain = chained(key.chain or "", bar)
        key.closes.append(bar.close)
        del key.closes[: max(0, len(key.closes) - key.closes_wanted)]
        key.begin_ns, key.end_ns = bar.begin_ns, bar.end_ns

    def _decide(self, answer: Evaluated, key: KeyState, asked: Asked) -> None:
        state = self.state
        decisions: list[Decision] = []
        before: list[tuple[str, int]] = []
        lines: list[tuple[str, ...]] = []
        answers: dict[AttachmentNumber, Answer] = {}
        attached = dict.fromkeys(asked.attached)
        for said in answer.said:
            if said.number not in key.members or said.number not in attached:
                continue  # it was taken away meanwhile
            held = self._member(key, said.number)
            before.append((held.state, held.position_ppm))
            decisions.append(self._decision(said, held, key, asked))
            lines.append(said.lines)
            answers[said.number] = said.answer
            self._take(said.answer, held, key)
        state.evaluated += 1
        state.decided += len(asked.attached)
        targets, again = self._due(answers, key, asked)
        self._effects.append(
            Decided(
                task_id=asked.task_id,
                count=len(asked.attached),
                decisions=tuple(decisions),
                states_before=tuple(one[0] for one in before),
                positions_before=tuple(one[1] for one in before),
                lines=tuple(lines) if any(lines) else (),
                again=tuple(again),
                others=asked.seen,
            )
        )
        if targets:
            self._send(f"{asked.final.bar.end_ns}", SetTargets(targets=tuple(targets)))

    def _decision(self, said: Said, held: Held, key: KeyState, asked: Asked) -> Decision:
        bar = asked.final.bar
        looked_at = others.chains_of(key, held.rostered.others)
        return Decision(
            assignment_id=held.rostered.assignment.assignment_id,
            begin_ns=bar.begin_ns,
            end_ns=bar.end_ns,
            answer=said.answer,
            inputs_hash=inputs_hash(_attached(held), key.chain or "", looked_at),
        )

    def _take(self, answer: Answer, held: Held, key: KeyState) -> None:
        """Remember what was answered."""
        if answer.error is not None:
            self._suspend(held, answer.error)
            roster.changed(self.state, key)
            return
        held.state = answer.state
        if answer.position_ppm is not None:
            held.position_ppm = answer.position_ppm
            wanted = (answer.position_ppm, answer.stop_price, answer.target_price)
            if wanted != held.wanted:
                held.wanted, held.given_up, held.is_after_orders = wanted, None, False
            elif held.has_ordered:
                held.said, held.is_after_orders = None, True
            held.has_ordered = False

    def _due(
        self, answers: dict[AttachmentNumber, Answer], key: KeyState, asked: Asked
    ) -> tuple[list[Target], list[AssignmentId]]:
        """Return what the desk is to be told, and which of it is said again, unasked."""
        targets: list[Target] = []
        again: list[AssignmentId] = []
        for number in asked.attached:
            if number not in key.members:
                continue
            held = self._member(key, number)
            held.decided += 1
            answer = answers.get(number, _SILENT)
            if held.error is not None or (held.wanted == held.said and not answer.orders):
                continue
            is_silent = answer.position_ppm is None and not answer.orders
            if not self._is_carried_out(held, key):
                held.dropped += not is_silent
                continue
            if is_silent:
                again.append(held.rostered.assignment.assignment_id)
            targets.append(self._target(answer, held, key))
        return targets, again

    def _is_carried_out(self, held: Held, key: KeyState) -> bool:
        """Whether the desk would do anything now about what its last bar decided."""
        assignment, market_ns = held.rostered.assignment, self._now.market_ns
        return (
            market_ns <= assignment.good_until_ns(key.end_ns)
            and key.instrument.instrument_id not in self.state.stale
            and not assignment.is_flat_at(market_ns)  # the desk makes it so by itself
        )

    def _target(self, answer: Answer, held: Held, key: KeyState) -> Target:
        assignment = held.rostered.assignment
        volatility = None
        if isinstance(assignment.sizing, VolatilityTarget):
            volatility = volatility_ppm(key.closes, assignment.sizing.bars, key.span)
        is_said = answer.position_ppm is not None or held.wanted != held.said
        wanted = held.wanted if is_said else None
        if wanted is not None:
            held.said, held.said_end_ns = wanted, key.end_ns
        position_ppm, stop_price, target_price = wanted or (None, None, None)
        is_after_orders = wanted is not None and held.is_after_orders
        is_known = is_after_orders or (wanted is not None and wanted == held.given_up)
        if answer.orders and answer.position_ppm is None:
            held.has_ordered, held.is_after_orders = True, False
        return Target(
            assignment_id=assignment.assignment_id,
            number=held.rostered.number,
            begin_ns=key.begin_ns,
            end_ns=key.end_ns,
            position_ppm=position_ppm,
            stop_price=stop_price,
            target_price=target_price,
            orders=answer.orders,
            volatility_ppm=volatility,
            is_again=is_known and not answer.orders,
            is_after_orders=is_after_orders,
        )

    def _suspend(self, held: Held, reason: str) -> None:
        held.error = reason
        held.said = None
        assignment_id = held.rostered.assignment.assignment_id
        command = SuspendStrategy(
            assignment_id=assignment_id, number=held.rostered.number, reason=reason
        )
        self._send("suspend", command)

    # -- the desk

    def _send(self, what: str, command: SetTargets | SuspendStrategy) -> None:
        state = self.state
        state.commands += 1
        command_id = CommandId(f"{state.run}-{state.commands}-{what}")
        state.outbox[command_id] = command
        self._effects.append(Send(command_id=command_id, command=command))

    def _settled(self, event: CommandSettled) -> None:
        command = self.state.outbox.pop(event.command_id, None)
        if command is None:
            return
        if event.refusal is not None:
            self._effects.append(Note(text=f"{event.command_id} was refused: {event.refusal}"))
            if isinstance(command, SetTargets):
                self._dropped(command.targets)
        self._dropped(event.dropped)

    def _dropped(
        self, dropped: Iterable[DroppedTarget | Target], *, were_taken: bool = False
    ) -> None:
        """Believe that the desk does not carry these out; what was said since is not meant."""
        expired = []
        for one in dropped:
            held = self.state.held.get(one.assignment_id)
            if held is None or held.said is None:
                continue
            if (held.rostered.number, held.said_end_ns) == (one.number, one.end_ns):
                held.given_up = held.said if were_taken else held.given_up
                held.said = None
                held.dropped += 1
                if isinstance(one, DroppedTarget) and one.is_expired:
                    expired.append(held)
        self._say_again(expired)

    def _held_of(self, instrument_id: InstrumentId) -> list[Held]:
        """Return those that are assigned to an instrument."""
        return [
            self._member(key, number)
            for key in self.state.keys.values()
            if key.instrument.instrument_id == instrument_id
            for number in key.members
        ]

    def _say_again(self, found: Iterable[Held]) -> None:
        """Tell the desk what they want, of the newest bar, unless it was told that of this bar."""
        targets = []
        for held in found:
            key = self.state.keys[held.key]
            is_due = held.error is None and held.wanted != held.said
            if is_due and key.end_ns > held.said_end_ns and self._is_carried_out(held, key):
                targets.append(self._target(_SILENT, held, key))
        if targets:
            self._send("again", SetTargets(targets=tuple(targets)))

    def _member(self, key: KeyState, number: AttachmentNumber) -> Held:
        return self.state.held[key.members[number]]


def _attached(held: Held) -> Attached:
    return attached_of(
        held.rostered.assignment, held.number, state=held.state, position_ppm=held.position_ppm
    )
