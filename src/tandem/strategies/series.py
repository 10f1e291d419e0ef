"""The bars of one instrument and span, and the indicators that strategies ask of them.

Everything is computed once, whoever asks: an indicator belongs to its series, not to a strategy.
Values of this bar lie in numbered places of one array (`Places`), those of bars before in rings.
An indicator that is asked for late is warmed on all bars since the origin, this bar included, so
when it was asked for never changes what it says.
"""

import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError
from tandem.strategies import ta
from tandem.strategies.errors import StrategyError
from tandem.strategies.grid import Row
from tandem.strategies.places import Places, Values, view_of
from tandem.strategies.ta.definition import Bound, Scalar

TRACK: Final = 1_024  # bars in a ring, this one included
HISTORY_BARS: Final = 2_000  # as many as there are at least, once an instrument has traded long
ASKED_MAX: Final = 20_000  # indicators of a series; beyond, all are dropped and asked for again
TIME: Final = 5
COUNT: Final = 6
COLUMNS: Final = ("open", "high", "low", "close", "volume", "time")
_FIXED: Final = 7
_PACK: Final = struct.Struct(f"{_FIXED}d").pack
_BAR_BYTES: Final = 8 * _FIXED
_SECOND_NS: Final = 1_000_000_000
_NOTHING: Final[Mapping[str, Scalar]] = {}
_CLOSE_ONLY: Final = (3,)


class Handle(NamedTuple):
    """Where an indicator's values lie: `outputs` from `place`; `first` is its series' place."""

    place: int
    outputs: int
    first: int


class _Work(NamedTuple):
    """An indicator at work."""

    indicator: ta.Indicator
    parameters: Bound
    running: ta.Running
    inputs: tuple[int, ...]  # columns
    place: int


