"""Does tasks with an engine: what a tenant's process holds, and whether that is enough."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import (
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    Prepared,
    Said,
    Series,
    Skipped,
    Task,
    TaskAnswer,
    TaskKey,
    Whole,
)
from tandem.domain.strategies import Answer, StrategyText, TextHash
from tandem.strategies.engine import Engine, SeriesId
from tandem.strategies.errors import StrategyError


class _Held(msgspec.Struct):
    """What is warm under one key."""

    roster: int
    number: int
    others: dict[str, SeriesId]  # what its attachments may look at besides, by symbol
    states: dict[AttachmentNumber, str]  # of who is attached
    answer: Evaluated | None  # to the task of that number; None when it evaluated none


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
        if held is not None and held.answer is not None and held.answer.task_id == which:
            return held.answer  # asked twice, said once
        if task.whole is not None:
            self._forget(which.key)
            try:
                held, failed = self._take_in(task, task.whole)
            except ConfigurationError as error:
                return Skipped(task_id=which, reason=str(error))
        elif held is None or held.roster != which.roster or held.number != which.number - 1:
            return Cold(task_id=which)
        if task.only_holds:
            return self._holding(task, failed)
        for other in task.others:
            if other.symbol in held.others:
                self._engine.feed(held.others[other.symbol], other.bar)
        said = self._said(self._engine.on_bar(_own(which.key), task.bar), held)
        answer = Evaluated(task_id=which, said=tuple(failed + said))
        held.number = which.number
        held.answer = answer
        return answer

    def _holding(self, task: Task, failed: list[Said]) -> TaskAnswer:
        """Answer a task that evaluates nothing; what failed is not held, and so is asked again."""
        which = task.task_id
        if failed:
            self._forget(which.key)
            return Skipped(task_id=which, reason=f"{len(failed)} of its strategies cannot be held")
        return Evaluated(task_id=which, said=())

    def _said(self, answers: Iterable[tuple[int, Answer]], held: _Held) -> list[Said]:
        lines: dict[int, list[str]] = {}
        for number, line in self._engine.logged():
            lines.setdefault(number, []).append(line)
        said = []
        for number, answer in answers:
            if answer.error is None:
                held.states[AttachmentNumber(number)] = answer.state
            logged = tuple(lines.pop(number, ()))
            said.append(Said(number=AttachmentNumber(number), answer=answer, lines=logged))
        for number, logged_only in lines.items():
            name = AttachmentNumber(number)
            answer = Answer(state=held.states[name])
            said.append(Said(number=name, answer=answer, lines=tuple(logged_only)))
        return said

    def _forget(self, key: TaskKey) -> None:
        held = self._held.get(key)
        if held is not None:
            for number in list(held.states):
                self._detach(number)
            del self._held[key]

    def _take_in(self, task: Task, whole: Whole) -> tuple[_Held, list[Said]]:
        """Hold all of it.

        Raises:
            ConfigurationError: a history cannot be.
        """
        key = task.task_id.key
        self._open(_own(key), whole.series, task)
        for one in whole.others:
            self._open(_other(key, one.symbol), one, task)
        held = _Held(
            roster=task.task_id.roster,
            number=task.task_id.number,
            others={one.symbol: _other(key, one.symbol) for one in whole.others},
            states={},
            answer=None,
        )
        self._held[key] = held
        prepared = {one.text_hash: one for one in whole.prepared}
        texts = {
            text_hash: (text, prepared.get(text_hash))
            for text in whole.texts
            for text_hash in (text.text_hash,)
        }
        failed = []
        for attached in whole.attached:
            error = self._attach(key, held, attached, texts)
            if error is not None:
                failed.append(Said(number=attached.number, answer=Answer(error=error)))
        return held, failed

    def _open(self, name: SeriesId, series: Series, task: Task) -> None:
        self._engine.open_history(name, series.instrument, task.bar.span, series.history)

    def _attach(
        self,
        key: TaskKey,
        held: _Held,
        attached: Attached,
        texts: Mapping[TextHash, tuple[StrategyText, Prepared | None]],
    ) -> str | None:
        """Return what is wrong with an attachment, if anything."""
        number = attached.number
        if number in self._owners:
            self._detach(number)
        text = texts.get(attached.text_hash)
        if text is None:
            return f"its text {attached.text_hash} did not come with the task"
        missing = [symbol for symbol in attached.others if symbol not in held.others]
        if missing:
            return f"bars of {', '.join(missing)} did not come with the task"
        self._mark(number)
        try:
            self._engine.load(*text)
            self._engine.attach(
                number,
                attached.text_hash,
                _own(key),
                parameters=attached.parameters,
                state=attached.state,
                position_ppm=attached.position_ppm,
                others={symbol: held.others[symbol] for symbol in attached.others},
                may_short=attached.may_short,
            )
        except StrategyError as error:
            return str(error)
        finally:
            self._mark(None)
        held.states[number] = attached.state
        self._owners[number] = key
        return None

    def _detach(self, number: AttachmentNumber) -> None:
        held = self._held[self._owners.pop(number)]
        del held.states[number]
        self._engine.detach(number)


def _own(key: TaskKey) -> SeriesId:
    return SeriesId(key)


def _other(key: TaskKey, symbol: str) -> SeriesId:
    """Return the name under which a task key's own view of another series is kept."""
    return SeriesId(f"{key} sees {symbol}")
