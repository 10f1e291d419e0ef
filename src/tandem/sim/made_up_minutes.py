"""A made-up market of minutes, sixty times as fast as life, and how badly its sources tell it.

Every bar is known from the start. Each is told some while after it is over, and by chance more than
once, before an earlier one, first as it was while it was open, with a mistake that is corrected
later, too late, or not at all until it is asked for. Who does not listen misses what is told.
"""

import random
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from tandem.domain.bars import Bar, Span
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.market_words import (
    BackFill,
    BackFilled,
    BarTold,
    EmptyMinutes,
    GapKnown,
    Listing,
    MarketSettings,
    MarketWord,
    Source,
    SourceId,
    TimeTold,
)
from tandem.sim.machine import MARKET_START_NS

SPEED = 60
BARS = 64
BEGIN_NS = Span.M5.begin_ns(MARKET_START_NS) - 120 * Span.M1.ns
FIRST_NS = 2 * SECOND  # of the world, when the first minute begins
MINUTE_NS = Span.M1.ns // SPEED  # how long a minute takes here
SETTINGS = MarketSettings(grace_ns=Span.M1.ns, wait_ns=4 * Span.M1.ns)
CLOCK_NS = 500 * MS
STALE_NS = 6 * Span.H1.ns
PRICE = 10_000


class MadeUpMinutes:
    """The sources of some instruments; `answer` is what they say when asked."""

    def __init__(self, instruments: Sequence[InstrumentId], seed: int) -> None:
        self._draws = random.Random(f"{seed} minutes")
        self._filled = {one: self._draws.random() < 0.5 for one in instruments}
        self._bars = {one: self._made(one) for one in instruments}
        self._script: list[tuple[int, int, MarketWord]] = []  # by time
        self._rung: list[tuple[int, MarketWord]] = []  # at last
        for one in instruments:
            self._write(one)
        self._script.sort(key=lambda line: line[:2])
        self.listings = tuple(
            Listing(instrument_id=one, sources=(self._source(one),)) for one in instruments
        )

    def told(self, *, after_ns: int, until_ns: int) -> list[MarketWord]:
        """Return what is told in that span of the world's time, to whoever listens."""
        begin = bisect_right(self._script, after_ns, key=_at_ns)
        end = bisect_right(self._script, until_ns, key=_at_ns)
        told = [word for _, _, word in self._script[begin:end]]
        return told + [word for at_ns, word in self._rung if after_ns < at_ns <= until_ns]

    def ring(self, now_ns: int) -> None:
        """Let the last minutes be over, and be told well."""
        last = {one: bars[-3:] for one, bars in self._bars.items()}
        for instrument_id, bars in last.items():
            source_id = _source_id(instrument_id)
            for bar in bars:
                self._rung.append((now_ns + 1, BarTold(source_id=source_id, bar=bar)))
            end_ns = bars[-1].end_ns + SETTINGS.grace_ns
            self._rung.append((now_ns + 2, TimeTold(source_id=source_id, at_ns=end_ns)))

    def answer(self, asked: BackFill, now_ns: int) -> BackFilled | None:
        """Return what a source sends again of that span of time; None: it stays silent."""
        if self._draws.random() < 0.1:
            return None
        clock_ns = BEGIN_NS + max(0, now_ns - FIRST_NS) * SPEED
        return BackFilled(
            source_id=asked.source_id,
            instrument_id=asked.instrument_id,
            from_ns=asked.from_ns,
            to_ns=asked.to_ns,
            bars=tuple(
                bar
                for bar in self._bars[asked.instrument_id]
                if asked.from_ns <= bar.begin_ns < asked.to_ns and bar.end_ns <= clock_ns
            ),
        )

    def _source(self, instrument_id: InstrumentId) -> Source:
        is_filled = self._filled[instrument_id]
        return Source(
            source_id=_source_id(instrument_id),
            empty_minutes=EmptyMinutes.FILLED if is_filled else EmptyMinutes.ABSENT,
            is_asked=True,
            stale_ns=STALE_NS,
        )

    def _made(self, instrument_id: InstrumentId) -> list[Bar]:
        bars = []
        close = PRICE
        for number in range(BARS):
            opened, close = close, max(PRICE // 2, close + self._draws.randint(-40, 40))
            is_absent = not self._filled[instrument_id] and self._draws.random() < 0.05
            bar = Bar(
                instrument_id=instrument_id,
                span=Span.M1,
                begin_ns=BEGIN_NS + number * Span.M1.ns,
                open=Ticks(opened),
                high=Ticks(max(opened, close) + self._draws.randint(0, 9)),
                low=Ticks(min(opened, close) - self._draws.randint(0, 9)),
                close=Ticks(close),
                volume=Lots(self._draws.randint(1, 500)),
            )
            if not is_absent or number == 0:
                bars.append(bar)
        return bars

    def _write(self, instrument_id: InstrumentId) -> None:
        source_id = _source_id(instrument_id)
        for bar in self._bars[instrument_id][:-3]:  # those are told when it is calm
            self._tell(source_id, bar)
        end_ns = self._bars[instrument_id][-3].begin_ns
        at_ns = FIRST_NS
        while (clock_ns := BEGIN_NS + (at_ns - FIRST_NS) * SPEED) < end_ns:
            self._say(at_ns, TimeTold(source_id=source_id, at_ns=clock_ns))
            at_ns += CLOCK_NS

    def _tell(self, source_id: SourceId, bar: Bar) -> None:
        draws = self._draws
        over_ns = FIRST_NS + (bar.end_ns - BEGIN_NS) // SPEED
        at_ns = over_ns + draws.randrange(1, 400) * MS
        luck = draws.random()
        if luck < 0.1:  # after the one that follows
            at_ns = over_ns + draws.randrange(900, 1_000) * MS
        elif luck < 0.14:  # later than anybody waits
            at_ns += draws.randint(1, 5) * SECOND
        elif luck < 0.18:
            self._leave_out(source_id, bar, over_ns)
            return
        told = BarTold(source_id=source_id, bar=bar)
        if draws.random() < 0.1:
            wrong = msgspec.structs.replace(bar, close=bar.low)
            self._say(at_ns, BarTold(source_id=source_id, bar=wrong))
            self._say(at_ns + draws.randint(100, 8_000) * MS, told)
            return
        if draws.random() < 0.15:
            half = msgspec.structs.replace(bar, close=bar.open, volume=Lots(bar.volume // 2))
            self._say(over_ns - MINUTE_NS // 2, BarTold(source_id=source_id, bar=half))
        self._say(at_ns, told)
        while draws.random() < 0.2:
            self._say(at_ns + draws.randint(0, 5_000) * MS, told)

    def _leave_out(self, source_id: SourceId, bar: Bar, over_ns: int) -> None:
        """Say nothing of it; perhaps that something was left out."""
        if self._draws.random() < 0.7:
            known = GapKnown(source_id=source_id, from_ns=bar.begin_ns, to_ns=bar.end_ns)
            self._say(over_ns + 200 * MS, known)

    def _say(self, at_ns: int, word: MarketWord) -> None:
        self._script.append((at_ns, len(self._script), word))


def _at_ns(line: tuple[int, int, MarketWord]) -> int:
    return line[0]


def _source_id(instrument_id: InstrumentId) -> SourceId:
    return SourceId(f"minutes of {instrument_id}")
