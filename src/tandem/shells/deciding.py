"""The decider's loop: final bars in, tasks to evaluators, commands to the desk.

Like every shell it decides nothing: it reads history for who is cold, keeps asking the desk what
is assigned, and performs what the decider wants after it is on disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tandem.core.deciding.decider import Decider
from tandem.domain.bars import FinalBar
from tandem.domain.commands import Asked, Refused, TargetsTaken
from tandem.domain.control import (
    ANSWER_BYTES_MAX,
    Command,
    CommandAnswer,
    ControlMessage,
    Question,
)
from tandem.domain.deciding import (
    BarsFinal,
    CommandSettled,
    Decided,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    FeedJudged,
    Note,
    OthersTold,
    RosterSeen,
    Send,
    Started,
    TargetsDropped,
    TaskAnswered,
)
from tandem.domain.errors import FrameError
from tandem.domain.evaluation import (
    Prepared,
    Skipped,
    TaskAnswer,
    TaskId,
    answer_of,
    task_bytes,
)
from tandem.domain.ids import CommandId, InstrumentId
from tandem.domain.strategies import TextHash
from tandem.ports import BarStore, Clock, Journal, Network
from tandem.shells.dialer import Dialer
from tandem.shells.histories import BarsThen, task_with_history
from tandem.shells.link import Link
from tandem.shells.recording import SNAPSHOT_RECORDS, Record, Recording
from tandem.shells.roster import RosterLine

DeciderRecord = Record[DeciderEvent, DeciderEffect]
LOOK_EVERY_S: Final = 0.3
REPUBLISHED: Final = 1_000
# Have `payload` done by an evaluator, the same one for the same key while it lives, and call back
# with what it answered; once, or never when this process ends.
Submit = Callable[[str, bytes, Callable[[bytes], None]], None]


class DecidingShell:
    """One decider, over its journal. `control` is where the coordinator hears commands.

    `on_decided` is told every decision once it is durable (again after a restart in the middle of
    one), `on_note` what a person should know.
    """

    def __init__(  # noqa: PLR0913 - these are its ports
        self,
        decider: Decider,
        journal: Journal,
        *,
        clock: Clock,
        network: Network,
        control: str,
        store: BarStore,
        submit: Submit,
        run: str,
        on_decided: Callable[[Decided], None] = lambda _: None,
        on_note: Callable[[str], None] = lambda _: None,
        snapshot_records: int = SNAPSHOT_RECORDS,
    ) -> None:
        self.decider = decider
        self._store = store
        self._submit = submit
        self._run = run
        self._on_decided = on_decided
        self._on_note = on_note
        self.recording: Recording[DeciderEvent, DeciderEffect] = Recording(
            decider, journal, clock, self._perform, _never, snapshot_records=snapshot_records
        )
        self._dialer: Dialer[ControlMessage] = Dialer(
            network,
            control,
            msgspec.msgpack.Decoder(list[ControlMessage]),
            on_up=self._on_up,
            on_messages=self._on_messages,
            on_down=self._on_down,
            bytes_max=ANSWER_BYTES_MAX,
        )
        self.roster = RosterLine(
            self._ask, lambda: self.decider.state.texts, self._on_roster, on_note
        )
        self._waiting: dict[CommandId, Asked] = {}
        self._prepared: dict[TextHash, Prepared | None] = {}

    async def run(self) -> None:
        """Start, and serve until canceled."""
        self.recording.feed(Started(run=self._run))
        self._tell_others()
        self._republish()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._dialer.run())
            tasks.create_task(self._look())

    # -- bars

    def on_final(self, finals: Sequence[FinalBar]) -> None:
        """Decide about bars that are stored."""
        self.recording.feed(BarsFinal(bars=tuple(finals)))

    def on_feed(self, instrument_id: InstrumentId, *, is_stale: bool) -> None:
        """Want nothing new where prices are old, until they are fresh again."""
        self.recording.feed(FeedJudged(instrument_id=instrument_id, is_stale=is_stale))

    def _republish(self) -> None:
        """Tell what was stored but not decided about when the process ended."""
        for key in list(self.decider.state.keys.values()):
            instrument_id = key.instrument.instrument_id
            while key.seen:
                seen = key.seen
                missed = self._store.published(
                    instrument_id, key.span, after=seen, count=REPUBLISHED
                )
                if not missed:
                    break
                self.on_final(missed)

    def _tell_others(self) -> None:
        """Tell what was published of series that somebody looks at besides, and was not told."""
        for key in list(self.decider.state.keys.values()):
            for instrument_id in key.others:
                after = key.others_told.get(instrument_id, 0)
                if not after:  # the last bar, and what was corrected after it
                    last = self._store.last(instrument_id, key.span, count=1)
                    after = last[0].number - 1 if last else 0
                while missed := self._store.published(
                    instrument_id, key.span, after=after, count=REPUBLISHED
                ):
                    self.recording.feed(OthersTold(bars=tuple(missed)))
                    after = missed[-1].number

    # -- the desk

    async def _look(self) -> None:
        while True:
            if self._dialer.link is not None:
                self.roster.look()
            if self.recording.is_short_of_room:
                self.recording.probe_room()
            await asyncio.sleep(LOOK_EVERY_S)

    def _ask(self, question: Question) -> None:
        if self._dialer.link is not None:
            self._dialer.link.send(question)

    def _on_roster(self, seen: RosterSeen | TargetsDropped) -> None:
        self.recording.feed(seen)
        texts = self.decider.state.texts
        self._prepared = {one: text for one, text in self._prepared.items() if one in texts}
        self._tell_others()

    def _on_up(self, link: Link[ControlMessage]) -> None:
        for asked in self._waiting.values():
            link.send(Command(asked=asked))

    def _on_down(self) -> None:
        self.roster.lost()

    def _on_messages(self, _epoch: int, messages: Sequence[ControlMessage]) -> None:
        for message in messages:
            if isinstance(message, CommandAnswer):
                if self._waiting.pop(message.command_id, None) is None:
                    continue
                answer = message.answer
                refusal = answer.text if isinstance(answer, Refused) else None
                dropped = answer.dropped if isinstance(answer, TargetsTaken) else ()
                settled = CommandSettled(
                    command_id=message.command_id, refusal=refusal, dropped=dropped
                )
                self.recording.feed(settled)
            else:
                self.roster.on_view(message.number, message.view)

    # -- effects

    def _perform(self, effects: Sequence[DeciderEffect]) -> None:
        for effect in effects:
            match effect:
                case Evaluate():
                    self._evaluate(effect)
                case Send():
                    asked = Asked(command_id=effect.command_id, command=effect.command)
                    self._waiting[effect.command_id] = asked
                    if self._dialer.link is not None:
                        self._dialer.link.send(Command(asked=asked))
                case Decided():
                    self._on_decided(effect)
                case Note():
                    self._on_note(effect.text)

    def _evaluate(self, effect: Evaluate) -> None:
        then = BarsThen(self._store, effect)
        task, history = task_with_history(effect, self.decider.state.texts, then)

        def done(payload: bytes) -> None:
            answer = _believed(payload, effect.task_id)
            self.recording.feed(TaskAnswered(answer=answer, history=history))

        self._submit(effect.task_id.key, task_bytes(task), done)


def _believed(payload: bytes, task_id: TaskId) -> TaskAnswer:
    """Return what an evaluator answered; what is no answer of its task passes the bar over."""
    try:
        answer = answer_of(payload)
    except FrameError as error:
        return Skipped(task_id=task_id, reason=f"an evaluator wrote what is {error}")
    if answer.task_id != task_id:
        return Skipped(task_id=task_id, reason="an evaluator answered another task")
    return answer


def _never() -> DeciderEvent:
    raise AssertionError("the decider waits for no time")
