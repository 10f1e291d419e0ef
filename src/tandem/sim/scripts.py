"""Simulated strategies, and the simulated process of a tenant that evaluates them.

A strategy is a pure function of its text, what it remembers, what it wanted last, and the closes
of all bars since the origin, of its own and of others that it looks at: whatever is evaluated
otherwise than it should be soon answers otherwise. Some fail, some hang, and some end the process
that they run in.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from zlib import crc32

import msgspec

from tandem.domain.evaluation import (
    Attached,
    Cold,
    Evaluated,
    Said,
    Sight,
    Task,
    TaskAnswer,
    TaskKey,
    Whole,
    answer_bytes,
    task_of,
)
from tandem.domain.strategies import FULL_PPM, Answer, Language, StrategyText
from tandem.ports import Cell, Clock

POSITIONS = (0, FULL_PPM, FULL_PPM // 2, FULL_PPM // 4, -FULL_PPM)
RARELY = 37  # one bar in so many


class End(Enum):
    """How an evaluation ends that has no answer."""

    HANGS = auto()
    ENDS_PROCESS = auto()


def text_of(kind: str) -> StrategyText:
    """Return the text of a kind of strategy."""
    return StrategyText(name=kind, language=Language.PYTHON, text=f"# {kind}")


TEXTS = tuple(text_of(kind) for kind in ("steady", "failing", "hanging", "ending"))
_KINDS = {one.text_hash: one.name for one in TEXTS}


def evaluate(
    attached: Attached, closes: Sequence[int], others: Mapping[str, Sequence[int]]
) -> Answer | End | None:
    """Return what a strategy says of the last of these closes; None when it says nothing.

    `others` has the closes of whatever it may look at besides, by symbol.
    """
    kind = _KINDS[attached.text_hash]
    seen = [others[symbol] for symbol in attached.others]
    given = (attached.state, attached.position_ppm, attached.parameters, closes, *seen)
    mixed = crc32(msgspec.msgpack.encode(given))
    if kind != "steady" and mixed % RARELY == 0:
        if kind == "failing":
            return Answer(error=f"line {mixed % 9 + 1}: it failed")
        return End.HANGS if kind == "hanging" else End.ENDS_PROCESS
    if mixed % 3 == 0:
        return None
    wanted = POSITIONS[mixed // 16 % len(POSITIONS)] if mixed % 4 == 1 else None
    return Answer(position_ppm=wanted, state=f'{{"seen":{len(closes)},"mixed":{mixed}}}')


def after(attached: Attached, answer: Answer) -> Attached:
    """Return what a strategy is given next when it has answered this."""
    position_ppm = attached.position_ppm
    if answer.position_ppm is not None:
        position_ppm = answer.position_ppm
    return msgspec.structs.replace(attached, state=answer.state, position_ppm=position_ppm)


class _Warm:
    """What a process holds of one task key."""

    def __init__(self, whole: Whole, roster: int) -> None:
        self.roster = roster
        self.number = 0
        series = whole.series
        instrument_id = series.instrument.instrument_id
        self.closes: list[int] = []
        self.attached = {one.number: one for one in whole.attached}
        self._history = series.history
        self._instrument_id = instrument_id
        self._others = whole.others
        self.others: dict[str, list[int]] = {}

    def begin(self, task: Task) -> None:
        """Take the history in."""
        bars = self._history.bars(self._instrument_id, task.bar.span)
        self.closes = [bar.close for bar in bars]
        for one in self._others:
            history = one.history.bars(one.instrument.instrument_id, task.bar.span)
            self.others[one.symbol] = [bar.close for bar in history]


class SimulatedCell:
    """Satisfies `tandem.ports.Cell`: it does its tasks one after the other, each in some while."""

    def __init__(
        self,
        clock: Clock,
        draws: random.Random,
        on_answer: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._on_answer, self._on_end = on_answer, on_end
        self._waiting: list[bytes] = []
        self._warm: dict[TaskKey, _Warm] = {}
        self._is_busy = False
        self._is_over = False
        self.running: int | None = None

    def send(self, payload: bytes) -> None:
        """See `Cell.send`."""
        self._waiting.append(payload)
        self._go_on()

    def stop(self) -> None:
        """See `Cell.stop`; what hangs here does not listen."""

    def look(self) -> Sight:
        """See `Cell.look`: it uses all the time that there is."""
        return Sight(running=self.running, cpu_ns=self._clock.now().now_ns, is_asleep=False)

    def rank(self, *, is_behind: bool) -> None:
        """See `Cell.rank`; a simulated process takes its time anyway."""

    def end(self) -> None:
        """See `Cell.end`."""
        self._is_over = True

    def _go_on(self) -> None:
        if self._waiting and not self._is_busy and not self._is_over:
            self._is_busy = True
            span_s = self._draws.choice((0.001, 0.003, 0.02, 0.12))
            asyncio.get_running_loop().call_later(span_s, self._do, self._waiting.pop(0))

    def _do(self, payload: bytes) -> None:
        if self._is_over:
            return
        answer = self._answer(task_of(payload))
        if answer is not None:
            self._is_busy = False
            self._on_answer(answer_bytes(answer))
            self._go_on()

    def _answer(self, task: Task) -> TaskAnswer | None:
        key, task_id = task.task_id.key, task.task_id
        if task.whole is not None:
            self._warm[key] = _Warm(task.whole, task_id.roster)
            self._warm[key].begin(task)
            if task.only_holds:
                self._warm[key].number = task_id.number
                return Evaluated(task_id=task_id, said=())
        warm = self._warm.get(key)
        is_warm = warm is not None and task_id.roster == warm.roster
        if (
            warm is None
            or not is_warm
            or (task.whole is None and warm.number + 1 != task_id.number)
        ):
            return Cold(task_id=task_id)
        warm.number = task_id.number
        warm.closes.append(task.bar.close)
        for other in task.others:
            warm.others[other.symbol].append(other.bar.close)
        said = []
        for number, attached in warm.attached.items():
            answer = evaluate(attached, warm.closes, warm.others)
            if isinstance(answer, End):
                self._fail(number, answer)
                return None
            if answer is not None:
                said.append(Said(number=number, answer=answer))
                warm.attached[number] = after(attached, answer)
        return Evaluated(task_id=task_id, said=tuple(said))

    def _fail(self, number: int, how: End) -> None:
        self.running = number
        if how is End.ENDS_PROCESS:
            self._is_over = True
            asyncio.get_running_loop().call_soon(self._on_end)


class SimulatedJail:
    """Satisfies `tandem.ports.Jail` within one simulated process."""

    def __init__(self, clock: Clock, draws: random.Random) -> None:
        self._clock = clock
        self._draws = draws

    def open(
        self,
        *,
        memory_bytes: int,
        is_behind: bool,  # noqa: ARG002 - see `rank`
        on_open: Callable[[Cell | str], None],
        on_answer: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        """See `Jail.open`; now and then there is none for a while."""
        assert memory_bytes > 0, "it may take nothing"
        made: Cell | str = SimulatedCell(self._clock, self._draws, on_answer, on_end)
        if self._draws.random() < 0.02:
            made = "no process is to be had"
        asyncio.get_running_loop().call_later(self._draws.uniform(0.001, 0.05), on_open, made)
