"""Recorded feeds through the market core, clean and spoiled: `make bars`.

A spoiled feed says words twice, first wrong and then right, in another order within the grace,
corrects what is long final, and breaks off: what was said meanwhile is lost, until it is asked
for. Its final bars must be those of the clean feed.
"""

import heapq
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tandem.adapters.replays.files import feeds_at
from tandem.core.market.market import MarketCore
from tandem.core.market.recordings import FeedWords
from tandem.core.matching import listing
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.market_words import (
    BackFill,
    BackFilled,
    BarTold,
    GapKnown,
    Listing,
    MarketEffect,
    MarketSettings,
    MarketWord,
    PieceTold,
    Publish,
    Recall,
    Recalled,
    Source,
    SourceId,
    Tells,
    TimeTold,
    TradeTold,
)
from tandem.ports import Feed

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "data"
SHARED = ROOT.parent / "shared" / "data"
SECOND: Final = 1_000_000_000
VENUE: Final = SourceId("venue")
CLEAN: Final = MarketSettings(grace_ns=0)

Told = BarTold | PieceTold | TradeTold
Series = dict[tuple[Span, int], Bar]


class Recording(NamedTuple):
    """What a feed told, of one instrument, without its clock."""

    name: str
    instrument: Instrument
    span: Span
    unit_ns: int  # how long a word's span is; one second of trades
    words: list[Told]


def instrument_of(feed: Feed) -> Instrument:
    return next(one for one in listing.instruments() if one.symbol == feed.symbol)


def recording_of(place: Path | str) -> Recording:
    """Read a feed; its trades are numbered, as their venue numbers them."""
    (feed,) = feeds_at(str(place))
    instrument = instrument_of(feed)
    says = FeedWords(VENUE, span_ns=feed.span_ns, asset_class=feed.asset_class)
    words: list[Told] = []
    numbers = count(1)
    for news in feed.news(instrument):
        for word in says.words(news):
            if isinstance(word, TradeTold):
                words.append(msgspec.structs.replace(word, number=next(numbers)))
            elif isinstance(word, BarTold | PieceTold):
                words.append(word)
    name = str(place).removeprefix(f"{SHARED}/").removeprefix(f"{ROOT}/")
    return Recording(name, instrument, says.span, feed.span_ns or SECOND, words)


