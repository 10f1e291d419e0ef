"""Stored bars: recordings are brought in through the market core, and whoever asks is served."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tandem.adapters.bars.parquet import write_parquet
from tandem.adapters.bars.sqlite import SqliteBars
from tandem.adapters.local.clock import SystemClock
from tandem.core.market.recordings import FeedWords
from tandem.domain.bars import FinalBar, Span
from tandem.domain.errors import ConfigurationError, MarketFileError
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.market_words import (
    BackFilled,
    BarTold,
    GapKnown,
    GapLeft,
    Kept,
    Listing,
    MarketSettings,
    MarketWord,
    PieceTold,
    Publish,
    Source,
    SourceId,
    Tells,
    TimeTold,
    TradeTold,
    WordRefused,
)
from tandem.ports import BarStore
from tandem.shells.stored_bars import StoredBars, kept_in
from tandem.wiring.feeds import OpenFeed
from tandem.wiring.home import Home
from tandem.wiring.strategies import bars_file

__all__ = ["write_parquet"]  # for the commands, which name no adapter
TURN_WORDS: Final = 2_000  # one transaction
ANSWER_BARS: Final = 1_440
READ_BARS: Final = 10_000  # at once
ALWAYS_NS: Final = 2**62
NOT_OVER: Final = "a bar that is not over yet"
_RECORDING: Final = SourceId("recording")


def writing(home: Home) -> BarStore:
    """Open the bars of a home to write them.

    Raises:
        ConfigurationError: another process writes them.
    """
    return SqliteBars.writing(home.bars_file)


def reading(home: Home, *, is_replay: bool = False) -> BarStore:
    """Open the bars of a home to read them, or those of the market that was replayed last.

    Raises:
        ConfigurationError: there are none.
    """
    place = bars_file(home, is_replay=is_replay)
    if is_replay and not place.is_file():
        raise ConfigurationError(f"{place}: no market was replayed here ('tandem up --replay')")
    return SqliteBars.reading(place)


def has_replayed(home: Home) -> bool:
    """Return whether there are bars of a market that was replayed."""
    return bars_file(home, is_replay=True).is_file()


class Imported(NamedTuple):
    """What came of one feed. `bars` and `revisions` are of the feed's own span."""

    place: str
    symbol: str
    span: Span
    bars: int
    revisions: int
    gaps: int
    refused: dict[str, int]


def import_feed(opened: OpenFeed, store: BarStore, *, now_ns: int | None = None) -> Imported:
    """Bring a recorded feed into the store, the same way as a live one.

    What is stored already, and equal, is left as it is; what differs, or is older than the first
    bar stored, comes as a revision. A bar that is not over yet is refused: it is not final, and
    shorter bars of the same time, from an exchange, would be told too late. `now_ns` is the time
    of this computer, unless given.

    Raises:
        MarketFileError: it cannot be read, tells bars of another span than those stored, or one
            that begins where none of ours does.
        ConfigurationError: of its bars none of ours can be made.
        DiskFullError: no room; what was brought in before is stored.
    """
    says = FeedWords(_RECORDING, span_ns=opened.feed.span_ns, asset_class=opened.feed.asset_class)
    opened = opened._replace(instrument=_as_stored(opened.instrument, store))
    instrument_id = opened.instrument.instrument_id
    kept = [one for one in kept_in(store) if one.instrument_id == instrument_id]
    base = min((one.span for one in kept), key=lambda one: one.ns, default=says.span)
    if base is not says.span:
        raise MarketFileError(
            f"{opened.place}: bars of {says.span}; those of {opened.feed.symbol} that are stored "
            f"are made of {base}, so bring these into another --home"
        )
    store.list_instruments([opened.instrument])
    is_bars = says.span.ns == opened.feed.span_ns
    source = Source(
        source_id=_RECORDING,
        tells=Tells.BARS if is_bars else Tells.TRADES,
        stale_ns=ALWAYS_NS,
    )
    made_of = Listing(instrument_id=instrument_id, sources=(source,), span=says.span)
    bars = StoredBars(MarketSettings(grace_ns=0, wait_ns=0), [made_of], store)
    counts = _Counts(says.span)
    if now_ns is None:
        now_ns = SystemClock().now().market_ns
    for words, at_ns in _turns(opened, says, _closed_ns(kept), counts.over(now_ns)):
        counts.add(bars, words, Instant(at_ns, at_ns))
    counts.refused |= says.unused
    return Imported(
        opened.place,
        opened.feed.symbol,
        says.span,
        counts.bars,
        counts.revisions,
        counts.gaps,
        counts.refused,
    )


def instrument_stored(store: BarStore, symbol: str) -> Instrument:
    """Return the instrument of that symbol, of which bars are stored.

    Raises:
        ConfigurationError: there are none.
    """
    known = {one.instrument.symbol: one.instrument for one in store.series()}
    if symbol not in known:
        raise ConfigurationError(
            f"no bars of {symbol!r}; there are some of: {', '.join(sorted(known)) or 'nothing'}"
        )
    return known[symbol]


