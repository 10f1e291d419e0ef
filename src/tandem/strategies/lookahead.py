"""Proves that a strategy sees nothing of the future, by taking the future away.

Each bar is decided twice: once in a run over the whole history, in which everything behind that bar
is there to be seen by whoever cheats, and once with the history cut off right behind it. What an
honest strategy wants is the same both times, whatever comes after. So the first bar on which the
two differ is proof of a look ahead. (That they never differ proves it for these bars only.)
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from tandem.domain.bars import Bar
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Parameters, StrategyText
from tandem.strategies.engine import Engine, SeriesId

_SERIES: Final = SeriesId("proved")


class Trial(Protocol):
    """A strategy at work on one history: it may be given all of it, and is asked bar by bar."""

    def answer(self, bar: Bar) -> Answer:
        """Return what is wanted after the next bar."""
        ...


Start = Callable[[Sequence[Bar]], Trial]  # with all bars that there will be


class Peek(msgspec.Struct, frozen=True, kw_only=True):
    """A bar on which the future made a difference."""

    number: int  # of the bar, from 0
    begin_ns: int
    with_future: Answer
    without: Answer


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: how many bars were decided twice, and the first that differed, if any."""

    bars: int
    compared: int
    peek: Peek | None
    error: str | None = None  # of the strategy itself, in the run over everything


def prove(start: Start, bars: Sequence[Bar], *, every: int = 1) -> Proof:
    """Return whether a strategy answers the same with and without the bars to come.

    Args:
        start: begins a run over a history, from its first bar.
        bars: the history, oldest first.
        every: every how many bars the history is cut; each cut runs all bars before it again, so
            1 takes time with the square of the history.
    """
    whole = start(bars)
    answers = [whole.answer(bar) for bar in bars]
    error = next((one.error for one in answers if one.error is not None), None)
    compared = 0
    for number in _cuts(len(bars), every):
        compared += 1
        until = bars[: number + 1]
        cut = start(until)
        without = [cut.answer(bar) for bar in until][-1]
        if without != answers[number]:
            peek = Peek(
                number=number,
                begin_ns=bars[number].begin_ns,
                with_future=answers[number],
                without=without,
            )
            return Proof(bars=len(bars), compared=compared, peek=peek, error=error)
    return Proof(bars=len(bars), compared=compared, peek=None, error=error)


def _cuts(count: int, every: int) -> Iterator[int]:
    yield from range(every - 1, count, every)


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another instrument that it looks at, and its bars, oldest first."""

    instrument: Instrument
    bars: Sequence[Bar]


def engine_runs(
    text: StrategyText,
    instrument: Instrument,
    parameters: Parameters,
    others: Sequence[Other] = (),
) -> Start:
    """Return runs of a text in an engine, with the right to be short.

    On each bar it sees those bars of `others` that were over when its own began, as in a pool.

    Raises:
        StrategyError: later, at the start of a run: the text cannot be used.
    """

    def start(bars: Sequence[Bar]) -> Trial:
        end_ns = bars[-1].end_ns if bars else 0
        known = [
            Other(instrument=one.instrument, bars=[bar for bar in one.bars if bar.end_ns <= end_ns])
            for one in others
        ]
        return _EngineRun(text, (instrument, parameters), bars, known)

    return start


class _EngineRun:
    def __init__(
        self,
        text: StrategyText,
        given: tuple[Instrument, Parameters],
        bars: Sequence[Bar],
        others: Sequence[Other],
    ) -> None:
        instrument, parameters = given
        self._engine = Engine()
        self._waiting = {SeriesId(f"of {one.instrument.symbol}"): deque(one.bars) for one in others}
        self._last = Answer()
        self._engine.load(text)
        if bars:
            self._engine.open_series(_SERIES, instrument, bars[0].span, ())
            for name, one in zip(self._waiting, others, strict=True):
                self._engine.open_series(name, one.instrument, bars[0].span, ())
            names = [one.instrument.symbol for one in others]
            self._engine.attach(
                0,
                text.text_hash,
                _SERIES,
                parameters=parameters,
                others=dict(zip(names, self._waiting, strict=True)),
                may_short=True,
            )

    def answer(self, bar: Bar) -> Answer:
        for name, waiting in self._waiting.items():
            while waiting and waiting[0].end_ns <= bar.begin_ns:
                self._engine.feed(name, waiting.popleft())
        said = self._engine.on_bar(_SERIES, bar)
        self._last = said[0][1] if said else Answer(state=self._last.state)
        return self._last