class Spoiler:
    """Which words come when, drawn from a seed."""

    def __init__(self, recording: Recording, seed: int) -> None:
        self._random = random.Random(seed)
        self._recording = recording
        self.grace_ns = 3 * max(recording.unit_ns, SECOND)
        self._ends = [end_of(one, recording.unit_ns) for one in recording.words]

    def breaks(self) -> list[tuple[int, int]]:
        """Return when the feed is broken off."""
        first, last = self._ends[0], max(self._ends)
        found = []
        for _ in range(self._random.randint(1, 4)):
            begin = self._random.randint(first, last)
            length = self._random.randint(1, 40) * max(self._recording.unit_ns, SECOND)
            found.append((begin, begin + length))
        return found

    def said(self) -> list[tuple[int, Told]]:
        """Return what is said and when, in that order."""
        found: list[tuple[int, int, Told]] = []
        numbers = count()
        draw = self._random.random
        for word, end_ns in zip(self._recording.words, self._ends, strict=True):
            late_ns = self._random.randint(0, self.grace_ns // 2) if draw() < 0.3 else 0
            if draw() < 0.1 and not isinstance(word, TradeTold):
                found.append((end_ns, next(numbers), wrong(word)))
                if draw() < 0.2 and isinstance(word, BarTold):
                    late_ns += 50 * self._recording.unit_ns  # corrected when it is long final
            for _ in range(3 if draw() < 0.1 else 1):
                found.append((end_ns + late_ns, next(numbers), word))
        return [(at_ns, word) for at_ns, _, word in sorted(found, key=lambda one: one[:2])]


def end_of(word: Told, unit_ns: int) -> int:
    if isinstance(word, BarTold):
        return word.bar.end_ns
    return word.at_ns + unit_ns if isinstance(word, PieceTold) else word.at_ns


def wrong(word: BarTold | PieceTold) -> Told:
    """Return it as a venue says it before it corrects itself."""
    if isinstance(word, PieceTold):
        return msgspec.structs.replace(word, high=Ticks(word.high + 7), volume=Lots(3))
    bar = msgspec.structs.replace(word.bar, high=Ticks(word.bar.high + 7), volume=Lots(3))
    return BarTold(source_id=VENUE, bar=bar)


class Run:
    """One market core, a store in memory, and a source that can be asked."""

    def __init__(self, recording: Recording, settings: MarketSettings, *, is_asked: bool) -> None:
        tells = Tells.BARS if isinstance(recording.words[0], BarTold) else Tells.TRADES
        source = Source(source_id=VENUE, tells=tells, is_asked=is_asked, stale_ns=10**19)
        made_of = Listing(
            instrument_id=recording.instrument.instrument_id,
            sources=(source,),
            span=recording.span,
        )
        self.core = MarketCore(settings, [made_of])
        self.finals: list[FinalBar] = []
        self.questions = 0
        self.latest: dict[Span, dict[int, FinalBar]] = {one: {} for one in Span}

    def hear(self, word: MarketWord) -> list[MarketEffect]:
        effects = self.core.on_event(word, Instant(10**19, 10**19))
        for one in effects:
            if isinstance(one, Publish):
                self.finals.append(one.final)
                self.latest[one.final.bar.span][one.final.bar.begin_ns] = one.final
        recalls = [one for one in effects if isinstance(one, Recall)]
        for recall in recalls:
            bars = [
                final
                for span, from_ns, to_ns in recall.ranges
                for begin_ns, final in self.latest[span].items()
                if from_ns <= begin_ns < to_ns
            ]
            word = Recalled(instrument_id=recall.instrument_id, bars=tuple(bars))
            effects = [*effects, *self.hear(word)]
        return effects

    def series(self) -> Series:
        """Return the latest revisions."""
        return {
            (span, begin_ns): final.bar
            for span, finals in self.latest.items()
            for begin_ns, final in finals.items()
        }


def clean_run(recording: Recording, *, until_ns: int | None = None) -> Run:
    """Return a run in which the feed says everything once, in order, until that moment."""
    run = Run(recording, CLEAN, is_asked=False)
    at_ns = 0
    for word in recording.words:
        run.hear(word)
        end_ns = end_of(word, recording.unit_ns)
        if end_ns > at_ns:
            at_ns = end_ns
            run.hear(TimeTold(source_id=VENUE, at_ns=at_ns))
    run.hear(TimeTold(source_id=VENUE, at_ns=until_ns or over_ns(recording)))
    return run


def over_ns(recording: Recording) -> int:
    """Return a moment when all bars of the recording are over."""
    last_ns = max(end_of(one, recording.unit_ns) for one in recording.words)
    return Span.W1.begin_ns(last_ns) + 2 * Span.W1.ns


def spoiled_run(recording: Recording, seed: int) -> Run:
    """Return a run in which the feed is spoiled in the ways that the seed draws."""
    spoiler = Spoiler(recording, seed)
    chance = random.Random(seed + 1)
    settings = MarketSettings(grace_ns=spoiler.grace_ns, wait_ns=1_000 * recording.unit_ns)
    run = Run(recording, settings, is_asked=True)
    answers: list[tuple[int, int, BackFilled]] = []
    numbers = count()

    def hear(word: MarketWord, at_ns: int) -> None:
        for one in run.hear(word):
            if isinstance(one, BackFill):
                run.questions += 1
                delay_ns = chance.randint(0, 30) * recording.unit_ns
                due_ns = max(at_ns, one.to_ns + spoiler.grace_ns) + delay_ns
                for part in answers_of(recording, one, chance):
                    heapq.heappush(answers, (due_ns, next(numbers), part))

    def answer_until(at_ns: int) -> None:
        while answers and answers[0][0] <= at_ns:
            due_ns, _, word = heapq.heappop(answers)
            hear(word, due_ns)

    for at_ns, heard in with_breaks(spoiler):
        answer_until(at_ns)
        hear(heard, at_ns)
    for step in range(200):  # the source lives on until everything that was asked is answered
        at_ns = over_ns(recording) + step * recording.unit_ns
        answer_until(at_ns)
        hear(TimeTold(source_id=VENUE, at_ns=at_ns), at_ns)
    return run


def with_breaks(spoiler: Spoiler) -> Iterator[tuple[int, MarketWord]]:
    """Yield what is heard: nothing while the feed is broken off, and then that it was."""
    breaks = sorted(spoiler.breaks())
    for at_ns, word in spoiler.said():
        while breaks and breaks[0][1] <= at_ns:
            begin_ns, end_ns = breaks.pop(0)
            from_ns = begin_ns - 60 * spoiler.grace_ns
            yield end_ns, GapKnown(source_id=VENUE, from_ns=from_ns, to_ns=end_ns)
        if any(begin_ns <= at_ns < end_ns for begin_ns, end_ns in breaks):
            continue
        yield at_ns, word
        yield at_ns, TimeTold(source_id=VENUE, at_ns=at_ns)
    for begin_ns, end_ns in breaks:
        from_ns = begin_ns - 60 * spoiler.grace_ns
        yield end_ns, GapKnown(source_id=VENUE, from_ns=from_ns, to_ns=end_ns)


def answers_of(
    recording: Recording, asked: BackFill, chance: random.Random
) -> Iterator[BackFilled]:
    """Yield what the source still knows of a span of time, in one part or two."""
    middle_ns = recording.span.begin_ns((asked.from_ns + asked.to_ns) // 2)
    cuts = [asked.from_ns, asked.to_ns]
    if chance.random() < 0.5 and asked.from_ns < middle_ns:
        cuts.insert(1, middle_ns)
    for from_ns, to_ns in pairwise(cuts):
        bars, trades = [], []
        for word in recording.words:
            if isinstance(word, BarTold):
                if from_ns <= word.bar.begin_ns < to_ns:
                    bars.append(word.bar)
            elif from_ns <= word.at_ns < to_ns:
                trades.append(word)
        yield BackFilled(
            source_id=VENUE,
            instrument_id=asked.instrument_id,
            from_ns=from_ns,
            to_ns=to_ns,
            bars=tuple(bars),
            trades=tuple(trades),
        )


def faults_of(run: Run) -> list[str]:
    """Return what is wrong with the order of what was published."""
    faults = []
    numbers: dict[Span, int] = {}
    begins: dict[Span, int] = {}
    for one in run.finals:
        span = one.bar.span
        if one.number != numbers.get(span, 0) + 1:
            faults.append(f"{span}: number {one.number} after {numbers.get(span, 0)}")
        numbers[span] = one.number
        if one.revision == 0:
            if one.bar.begin_ns <= begins.get(span, -1):
                faults.append(f"{span}: {one.bar.begin_ns} after {begins[span]}")
            begins[span] = one.bar.begin_ns
    return faults


def compared(recording: Recording, seeds: Sequence[int]) -> tuple[int, int, int]:
    """Return how many bars there are, and how often spoiled feeds were asked and revised.

    Raises:
        AssertionError: some final bar differs from the clean feed's.
    """
    clean = clean_run(recording)
    assert faults_of(clean) == []
    expected = clean.series()
    revisions = questions = 0
    for seed in seeds:
        run = spoiled_run(recording, seed)
        assert faults_of(run) == [], f"{recording.name}, seed {seed}"
        found = run.series()
        differing = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
        assert not differing, f"{recording.name}, seed {seed}: {differing[:3]}"
        revisions += sum(1 for one in run.finals if one.revision)
        questions += run.questions
    return len(expected), questions, revisions


def places() -> list[Path]:
    """Return the feeds that are here: large ones only on some computers."""
    found = [
        *sorted(SHARED.glob("lean/crypto/coinbase/second/btcusd/*_trade.zip")),
        *sorted(SHARED.glob("lean/crypto/coinbase/minute/btcusd/*_trade.zip")),
        *SHARED.glob("lean/crypto/coinbase/daily/btcusd_trade.zip"),
        *sorted(SHARED.glob("bitfinex/tBTCUSD_1m_2*.json")),
        *SHARED.glob("binance_feed/spot_btcusdt_20240808.gz"),
    ]
    return found or sorted(EXAMPLES.rglob("*_trade.zip"))


def main() -> None:
    """Compare every feed, and print what was compared."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    sys.stdout.write(
        f"{'feed':<62} {'words':>7} {'bars':>6} {'versions':>8} {'asked':>6} {'revisions':>9}\n"
    )
    for place in places():
        recording = recording_of(place)
        bars, asked, revisions = compared(recording, seeds)
        row = f"{recording.name:<62} {len(recording.words):>7} {bars:>6}"
        sys.stdout.write(f"{row} {len(seeds):>8} {asked:>6} {revisions:>9}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
