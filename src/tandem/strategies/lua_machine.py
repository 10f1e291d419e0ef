"""Strategies in Lua, all of one process in one virtual machine.

LuaJIT where there is one, plain Lua 5.1 where not: the same prelude, the same answers. What keeps
scripts apart is in lua/environment.lua and `guard`; `adapters/jail` puts a process around it.

Texts cross as Latin-1, so that every string of a script, valid UTF-8 or not, survives the way
through `state` unchanged.
"""

import enum
from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module, resources
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from tandem.domain.evaluation import Prepared
from tandem.domain.strategies import Answer, Scalar
from tandem.strategies import ta
from tandem.strategies.answers import Wish, error_of, wish_of
from tandem.strategies.attaching import Attachment, Logged, Said, Sources
from tandem.strategies.errors import StrategyError
from tandem.strategies.grid import Grid
from tandem.strategies.guard import guarded
from tandem.strategies.places import Places, Values
from tandem.strategies.remembering import WHOLE_MAX, state_of, state_text
from tandem.strategies.series import TRACK, Series
from tandem.strategies.ta.definition import Scalar as Given

BUDGET: Final = 20_000  # counts of an evaluation; about a millisecond, 20 at worst
_LISTED_MAX: Final = 17  # one more than an answer may have of anything
_BRIDGES: Final = (
    "python, io, os, package, require, dofile, loadfile, debug, newproxy, module, coroutine"
)
_HOST: Final = [
    "open_series",
    "load",
    "attach",
    "detach",
    "evaluate",
    "odd",
    "settle",
    "suspend",
    "unload",
]
_ANSWERS: Final = 1 << 21  # two numbers for each attachment of one series


class Lua(enum.StrEnum):
    """A virtual machine."""

    JIT = "luajit21"
    PLAIN = "lua51"

    @staticmethod
    def here() -> "Lua":
        """Return LuaJIT, or plain Lua where lupa was built without it."""
        try:
            import_module("lupa.luajit21")
        except ImportError:
            return Lua.PLAIN
        return Lua.JIT


class _Told(NamedTuple):
    """Where what was said of a bar is gathered."""

    said: Said
    logged: Logged
    grid: Grid
    close: float


class _Plain(dict[int, Answer]):
    """Answers that are a position alone; equal ones are one object."""

    def __missing__(self, ppm: int) -> Answer:
        answer = self[ppm] = Answer(position_ppm=ppm)
        return answer


