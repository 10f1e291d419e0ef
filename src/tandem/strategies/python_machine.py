"""Strategies in Python, beside those in Lua on the same series: the same names, the same rules.

Python cannot be held in from inside. What keeps a hosted strategy harmless is the process around
it (`adapters/jail`), and one that hangs is ended with that process. What is checked here keeps
answers a function of their inputs: a text has no memory but `state` and no order that differs from
run to run (`python_text`), and is given no clock, no chance and no files.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from tandem.domain.strategies import FULL_PPM, Answer
from tandem.strategies.answers import EXPECTED, Wish, position_ppm, shown, wish_of
from tandem.strategies.attaching import Attachment, Logged, Said, Sources
from tandem.strategies.errors import StrategyError
from tandem.strategies.grid import Grid
from tandem.strategies.places import Places
from tandem.strategies.python_looks import Look, Parameters, Turn, Warming
from tandem.strategies.python_text import FILE, Program, program_of
from tandem.strategies.remembering import State, state_of, state_text
from tandem.strategies.series import Series

LOG_LINES_MAX: Final = 10
LOG_LENGTH_MAX: Final = 200
_NOBODY: Final = -1


class _Attached:
    """A strategy on a series; `decide` is None when it was suspended."""

    def __init__(self, one: Attachment, program: Program, arguments: Mapping[str, object]) -> None:
        self.number = one.number
        self.decide: Callable[..., object] | None = program.call
        self.names = program.names
        self.text = program.text
        self.position_ppm = one.position_ppm
        self.may_short = one.may_short
        self.state = one.state
        self.arguments = {**arguments, "params": Parameters(one.parameters)}


class PythonMachine:
    """All Python strategies of one engine."""

    def __init__(
        self, places: Places, control: np.ndarray[Any, np.dtype[np.uint8]], sources: Sources
    ) -> None:
        """Begin without strategies; `control` is that of the engine."""
        self.count = 0  # of attachments
        self._turn = Turn(places.values, sources)
        self._running = control[4:8].view(np.int32)
        self._programs: dict[int, Program] = {}
        self._looks: dict[int, Look] = {}
        self._attached: dict[int, dict[int, _Attached]] = {}
        self._others: dict[int, Mapping[str, int]] = {}
        self._lines: list[str] = []
        self._at: tuple[int, int] = (_NOBODY, _NOBODY)  # series and attachment

    def open_series(self, series: int, *, first: int) -> None:
        """Let a series be known, or known again without its indicators."""
        look = self._looks[series] = Look(self._turn, series, first=first)
        for one in self._attached.setdefault(series, {}).values():
            one.arguments.update(self._seen(look))

    def load(self, program: int, text: str) -> None:
        """Compile a text.

        Raises:
            StrategyError: it is no Python, or of a kind that is not let in.
        """
        self._programs[program] = program_of(text)

    def unload(self, program: int) -> None:
        """Forget a text to which nothing is attached."""
        self._programs.pop(program, None)

    def attach(self, series: int, one: Attachment) -> None:
        """Evaluate it with the series from now on, after those attached before.

        Raises:
            StrategyError: its state is none.
        """
        state_of(one.state)
        seen = self._seen(self._looks[series])
        attached = _Attached(one, self._programs[one.program], seen)
        self._attached[series][one.number] = attached
        self.count += 1
        self._others[one.number] = one.others

    def detach(self, series: int, *, number: int) -> None:
        """Evaluate it no more."""
        self._attached[series].pop(number, None)
        self.count -= 1
        self._others.pop(number, None)

    def evaluate(self, series: int, grid: Grid, bars: Series) -> tuple[Said, Logged]:
        """Evaluate all that is attached to a series; return what was said, and logged."""
        said: Said = []
        logged: Logged = []
        close = bars.close
        for one in self._attached[series].values():
            if one.decide is None:
                continue
            self._running[0] = one.number
            self._turn.calls, self._lines, self._at = 0, [], (series, one.number)
            try:
                answer = _answer(one, one.decide, grid, close)
            except StrategyError as error:
                one.decide = None
                answer = Answer(error=str(error))
            if answer is not None:
                said.append((one.number, answer))
            logged += ((one.number, line) for line in self._lines)
        self._running[0] = _NOBODY
        return said, logged

    def _seen(self, look: Look) -> dict[str, object]:
        columns = ("open", "high", "low", "close", "volume")
        values = {name: getattr(look, name) for name in columns}
        return {
            "ta": look.ta,
            "bar": look.bar,
            "log": self._log,
            "instrument": self._instrument,
            **values,
        }

    def _log(self, *words: object) -> None:
        if len(self._lines) < LOG_LINES_MAX:
            plain = (shown(word) if not isinstance(word, str) else word for word in words)
            self._lines.append(" ".join(plain)[:LOG_LENGTH_MAX])

    def _instrument(self, symbol: str) -> Look:
        series, number = self._at
        other = self._others[number].get(symbol)
        if other is None:
            raise StrategyError(
                None, f"instrument: {shown(symbol)} is not among the others of this assignment"
            )
        look = self._looks[other]
        if look.time < 0:
            raise Warming
        if look.time > self._looks[series].time:
            raise StrategyError(None, f"instrument: {symbol!r} is ahead of this bar")
        return look


def _answer(
    one: _Attached, decide: Callable[..., object], grid: Grid, close: float
) -> Answer | None:
    """Return what it says of the bar at hand; None for nothing at all.

    Raises:
        StrategyError: it failed.
    """
    state = State(state_of(one.state) if "state" in one.names else {})
    given = one.arguments
    given["position"] = one.position_ppm / FULL_PPM
    given["state"] = state
    try:
        said = decide(*[given[name] for name in one.names])
    except Warming:
        said = None
    except (Exception, RecursionError) as error:
        raise StrategyError(_line(error), _message(error)) from error
    try:
        wish = _wish(said, grid, close, may_short=one.may_short)
    except StrategyError as error:
        raise error.at(_returned_at(one)) from error
    if state.is_changed:
        one.state = state_text(state)
    if wish.position_ppm is not None:
        one.position_ppm = wish.position_ppm
    if wish == Wish() and not state.is_changed:
        return None
    return wish.answer(one.state)


def _wish(said: object, grid: Grid, close: float, *, may_short: bool) -> Wish:
    if isinstance(said, dict):
        return wish_of(said, grid, close, may_short=may_short)
    ppm = position_ppm(said, may_short=may_short)
    if ppm is None and said is not None:
        raise StrategyError(None, EXPECTED + shown(said))
    return Wish(position_ppm=ppm)


def _returned_at(one: _Attached) -> int | None:
    """Return the line that returned what was said, found by having it said once more."""
    again = {**one.arguments, "log": _silent, "state": State(state_of(one.state))}
    try:
        told = program_of(one.text, tells_lines=True).call(*[again[name] for name in one.names])
    except (Exception, Warming):  # noqa: BLE001 - strategies raise what they like
        return None  # it asks for too much to do so twice, or for what is not there again
    return told[0] if isinstance(told, tuple) else None


def _silent(*_: object) -> None:
    """Log nothing."""


def _line(error: BaseException) -> int | None:
    """Return the last line of the strategy that was under way."""
    line, step = None, error.__traceback__
    for _ in range(1_000):
        if step is None:
            break
        if step.tb_frame.f_code.co_filename == FILE:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _message(error: BaseException) -> str:
    if isinstance(error, StrategyError):
        return error.message
    if isinstance(error, RecursionError):
        return "it calls itself too often"
    text = str(error)[:LOG_LENGTH_MAX]
    return text if isinstance(error, AttributeError) and text else f"{type(error).__name__}: {text}"
