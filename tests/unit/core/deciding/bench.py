"""A decider and its surroundings for tests: a market, an evaluator, a desk."""

from collections.abc import Sequence

import msgspec

from tandem.core.deciding.decider import Decider
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.deciding import (
    BarsFinal,
    CommandSettled,
    Decided,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    HistoryRead,
    Note,
    Rostered,
    RosterSeen,
    Send,
    Started,
    TaskAnswered,
)
from tandem.domain.evaluation import Cold, Evaluated, Said, Skipped
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import (
    Answer,
    Assignment,
    AssignmentId,
    DroppedTarget,
    Fixed,
    Language,
    Sizing,
    StrategyText,
    Target,
)
from tests.unit.core.matching.paper import settings

COIN, OTHER = settings().instruments[:2]
MINUTE_NS = Span.M1.ns
NOON_NS = 1_700_000_000_000_000_000 // MINUTE_NS * MINUTE_NS
TEXT = StrategyText(name="cross", language=Language.LUA, text="return 'long'")


def entry(
    name: str = "a",
    *,
    number: int = 1,
    instrument: Instrument = COIN,
    others: tuple[Instrument, ...] = (),
    sizing: Sizing | None = None,
) -> Rostered:
    """Return an assignment of TEXT on one-minute bars."""
    assignment = Assignment(
        assignment_id=AssignmentId(name),
        text_hash=TEXT.text_hash,
        name=TEXT.name,
        symbol=instrument.symbol,
        span=Span.M1,
        sizing=sizing or Fixed(quantity=Lots(10)),
        others=tuple(one.symbol for one in others),
    )
    return Rostered(assignment=assignment, number=number, instrument=instrument, others=others)


def final(number: int, *, close: int = 100, instrument: Instrument = COIN) -> FinalBar:
    """Return the bar with this number: the one that begins so many minutes after noon."""
    bar = Bar(
        instrument_id=instrument.instrument_id,
        span=Span.M1,
        begin_ns=NOON_NS + number * MINUTE_NS,
        open=Ticks(close),
        high=Ticks(close),
        low=Ticks(close),
        close=Ticks(close),
        volume=Lots(1),
    )
    return FinalBar(number=number, bar=bar)


def revised(number: int, of: int) -> FinalBar:
    """Return a correction of an earlier bar, published under a number of its own."""
    return FinalBar(number=number, bar=final(of, close=99).bar, revision=1)


class Bench:
    """Drives a decider; `effects` are those of the last event."""

    def __init__(self, *entries: Rostered, is_started: bool = True) -> None:
        self.decider = Decider()
        self.effects: list[DeciderEffect] = []
        self.market_ns = NOON_NS
        if is_started:
            self.on(Started(run="r"))
            self.roster(*entries)

    def on(self, event: DeciderEvent) -> list[DeciderEffect]:
        self.effects = self.decider.on(event, Instant(1, self.market_ns))
        return self.effects

    def roster(self, *entries: Rostered) -> list[DeciderEffect]:
        return self.on(RosterSeen(version=1, texts=(TEXT,), entries=entries))

    def bars(self, *finals: FinalBar) -> list[DeciderEffect]:
        self.market_ns = max([self.market_ns, *(one.bar.end_ns for one in finals)])
        return self.on(BarsFinal(bars=finals))

    def restart(self) -> list[DeciderEffect]:
        self.decider = Decider.restore(self.decider.snapshot())
        return self.on(Started(run="another"))

    # -- what was asked, and its answers

    @property
    def tasks(self) -> list[Evaluate]:
        return [one for one in self.effects if isinstance(one, Evaluate)]

    @property
    def task(self) -> Evaluate:
        (task,) = self.tasks
        return task

    def answer(
        self, task: Evaluate, *said: Said, closes: Sequence[int] = ()
    ) -> list[DeciderEffect]:
        history = None
        if task.whole is not None:
            chains = tuple("" for _ in task.whole.others)
            history = HistoryRead(chain="", closes=tuple(closes), others=chains)
        answer = Evaluated(task_id=task.task_id, said=said)
        return self.on(TaskAnswered(answer=answer, history=history))

    def cold(self, task: Evaluate, *failed: Said) -> list[DeciderEffect]:
        history = None if task.whole is None else HistoryRead()
        answer = Cold(task_id=task.task_id, failed=failed)
        return self.on(TaskAnswered(answer=answer, history=history))

    def skipped(self, task: Evaluate) -> list[DeciderEffect]:
        return self.on(TaskAnswered(answer=Skipped(task_id=task.task_id, reason="too much")))

    def settle(
        self, send: Send, refusal: str | None = None, *, dropped: str | None = None
    ) -> list[DeciderEffect]:
        """The desk takes it, refuses it, or drops all that is in it."""
        drops = () if dropped is None else drops_of(send, dropped)
        return self.on(CommandSettled(command_id=send.command_id, refusal=refusal, dropped=drops))

    # -- what came of it

    @property
    def sent(self) -> list[Send]:
        return [one for one in self.effects if isinstance(one, Send)]

    @property
    def targets(self) -> list[Target]:
        return [
            target
            for one in self.sent
            if isinstance(one.command, SetTargets)
            for target in one.command.targets
        ]

    @property
    def suspended(self) -> list[SuspendStrategy]:
        return [one.command for one in self.sent if isinstance(one.command, SuspendStrategy)]

    @property
    def decided(self) -> Decided:
        (one,) = [one for one in self.effects if isinstance(one, Decided)]
        return one

    @property
    def notes(self) -> list[str]:
        return [one.text for one in self.effects if isinstance(one, Note)]


def drops_of(send: Send, why: str, *, is_expired: bool = False) -> tuple[DroppedTarget, ...]:
    """Return every decision in a command, as dropped."""
    assert isinstance(send.command, SetTargets)
    return tuple(
        DroppedTarget(
            assignment_id=one.assignment_id,
            number=one.number,
            end_ns=one.end_ns,
            why=why,
            is_expired=is_expired,
        )
        for one in send.command.targets
    )


def said(number: int, position_ppm: int | None = None, **answer: object) -> Said:
    """Return what the attachment with this number answers."""
    made = msgspec.structs.replace(Answer(position_ppm=position_ppm), **answer)
    return Said(number=number, answer=made)  # type: ignore[arg-type]
