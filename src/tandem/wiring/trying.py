"""A strategy over stored bars: decided as a pool decides, by the same decider, tasks and jail."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

import msgspec

from tandem.core.deciding.decider import Decider
from tandem.domain.bars import Bar, FinalBar
from tandem.domain.commands import SuspendStrategy
from tandem.domain.deciding import (
    BarsFinal,
    Decided,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    Note,
    Rostered,
    RosterSeen,
    Send,
    Started,
    TaskAnswered,
)
from tandem.domain.errors import TandemError
from tandem.domain.instant import Instant
from tandem.domain.strategies import Answer, StrategyText
from tandem.shells.histories import StoredHistory, task_with_history
from tandem.wiring.evaluating import Ask

_NEVER_LATE: Final = Instant(0, 0)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one bar; `answer` is None when the strategy said nothing."""

    bar: Bar
    answer: Answer | None
    lines: tuple[str, ...] = ()


async def tried(
    text: StrategyText,
    rostered: Rostered,
    finals: Iterable[FinalBar],
    store: StoredHistory,
    ask: Ask,
) -> AsyncIterator[Tried]:
    """Yield what a strategy says of each bar of its own, until it fails.

    `finals` has its bars and those of others that it looks at, in the order of their ends; what
    is before them is read from `store`.

    Raises:
        TandemError: a bar could not be evaluated at all; says why.
    """
    decider = Decider()
    decider.on(Started(run="trial"), _NEVER_LATE)
    decider.on(RosterSeen(version=1, texts=(text,), entries=(rostered,)), _NEVER_LATE)
    numbers: dict[str, int] = {}
    for final in finals:
        bar = final.bar
        number = numbers[bar.instrument_id] = numbers.get(bar.instrument_id, 0) + 1
        told = BarsFinal(bars=(FinalBar(number=number, bar=bar),))
        effects = await _through(decider, told, store, ask)
        if bar.instrument_id != rostered.instrument.instrument_id:
            continue
        found = _found(bar, effects)
        yield found
        if found.answer is not None and found.answer.error is not None:
            return


async def _through(
    decider: Decider, event: DeciderEvent, store: StoredHistory, ask: Ask
) -> list[DeciderEffect]:
    """Return all that follows from an event, with what was asked answered."""
    effects = decider.on(event, _NEVER_LATE)
    for effect in effects:  # grows while it is gone through
        if isinstance(effect, Evaluate):
            task, history = task_with_history(effect, decider.state.texts, store)
            answered = TaskAnswered(answer=await ask(task), history=history)
            effects += decider.on(answered, _NEVER_LATE)
    return effects


def _found(bar: Bar, effects: Iterable[DeciderEffect]) -> Tried:
    answer: Answer | None = None
    lines: tuple[str, ...] = ()
    for effect in effects:
        if isinstance(effect, Note):
            raise TandemError(effect.text)
        if isinstance(effect, Send) and isinstance(effect.command, SuspendStrategy):
            answer = Answer(error=effect.command.reason)
        elif isinstance(effect, Decided) and effect.decisions:
            answer = effect.decisions[0].answer
            lines = effect.lines[0] if effect.lines else ()
    return Tried(bar=bar, answer=answer, lines=lines)
