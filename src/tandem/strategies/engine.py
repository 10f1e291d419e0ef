"""The evaluator of user strategies: from final bars to answers.

An engine is one thread's, and waits for nothing. What it answers is a function of texts,
parameters, states, wanted positions and the bars since the origin, and of nothing else: not of who
else is attached, of what was asked before, of the machine or the moment. So any evaluator can do
any task again, and hears the same.
"""

from array import array
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, NewType

import msgspec
import numpy as np

from tandem.domain.bars import Bar, Span
from tandem.domain.evaluation import History, Prepared
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Language, Parameters, StrategyText, TextHash
from tandem.strategies.attaching import Attachment, Sources
from tandem.strategies.grid import Grid
from tandem.strategies.histories import rows_of
from tandem.strategies.lua_machine import Lua, LuaMachine
from tandem.strategies.places import Places, Values
from tandem.strategies.python_machine import PythonMachine
from tandem.strategies.series import ASKED_MAX, Handle, Series
from tandem.strategies.ta.definition import Scalar as Given

SeriesId = NewType("SeriesId", str)  # chosen by whoever opens it

UNUSED_MAX: Final = 1_000  # texts to which nothing is attached; they may be attached again
MEMORY_BYTES: Final = 256 << 20
CONTROL_BYTES: Final = 8
_NOBODY: Final = -1


class _Held(NamedTuple):
    number: int
    series: Series
    grid: Grid


class _Program(msgspec.Struct):
    """A text that was compiled, and to how many series it is attached."""

    language: Language
    number: int
    attached: int = 0