class Series:
    """One span of one instrument, with all that is asked of it.

    Places from `first`: open, high, low, close, volume, time (seconds since 1970 UTC of its
    begin), count of bars.
    """

    def __init__(self, places: Places, span: Span) -> None:
        """Begin without a bar."""
        self._places = places
        self._values = places.values
        self.span = span
        self.first = places.take(_FIXED)
        self._last = places.window(self.first, count=_FIXED)
        self._bars = bytearray()  # one bar's columns after the other's
        self.count = 0  # bars since the origin
        self.asked = 0  # indicators that were asked for, time-scales included
        self._handles: dict[tuple[str, Bound], Handle] = {}
        self._simple: list[tuple[Any, int]] = []  # streams of the close alone, with one value
        self._others: list[_Work] = []
        self._work: list[_Work] = []  # all of them
        self._tracks: dict[int, Values] = {}
        self._coarse: dict[Span, _Coarse] = {}
        self.restart(())

    @property
    def close(self) -> float:
        """The close of the last bar."""
        return self._values[self.first + 3]

    def feed(self, row: Row, begin_ns: int) -> None:
        """Take the next bar."""
        # By name, and nothing that has nothing to do is begun: this is paid for each bar.
        opened, high, low, close, volume = row
        second = begin_ns // _SECOND_NS
        self.count += 1
        self._last[:] = packed = _PACK(opened, high, low, close, volume, second, self.count)
        self._bars += packed
        values = self._values
        for running, place in self._simple:
            values[place] = running.update(close)
        if self._others:
            self._feed_others((*row, second))
        if self._tracks:
            self._write_tracks()
        if self._coarse:
            for coarse in self._coarse.values():
                coarse.feed(row, begin_ns)

    def _feed_others(self, numbers: Sequence[float]) -> None:
        for work in self._others:
            self._write(work, work.running.update(*[numbers[at] for at in work.inputs]))

    def _write_tracks(self) -> None:
        at = (self.count - 1) % TRACK
        for place, track in self._tracks.items():
            track[at] = self._values[place]

    def restart(self, rows: Iterable[tuple[Row, int]]) -> None:
        """Begin anew with these bars and their begins, oldest first, and forget what was asked."""
        numbers = array("d")
        for row, begin_ns in rows:
            numbers.extend((*row, float(begin_ns // _SECOND_NS)))
        self.restart_with(numbers)

    def restart_with(self, numbers: "array[float]") -> None:
        """Begin anew with bars by numbers, six for each: its row, and the second of its begin."""
        self.forget()
        self.count = len(numbers) // len(COLUMNS)
        table = np.zeros((self.count + 1, _FIXED))  # the first row stands for no bar at all
        table[1:, :COUNT] = np.array(numbers).reshape(self.count, COUNT)
        table[:, COUNT] = np.arange(self.count + 1)
        packed = table.tobytes()
        self._bars = bytearray(packed[_BAR_BYTES:])
        self._last[:] = packed[-_BAR_BYTES:]

    def forget(self) -> None:
        """Drop every indicator: who wants one asks again, and hears the same."""
        for handle in self._handles.values():
            self._places.give_back(handle.place, count=handle.outputs)
        for coarse in self._coarse.values():
            coarse.series.end()
        self._handles, self._coarse, self._tracks = {}, {}, {}
        self._simple, self._others, self._work = [], [], []
        self.asked = 0

    def end(self) -> None:
        """Give all of its places back."""
        self.forget()
        self._places.give_back(self.first, count=_FIXED)

    def handle(
        self,
        name: str,
        given: Sequence[Scalar],
        named: Mapping[str, Scalar] = _NOTHING,
    ) -> Handle:
        """Return where an indicator's values lie; a last argument such as "1h" is a time-scale.

        Raises:
            StrategyError: there is no such indicator, or a parameter is wrong.
        """
        span = None
        if given and isinstance(given[-1], str) and given[-1] in _SPANS:
            span, given = Span(given[-1]), given[:-1]
        try:
            indicator = ta.find(name)
            bound = ta.bind(indicator, given, named)
            self.asked += 1
            if span is None or span is self.span:
                return self._handle(indicator, bound)
            return self._in(span, indicator, bound)._handle(indicator, bound)
        except ConfigurationError as error:
            raise StrategyError(None, str(error)) from error

    def track(self, place: int) -> Values:
        """Return the ring of a place's values: bar number n, from 0, lies at n modulo `TRACK`."""
        for coarse in self._coarse.values():
            if place in coarse.series._owned():
                return coarse.series.track(place)
        found = self._tracks.get(place)
        if found is None:
            found = self._tracks[place] = _ring(self._history(place))
        return found

    def _owned(self) -> list[int]:
        return [
            handle.place + at for handle in self._handles.values() for at in range(handle.outputs)
        ]

    def _history(self, place: int) -> ta.Array:
        if self.first <= place < self.first + len(COLUMNS):
            return self._table()[:, place - self.first].copy()
        for work in self._work:
            if work.place <= place < work.place + len(work.indicator.outputs):
                outputs = ta.batch(work.indicator, work.parameters, self._arrays(work.indicator))
                return outputs[place - work.place]
        raise AssertionError(f"place {place} is not of this series")

    def _handle(self, indicator: ta.Indicator, bound: Bound) -> Handle:
        key = (indicator.name, bound)
        found = self._handles.get(key)
        if found is not None:
            return found
        count = len(indicator.outputs)
        place = self._places.take(count)
        running = ta.stream(indicator, bound, self._arrays(indicator))
        inputs = tuple(COLUMNS.index(one) for one in indicator.inputs)
        work = _Work(indicator, bound, running, inputs, place)
        self._work.append(work)
        if inputs == _CLOSE_ONLY and count == 1:
            self._simple.append((running, place))
        else:
            self._others.append(work)
        self._write(work, running.value)
        found = self._handles[key] = Handle(place, count, self.first)
        return found

    def _in(self, span: Span, indicator: ta.Indicator, bound: Bound) -> "Series":
        """Return the series of a longer time-scale, if it can ever be long enough."""
        if span.ns % self.span.ns or span.ns < self.span.ns:
            raise StrategyError(
                None, f"ta.{indicator.name}: {span} cannot be made of bars of {self.span}"
            )
        bars = (ta.bars_needed(indicator, bound) + 1) * (span.ns // self.span.ns)
        if bars > HISTORY_BARS:
            raise StrategyError(
                None,
                f"ta.{indicator.name}: on {span} it needs {bars} bars of {self.span}, and "
                f"{HISTORY_BARS} are certain; expected a shorter period, or an assignment to a "
                "longer time-scale",
            )
        coarse = self._coarse.get(span)
        if coarse is None:
            coarse = self._coarse[span] = _Coarse(self._places, span, of=self.span)
            for a, b, c, d, e, seconds, _ in self._table().tolist():
                coarse.feed((a, b, c, d, e), int(seconds) * _SECOND_NS)
        return coarse.series

    def _arrays(self, indicator: ta.Indicator) -> dict[str, ta.Array]:
        table = self._table()
        return {name: table[:, COLUMNS.index(name)].copy() for name in indicator.inputs}

    def _table(self) -> ta.Array:
        """Return all bars, one a row; a view, not to be kept: while it lives no bar can come."""
        return np.frombuffer(self._bars).reshape(-1, _FIXED)

    def _write(self, work: _Work, reading: ta.Reading) -> None:
        if isinstance(reading, tuple):
            for place, value in enumerate(reading, start=work.place):
                self._values[place] = value
        else:
            self._values[work.place] = reading


_SPANS: Final = frozenset(str(span) for span in Span)


def _ring(history: ta.Array) -> Values:
    ring = np.zeros(TRACK)
    begin = max(0, len(history) - TRACK)
    places = np.arange(begin, len(history)) % TRACK
    ring[places] = history[begin:]
    return view_of(ring)


class _Coarse:
    """A longer time-scale, out of finished bars; only its own finished bars count.

    A span of which the first bar at hand is not the first is left out: it would be a part only.
    """

    def __init__(self, places: Places, span: Span, *, of: Span) -> None:
        self.series = Series(places, span)
        self._span = span
        self._step_ns = of.ns
        self._begin_ns: int | None = None
        self._open: Row | None = None

    def feed(self, row: Row, begin_ns: int) -> None:
        span_begin_ns = self._span.begin_ns(begin_ns)
        if span_begin_ns != self._begin_ns:
            self._finish()
            is_whole = self._begin_ns is not None or span_begin_ns == begin_ns
            self._begin_ns = span_begin_ns
            self._open = row if is_whole else None
        elif self._open is not None:
            self._open = _joined(self._open, row)
        if begin_ns + self._step_ns == span_begin_ns + self._span.ns:
            self._finish()

    def _finish(self) -> None:
        if self._open is not None and self._begin_ns is not None:
            self.series.feed(self._open, self._begin_ns)
            self._open = None


def _joined(a: Row, b: Row) -> Row:
    return (a[0], max(a[1], b[1]), min(a[2], b[2]), b[3], a[4] + b[4])
