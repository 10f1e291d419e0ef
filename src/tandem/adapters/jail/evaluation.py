"""Does tasks with an engine: what a tenant's process holds, and whether that is enough."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError, TandemError
from tandem.domain.evaluation import (
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    Said,
    Series,
    Skipped,
    Task,
    TaskAnswer,
    TaskKey,
    Whole,
)
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Parameters, StrategyText, TextHash

SeriesId = str


class Engine(Protocol):
    """What is asked of `tandem.strategies.engine.Engine`, and only here."""

    def load(self, text: StrategyText) -> None:
        """Compile a text.

        Raises:
            TandemError: it cannot be compiled; says where.
        """
        ...

    def open_series(
        self, series: SeriesId, instrument: Instrument, span: Span, bars: Sequence[Bar]
    ) -> None:
        """Begin a series anew with this history."""
        ...

    def attach(  # noqa: PLR0913 - one place, each by its name
        self,
        number: int,
        text_hash: TextHash,
        series: SeriesId,
        *,
        parameters: Parameters,
        state: str,
        position_ppm: int,
        others: Mapping[str, SeriesId],
        may_short: bool,
    ) -> None:
        """Evaluate a text on a series from now on."""
        ...

    def detach(self, number: int) -> None:
        """Evaluate it no more."""
        ...

    def on_bar(self, series: SeriesId, bar: Bar) -> Iterable[tuple[int, Answer]]:
        """Return what was said of one bar."""
        ...


class _Held(msgspec.Struct):
    """What is warm under one key."""

    roster: int
    number: int
    attached: set[AttachmentNumber]
    answer: Evaluated


class Evaluation:
    """One tenant's tasks, one after the other; total over whatever task comes.

    `mark` is told whose text is being used, so that who watches knows whom to blame.
    """

    def __init__(self, engine: Engine, mark: Callable[[int | None], None]) -> None:
        self._engine = engine
        self._mark = mark
        self._held: dict[TaskKey, _Held] = {}
        self._owners: dict[AttachmentNumber, TaskKey] = {}

    def do(self, task: Task) -> TaskAnswer:
        """Return what came of a task."""
        which = task.task_id
        held = self._held.get(which.key)
        failed: list[Said] = []
        if held is not None and held.answer.task_id == which:
            return held.answer  # asked twice, said once
        if task.whole is not None:
            try:
                series = _series(task, task.whole)
            except ConfigurationError as error:
                return Skipped(task_id=which, reason=f"its history: {error}")
            held, failed = self._take_in(task, task.whole, series)
        elif held is None or held.roster != which.roster or held.number != which.number - 1:
            return Cold(task_id=which)
        for other in task.others:
            self._engine.on_bar(_other(which.key, other.symbol), other.bar)
        said = [
            Said(number=AttachmentNumber(number), answer=answer)
            for number, answer in self._engine.on_bar(which.key, task.bar)
        ]
        answer = Evaluated(task_id=which, said=tuple(failed + said))
        held.number = which.number
        held.answer = answer
        return answer

    def _take_in(
        self, task: Task, whole: Whole, series: Iterable[tuple[SeriesId, Series, list[Bar]]]
    ) -> tuple[_Held, list[Said]]:
        key = task.task_id.key
        before = self._held.get(key)
        if before is not None:
            for number in sorted(before.attached):
                self._detach(number)
        for name, one, bars in series:
            self._engine.open_series(name, one.instrument, task.bar.span, bars)
        held = _Held(
            roster=task.task_id.roster,
            number=task.task_id.number,
            attached=set(),
            answer=Evaluated(task_id=task.task_id, said=()),
        )
        self._held[key] = held
        texts = {text.text_hash: text for text in whole.texts}
        failed = []
        for attached in whole.attached:
            error = self._attach(key, held, attached, texts)
            if error is not None:
                failed.append(Said(number=attached.number, answer=Answer(error=error)))
        return held, failed

    def _attach(
        self,
        key: TaskKey,
        held: _Held,
        attached: Attached,
        texts: Mapping[TextHash, StrategyText],
    ) -> str | None:
        """Return what is wrong with an attachment, if anything."""
        number = attached.number
        if number in self._owners:
            self._detach(number)
        text = texts.get(attached.text_hash)
        if text is None:
            return f"its text {attached.text_hash} did not come with the task"
        self._mark(number)
        try:
            self._engine.load(text)
            self._engine.attach(
                number,
                attached.text_hash,
                key,
                parameters=attached.parameters,
                state=attached.state,
                position_ppm=attached.position_ppm,
                others={symbol: _other(key, symbol) for symbol in attached.others},
                may_short=attached.may_short,
            )
        except TandemError as error:
            return str(error)
        finally:
            self._mark(None)
        held.attached.add(number)
        self._owners[number] = key
        return None

    def _detach(self, number: AttachmentNumber) -> None:
        held = self._held[self._owners.pop(number)]
        held.attached.discard(number)
        self._engine.detach(number)


def _series(task: Task, whole: Whole) -> list[tuple[SeriesId, Series, list[Bar]]]:
    key = task.task_id.key
    named = [(str(key), whole.series), *((_other(key, one.symbol), one) for one in whole.others)]
    return [
        (name, one, list(one.history.bars(one.instrument.instrument_id, task.bar.span)))
        for name, one in named
    ]


def _other(key: TaskKey, symbol: str) -> SeriesId:
    """Return the name under which a task key's own view of another series is kept."""
    return f"{key} sees {symbol}"
