"""What a strategy in Python can look at: bars, indicators, parameters."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tandem.domain.strategies import Scalar
from tandem.strategies import ta
from tandem.strategies.attaching import Sources
from tandem.strategies.errors import StrategyError
from tandem.strategies.places import Values
from tandem.strategies.series import COLUMNS, COUNT, TIME, TRACK, Handle
from tandem.strategies.ta.definition import Scalar as Given

CALLS_MAX: Final = 64


class Warming(BaseException):
    """There is no value yet: the strategy keeps its position.

    Not an `Exception`, so that a strategy's own `except` does not take it for an error.
    """


class Turn:
    """What is shared by all that one machine evaluates."""

    def __init__(self, values: Values, sources: Sources) -> None:
        """Begin before the first evaluation."""
        self.values = values
        self.sources = sources
        self.calls = 0


class Look:
    """One series, as strategies see it; also what `instrument(symbol)` returns."""

    def __init__(self, turn: Turn, series: int, *, first: int) -> None:
        """Look at the series of this number, with its places from `first`."""
        self._turn = turn
        self._series = series
        self._first = first
        self.bar = Bar(turn.values, first)
        self.ta = Indicators(turn, series)
        self.open, self.high, self.low, self.close, self.volume = (
            Value(turn, series, name, Handle(first + at, 1, first))
            for at, name in enumerate(COLUMNS[:TIME])
        )

    @property
    def time(self) -> float:
        """When the bar at hand began; before the first, negative."""
        values = self._turn.values
        return values[self._first + TIME] if values[self._first + COUNT] else -1.0


class Bar:
    """The bar at hand: open, high, low, close, volume, and time, when it began."""

    __slots__ = ("_first", "_values")

    def __init__(self, values: Values, first: int) -> None:
        """Read it from the places of its series."""
        self._values = values
        self._first = first

    def __getattr__(self, name: str) -> float:
        if name not in COLUMNS:
            raise AttributeError(f"bar has no '{name}'")
        return self._values[self._first + COLUMNS.index(name)]


class Value:
    """A handle: called, it returns the value of this bar, or of so many bars back."""

    __slots__ = ("_handle", "_name", "_series", "_tracks", "_turn", "_values")

    def __init__(self, turn: Turn, series: int, name: str, handle: Handle) -> None:
        """Read it from its places; `name` is for errors."""
        self._turn = turn
        self._values = turn.values
        self._series = series
        self._name = name
        self._handle = handle
        self._tracks: dict[int, Values] = {}

    def __call__(self, back: int = 0) -> float | tuple[float, ...]:
        """Return the value, or one for each output.

        Raises:
            StrategyError: `back` is no number of bars.
            Warming: there is none.
        """
        handle = self._handle
        if handle.outputs == 1:
            return self._at(handle.place, back)
        return tuple(self._at(handle.place + at, back) for at in range(handle.outputs))

    def _at(self, place: int, back: int) -> float:
        value = self._before(place, _bars(self._name, back)) if back != 0 else self._values[place]
        if value != value:
            raise Warming
        return value

    def _before(self, place: int, back: int) -> float:
        count = int(self._values[self._handle.first + COUNT])
        if back >= count:
            raise Warming
        track = self._tracks.get(place)
        if track is None:
            track = self._tracks[place] = self._turn.sources.track(self._series, place)
        return track[(count - 1 - back) % TRACK]


def _bars(name: str, back: object) -> int:
    if isinstance(back, int | float) and 0 < back < TRACK and back == int(back):
        return int(back)
    raise StrategyError(None, f"{name}: expected bars back, a whole number from 0 to {TRACK - 1}")


class Indicators:
    """The indicators of one series, by name: `ta`."""

    def __init__(self, turn: Turn, series: int) -> None:
        """Ask the series of this number."""
        self._turn = turn
        self._series = series

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name not in ta.catalogue:
            raise AttributeError(f"ta has no '{name}'")
        turn, series = self._turn, self._series
        known: dict[object, Value] = {}

        def ask(*given: Given, **named: Given) -> Value:
            turn.calls += 1
            if turn.calls > CALLS_MAX:
                raise StrategyError(None, f"more than {CALLS_MAX} indicators in one evaluation")
            key = (*((type(one), one) for one in given), None, *sorted(named.items()))
            found = known.get(key)
            if found is None:
                handle = turn.sources.find(series, name, given, named)
                found = known[key] = Value(turn, series, f"ta.{name}", handle)
            return found

        self.__dict__[name] = ask
        return ask


class Parameters(Mapping[str, Scalar]):
    """What the assignment sets. Written as an attribute, one that is not there is None."""

    __slots__ = ("_content",)
    _content: dict[str, Scalar]

    def __init__(self, content: Mapping[str, Scalar]) -> None:
        """Hold them."""
        object.__setattr__(self, "_content", dict(content))

    def __getitem__(self, name: str) -> Scalar:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._content))

    def __len__(self) -> int:
        return len(self._content)

    def __getattr__(self, name: str) -> Scalar | None:
        return self._content.get(name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("'params' can only be read")