class LuaMachine:
    """The virtual machine of all Lua strategies of one engine."""

    def __init__(
        self,
        places: Places,
        control: np.ndarray[Any, np.dtype[np.uint8]],
        sources: Sources,
        *,
        kind: Lua,
        memory_bytes: int,
    ) -> None:
        """Start it; `control` has the late flag at 0, and at 4 the number of who runs."""
        self._lupa: Any = import_module(f"lupa.{kind}")
        self._sources = sources
        self._values = places.values
        self._control = control
        self._running = control[4:8].view(np.int32)
        self._lua = self._lupa.LuaRuntime(
            encoding="latin-1",
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_deny,
            max_memory=memory_bytes,
        )
        self._is_jit = kind is Lua.JIT
        self._array = np.zeros(_ANSWERS if self._is_jit else 0, np.int32)
        self._answers: Any = self._array.data if self._is_jit else self._lua.table()
        self._programs: dict[int, bool] = {}  # whether it remembers
        self._states: dict[int, str] = {}
        self._plain = _Plain()
        environment = self._run("environment", self._options(places))
        host = self._run("machine", self._options(places), environment)
        self._host = {name: host[name] for name in _HOST}
        self._evaluate = host["evaluate"]
        self._lua.execute(f"{_BRIDGES} = nil")

    def open_series(self, series: int, *, first: int) -> None:
        """Let a series be known, or known again without its indicators."""
        self._host["open_series"](series, first)

    def load(self, program: int, text: str, prepared: Prepared | None = None) -> None:
        """Compile a text, as it was `prepared` if it was.

        Raises:
            StrategyError: it is no Lua, or not let in.
        """
        if prepared is None:
            source, uses_state = guarded(text)
        else:
            source, uses_state = prepared.source, prepared.uses_state
        message = self._host["load"](program, _bytes(source))
        if message is not None:
            raise error_of(_text(message))
        self._programs[program] = uses_state

    def unload(self, program: int) -> None:
        """Forget a text to which nothing is attached."""
        self._host["unload"](program)
        self._programs.pop(program, None)

    def attach(self, series: int, one: Attachment) -> None:
        """Evaluate it with the series from now on, after those attached before.

        Raises:
            StrategyError: its state is none.
        """
        kept = None
        if self._programs[one.program]:
            state = state_of(one.state)
            kept = self._lua.table_from({_latin(key): _kept(at) for key, at in state.items()})
        parameters = self._table(one.parameters) if one.parameters else None
        others = {_bytes(symbol): at for symbol, at in one.others.items()}
        self._host["attach"](
            series,
            one.number,
            one.program,
            one.position_ppm,
            parameters,
            kept,
            one.may_short,
            self._lua.table_from(others) if others else None,
        )
        if one.state != "{}":
            self._states[one.number] = one.state

    def detach(self, series: int, *, number: int) -> None:
        """Evaluate it no more."""
        self._host["detach"](series, number)
        self._states.pop(number, None)

    def evaluate(self, series: int, grid: Grid, bars: Series) -> tuple[Said, Logged]:
        """Evaluate all that is attached to a series; return what was said, and logged."""
        plain, odd = self._evaluate(series)
        said = self._plain_answers(plain)
        if not odd:
            return said, []
        told = _Told(said, [], grid, bars.close)
        self._hear_odd(odd, series, told)
        return said, told.logged

    def _hear_odd(self, odd: int, series: int, told: _Told) -> None:
        """Hear those who said more than a position."""
        said, logged, grid, close = told
        for at in range(1, odd + 1):
            place, number, ppm, table, failure, kept, lines, may_short, line = self._host["odd"](at)
            if lines is not None:
                logged += ((number, _text(line)) for line in lines.values())
            if ppm is None and table is None and failure is None and kept is None:
                continue
            try:
                if failure is not None:
                    raise error_of(_text(failure))
                if table is not None:
                    wish = wish_of(_plain(table), grid, close, may_short=may_short)
                    if wish.position_ppm is not None:
                        self._host["settle"](series, place, wish.position_ppm)
                else:
                    wish = Wish(position_ppm=ppm)
                state = self._state(number, kept)
            except StrategyError as error:
                self._host["suspend"](series, place)
                said.append((number, Answer(error=str(error.at(int(line))))))
            else:
                said.append((number, wish.answer(state)))

    def _plain_answers(self, count: int) -> Said:
        """Return positions alone, as most answers are."""
        answers = self._answers
        if count == 1 and not self._states:
            return [(answers[0], self._plain[answers[1]])]
        if self._is_jit:
            flat = answers[: 2 * count].tolist()
        else:
            flat = [answers[at] for at in range(2 * count)]
        said = list(zip(flat[::2], map(self._plain.__getitem__, flat[1::2]), strict=True))
        if self._states:
            for at, (number, answer) in enumerate(said):
                state = self._states.get(number)
                if state is not None:
                    said[at] = number, msgspec.structs.replace(answer, state=state)
        return said

    def _state(self, number: int, kept: Any) -> str:
        if kept is None:
            return self._states.get(number, "{}")
        state = state_text({key: _scalar(value) for key, value in kept.items()})
        self._states[number] = state
        return state

    def _find(self, series: int, name: str, *given: Given) -> tuple[int | None, int | str, int]:
        try:
            return self._sources.find(series, name, given, {})
        except StrategyError as error:
            return None, _bytes(error.message), 0

    def _track(self, series: int, place: int) -> object:
        ring = self._sources.track(series, place)
        return _address(ring) if self._is_jit else ring.__getitem__

    def _options(self, places: Places) -> Any:
        options: dict[str, object] = {
            "has_ffi": self._is_jit,
            "budget": BUDGET,
            "track": TRACK,
            "indicators": self._lua.table_from(sorted(ta.catalogue)),
            "find_handle": self._find,
            "find_track": self._track,
        }
        if self._is_jit:
            options["flag"] = self._control.ctypes.data
            options["running"] = self._running.ctypes.data
            options["values"] = places.address
            options["answers"] = self._array.ctypes.data
        else:
            options["is_late"] = self._is_late
            options["mark"] = partial(self._running.__setitem__, 0)
            options["values"] = self._values.__getitem__
            options["answers"] = self._answers
        return self._lua.table_from(options)

    def _is_late(self) -> bool:
        is_late, self._control[0] = bool(self._control[0]), 0
        return is_late

    def _run(self, name: str, *arguments: object) -> Any:
        return self._lua.execute(_source(name), *arguments)

    def _table(self, content: Mapping[str, Scalar]) -> Any:
        return self._lua.table_from({_bytes(key): _sent(one) for key, one in content.items()})


@cache
def _source(name: str) -> str:
    return _bytes(resources.files(__package__).joinpath(f"lua/{name}.lua").read_text("utf-8"))


def _deny(*_: object) -> str:
    raise AttributeError("no attribute of a Python object can be reached")


def _bytes(text: str) -> str:
    return text.encode(errors="replace").decode("latin-1")


def _text(text: str) -> str:
    return text.encode("latin-1").decode(errors="replace")


def _latin(text: str) -> str:
    return text.encode("latin-1", errors="replace").decode("latin-1")


def _kept(value: Scalar) -> Scalar:
    return _latin(value) if isinstance(value, str) else _sent(value)


def _sent(value: Scalar) -> Scalar:
    if isinstance(value, str):
        return _bytes(value)
    return value if isinstance(value, bool) else float(value)


def _scalar(value: Scalar) -> Scalar:
    """Return a number of Lua's; whole ones come as int, too large ones are no 64 bits."""
    is_large = isinstance(value, int) and not -WHOLE_MAX <= value <= WHOLE_MAX
    return float(value) if is_large else value


def _plain(table: Any) -> dict[str, object]:
    """Return a table that a strategy answered, its keys in order."""
    pairs = list(islice(table.items(), _LISTED_MAX))
    if len(pairs) == _LISTED_MAX:
        return {f"more than {_LISTED_MAX - 1} keys": None}
    named = sorted((_text(str(key)), value) for key, value in pairs)
    return {key: _listed(value) if key == "orders" else _cell(value) for key, value in named}


def _listed(value: Any) -> object:
    if not hasattr(value, "items"):
        return _cell(value)
    found = dict(islice(value.items(), _LISTED_MAX))
    keys = range(1, len(found) + 1)
    if any(key not in found for key in keys):
        return "a table"
    return [
        _plain(found[key]) if hasattr(found[key], "items") else _cell(found[key]) for key in keys
    ]


def _cell(value: Any) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | int | float):
        return value
    return {} if hasattr(value, "items") else None if value is None else object()


def _address(ring: Values) -> int:
    return int(np.asarray(ring).ctypes.data)