def bars_between(
    store: BarStore, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
) -> Iterator[FinalBar]:
    """Yield the latest revisions of the bars that begin in that span of time."""
    last = store.last(instrument_id, span, count=1)
    to_ns = min(to_ns, last[0].bar.end_ns) if last else from_ns
    firsts = [
        one.first_begin_ns
        for one in store.series()
        if one.instrument.instrument_id == instrument_id and one.span is span
    ]
    step_ns = READ_BARS * span.ns
    for begin_ns in range(max(from_ns, *firsts, 0), to_ns, step_ns):
        until_ns = min(begin_ns + step_ns, to_ns)
        yield from store.bars(instrument_id, span, from_ns=begin_ns, to_ns=until_ns)


class _Counts:
    """What has come of the words so far."""

    def __init__(self, span: Span) -> None:
        self.bars = self.revisions = self.gaps = 0
        self.refused: dict[str, int] = {}
        self._span = span

    def over(self, now_ns: int) -> Callable[[MarketWord], bool]:
        """Return what says whether a word is of a time that is over, and counts bars that are not.

        After the first that is not, nothing is: what it told would be closed by a later word.
        """
        is_open = False

        def is_over(word: MarketWord) -> bool:
            nonlocal is_open
            end_ns = word.bar.end_ns if isinstance(word, BarTold) else 0
            end_ns = word.at_ns if isinstance(word, TimeTold) else end_ns
            is_open = is_open or end_ns > now_ns
            if is_open and isinstance(word, BarTold):
                self.refused[NOT_OVER] = self.refused.get(NOT_OVER, 0) + 1
            return not is_open

        return is_over

    def add(self, bars: StoredBars, words: list[MarketWord], now: Instant) -> None:
        for effect in bars.take(words, now):
            if isinstance(effect, Publish) and effect.final.bar.span is self._span:
                self.bars += not effect.final.revision
                self.revisions += bool(effect.final.revision)
            elif isinstance(effect, GapLeft):
                self.gaps += 1
            elif isinstance(effect, WordRefused):
                self.refused[effect.reason] = self.refused.get(effect.reason, 0) + 1


def _as_stored(instrument: Instrument, store: BarStore) -> Instrument:
    """Return it with the grid on which its bars are stored."""
    stored = {one.instrument.instrument_id: one.instrument for one in store.series()}
    return stored.get(instrument.instrument_id, instrument)


def _closed_ns(kept: list[Kept]) -> int:
    return max((one.end_ns for one in kept), default=0)


def _turns(
    opened: OpenFeed, says: FeedWords, closed_ns: int, is_over: Callable[[MarketWord], bool]
) -> Iterator[tuple[list[MarketWord], int]]:
    """Yield some words, and when the last of them was known, many times."""
    past = _Past(opened.instrument.instrument_id, says.span, closed_ns)
    turn: list[MarketWord] = []
    at_ns = 0
    for news in opened.feed.news(opened.instrument):
        at_ns = max(at_ns, news.at_ns)
        try:
            words = says.words(news)
        except ConfigurationError as error:
            raise MarketFileError(f"{opened.place}: {error}") from error
        for word in words:
            if is_over(word):
                turn += past.take(word)
        if len(turn) >= TURN_WORDS:
            yield turn, at_ns
            turn = []
    yield [*turn, *past.taken()], at_ns


class _Past:
    """What a recording says of bars that are stored, put together.

    It is told as an answer about that time, so that it is looked up together as well.
    """

    def __init__(self, instrument_id: InstrumentId, span: Span, closed_ns: int) -> None:
        self._id = instrument_id
        self._span = span
        self._closed_ns = closed_ns
        self._words: list[BarTold | TradeTold | PieceTold] = []
        self._from_ns = 0

    def take(self, word: MarketWord) -> list[MarketWord]:
        """Return what is to be told now."""
        if not isinstance(word, BarTold | TradeTold | PieceTold):
            is_past = isinstance(word, TimeTold | GapKnown) and _end_ns(word) <= self._closed_ns
            return [] if is_past else [*self.taken(), word]
        begin_ns = word.bar.begin_ns if isinstance(word, BarTold) else word.at_ns
        if self._span.begin_ns(begin_ns) >= self._closed_ns:
            return [*self.taken(), word]
        from_ns = begin_ns - begin_ns % (ANSWER_BARS * self._span.ns)
        before = [] if from_ns == self._from_ns else self.taken()
        self._from_ns = from_ns
        self._words.append(word)
        return before

    def taken(self) -> list[MarketWord]:
        """Return what was put together so far, as one word."""
        words, self._words = self._words, []
        if not words:
            return []
        end_ns = self._from_ns + ANSWER_BARS * self._span.ns
        return [
            BackFilled(
                source_id=_RECORDING,
                instrument_id=self._id,
                from_ns=min(self._from_ns, self._span.begin_ns(self._from_ns)),
                to_ns=min(end_ns, self._closed_ns),
                bars=tuple(one.bar for one in words if isinstance(one, BarTold)),
                trades=tuple(one for one in words if not isinstance(one, BarTold)),
            )
        ]


def _end_ns(word: TimeTold | GapKnown) -> int:
    return word.at_ns if isinstance(word, TimeTold) else word.to_ns