class Engine:
    """Evaluates strategies on the bars of the series that are open.

    `control` is memory that is shared with whoever watches: byte 0 is set by him when we are late
    (then the running strategy ends with an error), bytes 4 to 7 name the attachment that runs, as
    a signed number, -1 for none.
    """

    def __init__(
        self,
        *,
        control: memoryview | bytearray | None = None,
        lua: Lua | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Start without series and strategies."""
        shared = bytearray(CONTROL_BYTES) if control is None else control
        self._control = np.frombuffer(shared, np.uint8)
        self._control_bytes = memoryview(shared)
        self._control[4:8].view(np.int32)[0] = _NOBODY
        self._places = Places()
        self._series: dict[SeriesId, _Held] = {}
        self._by_number: list[Series] = []
        self._programs: dict[TextHash, _Program] = {}
        self._loaded = 0
        self._unused: dict[TextHash, None] = {}
        self._attached: dict[int, tuple[SeriesId, TextHash]] = {}
        self._logged: list[tuple[int, str]] = []
        sources = Sources(self._find, self._track)
        self._lua = LuaMachine(
            self._places,
            self._control,
            sources,
            kind=lua or Lua.here(),
            memory_bytes=memory_bytes,
        )
        self._python = PythonMachine(self._places, self._control, sources)

    def load(self, text: StrategyText, prepared: Prepared | None = None) -> None:
        """Compile a text, once; what is not attached soon may be forgotten.

        `prepared` is what `preparing.prepared` made of it, wherever that was.

        Raises:
            StrategyError: it cannot be used; names the line.
        """
        text_hash = text.text_hash
        if text_hash in self._programs:
            return
        if text.language is Language.LUA:
            self._lua.load(self._loaded, text.text, prepared)
        else:
            self._python.load(self._loaded, text.text)
        self._programs[text_hash] = _Program(text.language, self._loaded)
        self._loaded += 1
        self._unused[text_hash] = None
        if len(self._unused) > UNUSED_MAX:
            oldest = next(iter(self._unused))
            del self._unused[oldest]
            gone = self._programs.pop(oldest)
            self._machine(gone.language).unload(gone.number)

    def open_series(
        self, series: SeriesId, instrument: Instrument, span: Span, bars: Iterable[Bar]
    ) -> None:
        """Begin a series with its history, or begin it anew: who is attached stays attached."""
        grid = Grid(instrument)
        held = self._held(series, span, grid)
        held.series.restart((grid.row(bar), bar.begin_ns) for bar in bars)
        self._show(held)

    def open_history(
        self, series: SeriesId, instrument: Instrument, span: Span, history: History
    ) -> None:
        """Begin a series with a history by columns, as `open_series` does bar by bar.

        Raises:
            ConfigurationError: a bar of it cannot be; nothing has changed then.
        """
        grid = Grid(instrument)
        numbers = array("d", rows_of(history, span, grid).tobytes())
        held = self._held(series, span, grid)
        held.series.restart_with(numbers)
        self._show(held)

    def _held(self, series: SeriesId, span: Span, grid: Grid) -> _Held:
        held = self._series.get(series)
        if held is None:
            held = _Held(len(self._by_number), Series(self._places, span), grid)
            self._series[series] = held
            self._by_number.append(held.series)
        return held

    def attach(  # noqa: PLR0913 - all that one evaluation depends on
        self,
        number: int,
        text_hash: TextHash,
        series: SeriesId,
        *,
        parameters: Parameters,
        state: str = "{}",
        position_ppm: int = 0,
        others: Mapping[str, SeriesId],
        may_short: bool = False,
    ) -> None:
        """Evaluate a text on a series from now on, under a number that nobody else has.

        Raises:
            StrategyError: `state` is none.
        """
        program = self._programs[text_hash]
        one = Attachment(
            number=number,
            program=program.number,
            parameters=parameters,
            state=state,
            position_ppm=position_ppm,
            others={symbol: self._series[other].number for symbol, other in others.items()},
            may_short=may_short,
        )
        self._machine(program.language).attach(self._series[series].number, one)
        self._attached[number] = series, text_hash
        program.attached += 1
        self._unused.pop(text_hash, None)

    def detach(self, number: int) -> None:
        """Evaluate it no more; nothing happens when it is not attached."""
        where = self._attached.pop(number, None)
        if where is not None:
            series, text_hash = where
            program = self._programs[text_hash]
            self._machine(program.language).detach(self._series[series].number, number=number)
            program.attached -= 1
            if not program.attached:
                self._unused[text_hash] = None

    def on_bar(self, series: SeriesId, bar: Bar) -> list[tuple[int, Answer]]:
        """Take the next bar of a series and evaluate all that is attached to it; see `decide`."""
        held = self._series[series]
        held.series.feed(held.grid.row(bar), bar.begin_ns)
        return self._decide(held)

    def feed(self, series: SeriesId, bar: Bar) -> None:
        """Take the next bar of a series, and evaluate nothing."""
        held = self._series[series]
        held.series.feed(held.grid.row(bar), bar.begin_ns)

    def decide(self, series: SeriesId) -> list[tuple[int, Answer]]:
        """Evaluate all that is attached to a series on its last bar; return what was said.

        Who said nothing and remembers what it did is left out. In no order that is promised.
        Others that it looks at have had all their bars that begin no later than this one, and none
        that begins later. An answer with an error is the last of its attachment until it is
        attached anew.
        """
        return self._decide(self._series[series])

    def _decide(self, held: _Held) -> list[tuple[int, Answer]]:
        number, series, grid = held
        if series.asked > ASKED_MAX:
            series.forget()
            self._show(held)
        self._control_bytes[0] = 0  # whoever was late before is done
        said, logged = self._lua.evaluate(number, grid, series)
        if self._python.count:
            more, more_logged = self._python.evaluate(number, grid, series)
            said, logged = said + more, logged + more_logged
        if logged:
            self._logged += logged
        return said

    def logged(self) -> list[tuple[int, str]]:
        """Return what was logged since this was asked last, oldest first, by attachment."""
        lines, self._logged = self._logged, []
        return lines

    def _machine(self, language: Language) -> LuaMachine | PythonMachine:
        return self._lua if language is Language.LUA else self._python

    def _show(self, held: _Held) -> None:
        self._lua.open_series(held.number, first=held.series.first)
        self._python.open_series(held.number, first=held.series.first)

    def _find(
        self, number: int, name: str, given: tuple[Given, ...], named: Mapping[str, Given]
    ) -> Handle:
        return self._by_number[number].handle(name, given, named)

    def _track(self, number: int, place: int) -> Values:
        return self._by_number[number].track(place)
