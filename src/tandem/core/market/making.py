"""One instrument's bars in the making: out of the words of its sources, in order, each once.

A bar is final when the clock of the primary source has passed its end by the grace: until then
words may come in any order. What may be missing is a gap. Nothing after an open gap becomes
final, until what was missing has come or was waited for long enough: so bars come in order. A
word of a bar that is final is a correction: the store is asked what was published there, and only
what differs from that is published again.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from tandem.core.market.bars import filled_bar, grown, piece_of
from tandem.core.market.chain import Chain
from tandem.core.market.gaps import Gaps, GapState
from tandem.core.market.inbox import Inbox
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.market_words import (
    BackFill,
    BackFilled,
    EmptyMinutes,
    FeedFresh,
    FeedStale,
    GapLeft,
    Kept,
    Listing,
    MarketEffect,
    MarketSettings,
    PieceTold,
    Publish,
    Recall,
    Recalled,
    Source,
    SourceId,
    Tells,
    TradeTold,
    WordRefused,
)

LATE_MAX: Final = 50_000


class Making:
    """The bars of one instrument that are not final, and where its series stand.

    `clocks` are those of all sources; whoever made this moves them.
    """

    def __init__(
        self,
        listing: Listing,
        settings: MarketSettings,
        clocks: Mapping[SourceId, int],
        kept: list[Kept],
    ) -> None:
        """Go on where the store stands."""
        self._listing: Final = listing
        self._id: Final = listing.instrument_id
        self._span: Final = listing.span
        self._settings: Final = settings
        self._clocks: Final = clocks
        self._chain: Final = Chain(listing.span, kept)
        self._inboxes: Final = {
            one.source_id: Inbox(one, self._id, listing.span) for one in listing.sources
        }
        self._primary: Final = self._inboxes[listing.sources[0].source_id]
        self._asked: Final = next((one.source_id for one in listing.sources if one.is_asked), None)
        self._gaps: Final = Gaps()
        self._late: list[tuple[Bar, bool]] = []
        self._recalling: list[tuple[Bar, bool]] = []
        self._late_asked_ns: int | None = None
        self._is_held = False
        self._is_stale: bool | None = None

    def on_bar(self, source_id: SourceId, bar: Bar) -> list[MarketEffect]:
        """Take a bar of the base span."""
        inbox = self._inboxes[source_id]
        effects = self._begin(inbox, bar.begin_ns)
        if not self._is_closed(bar.begin_ns):
            if inbox.is_full:
                return [*effects, self._refused(source_id, "too many bars wait to be final")]
            inbox.tell_bar(_conventional(bar, inbox.source))
        elif inbox is self._primary:
            bar = _conventional(bar, inbox.source)
            effects += self._note_late(source_id, bar, only_missing=False)
        return effects

    def on_piece(self, word: TradeTold | PieceTold) -> list[MarketEffect]:
        """Take a trade, or a piece of a bar."""
        inbox = self._inboxes[word.source_id]
        effects = self._begin(inbox, word.at_ns)
        number = word.number if isinstance(word, TradeTold) else None
        if number is not None and not inbox.numbers.take(number, at_ns=word.at_ns):
            return effects
        begin_ns = self._span.begin_ns(word.at_ns)
        if not self._is_closed(begin_ns):
            if inbox.is_full:
                return [*effects, self._refused(word.source_id, "too many bars wait to be final")]
            inbox.tell_piece(word)
        elif inbox is self._primary:
            effects += self._ask_late(begin_ns)
        return effects

    def on_time(self, source_id: SourceId) -> list[MarketEffect]:
        """Hear that a source's clock was told."""
        return self._begin(self._inboxes[source_id], self._clocks[source_id])

    def on_gap(self, source_id: SourceId, *, from_ns: int, to_ns: int) -> list[MarketEffect]:
        """Hear that a source may have left something out; a source that only fills has no gaps."""
        if self._inboxes[source_id] is not self._primary:
            return []
        end_ns = self._span.begin_ns(to_ns - 1) + self._span.ns
        return self._know(self._span.begin_ns(from_ns), end_ns, again=True)

    def on_back_filled(self, word: BackFilled) -> list[MarketEffect]:
        """Take what a source answered about a span of time."""
        inbox = self._inboxes[word.source_id]
        effects: list[MarketEffect] = []
        made = self._back_filled_bars(word)
        for trade in word.trades:
            if isinstance(trade, TradeTold) and trade.number is not None:
                inbox.numbers.take(trade.number, at_ns=trade.at_ns)
        inbox.numbers.settle(word.from_ns, to_ns=word.to_ns)
        is_primary = inbox is self._primary
        for bar in made:
            if self._is_closed(bar.begin_ns):
                effects += self._note_late(word.source_id, bar, only_missing=not is_primary)
            elif inbox.is_full:
                effects.append(self._refused(word.source_id, "too many bars wait to be final"))
            else:
                inbox.tell_bar(bar)
        self._gaps.answer(
            word.from_ns,
            to_ns=word.to_ns,
            state=GapState.ANSWERED if is_primary else GapState.LEFT,
            until_ns=self._clock_ns() + self._settings.wait_ns,
        )
        return effects

    def on_recalled(self, word: Recalled) -> list[MarketEffect]:
        """Correct what was published, as the store has it."""
        told, self._recalling = self._recalling, []
        return _published(self._chain.correct(told, word.bars))

    def close(self) -> list[MarketEffect]:
        """Return what is final now, and what has to be asked for."""
        if self._recalling:
            return []
        if self._late:
            return [self._recall()]
        horizon_ns = self._span.begin_ns(max(0, self._clock_ns() - self._settings.grace_ns))
        if not self._is_closable(horizon_ns):
            return []
        effects = self._find_gaps(horizon_ns)
        for gap in self._gaps.leave(self._clock_ns()):
            effects.append(GapLeft(instrument_id=self._id, from_ns=gap.from_ns, to_ns=gap.to_ns))
        gap_ns = self._gaps.stop_ns()
        self._is_held = gap_ns is not None and gap_ns < horizon_ns
        stop_ns = horizon_ns if gap_ns is None else min(gap_ns, horizon_ns)
        effects += _published(self._finals(stop_ns))
        for inbox in self._inboxes.values():
            inbox.forget(stop_ns)
        self._gaps.forget(stop_ns)
        return effects

    def freshness(self, market_ns: int) -> list[MarketEffect]:
        """Return whether its feeds have become stale, or fresh again.

        Fresh is a feed whose clock is near the market's, of which no gap is waited for.
        """
        sources = self._listing.sources
        clocks = [
            (self._clocks.get(one.source_id), one.stale_after_ns(self._span)) for one in sources
        ]
        is_near = any(at is not None and market_ns - at <= most for at, most in clocks)
        is_stale = self._is_held or not is_near
        if is_stale is self._is_stale:
            return []
        self._is_stale = is_stale
        if not is_stale:
            return [FeedFresh(instrument_id=self._id)]
        since_ns = max((at for at, _ in clocks if at is not None), default=None)
        return [FeedStale(instrument_id=self._id, since_ns=since_ns)]

    def _is_closed(self, begin_ns: int) -> bool:
        return self._chain.closed_ns is not None and begin_ns < self._chain.closed_ns

    def _clock_ns(self) -> int:
        """Return the clock by which bars become final: a silent primary does not stop it."""
        times = [0]
        for one in self._listing.sources:
            at_ns = self._clocks.get(one.source_id, 0)
            is_primary = one.source_id == self._primary.source.source_id
            times.append(at_ns if is_primary else at_ns - self._settings.wait_ns)
        return max(times)

    def _begin(self, inbox: Inbox, at_ns: int) -> list[MarketEffect]:
        """Ask for what the primary said while nobody listened; of a trade, the minute's others."""
        begin_ns = self._span.begin_ns(at_ns)
        if inbox.is_begun or inbox is not self._primary or self._is_closed(begin_ns):
            return []
        inbox.is_begun = True
        is_trades = inbox.source.tells is Tells.TRADES
        to_ns = begin_ns + self._span.ns if is_trades else begin_ns
        closed_ns = self._chain.closed_ns
        if closed_ns is None:
            return self._know(begin_ns, to_ns, again=True) if self._asked is not None else []
        return self._know(closed_ns, to_ns, again=True)

    def _know(self, from_ns: int, to_ns: int, *, again: bool) -> list[MarketEffect]:
        """Note a gap; return the questions. For what is in the final bars, nobody waits."""
        if from_ns >= to_ns:
            return []
        closed_ns = self._chain.closed_ns
        parts: list[tuple[int, int]] = []
        if closed_ns is not None and from_ns < closed_ns:
            parts.append((from_ns, min(to_ns, closed_ns)))
            from_ns = closed_ns
        can_come = self._asked is not None or len(self._inboxes) > 1
        until_ns = max(to_ns, self._clock_ns()) + self._settings.wait_ns if can_come else from_ns
        if from_ns < to_ns:
            fresh = self._gaps.know(from_ns, to_ns=to_ns, until_ns=until_ns, again=again)
            if self._asked is not None:
                parts += [(one.from_ns, one.to_ns) for one in fresh]
        return [self._ask(one, to_ns=after) for one, after in parts]

    def _ask(self, from_ns: int, *, to_ns: int) -> MarketEffect:
        if self._asked is None:
            return GapLeft(instrument_id=self._id, from_ns=from_ns, to_ns=to_ns)
        return BackFill(source_id=self._asked, instrument_id=self._id, from_ns=from_ns, to_ns=to_ns)

    def _ask_late(self, begin_ns: int) -> list[MarketEffect]:
        """Ask for a bar that is final and of which a trade comes now: perhaps it lacks that."""
        if self._asked is None:
            return [self._refused(self._primary.source.source_id, "a trade of a bar that is final")]
        if begin_ns == self._late_asked_ns:
            return []
        self._late_asked_ns = begin_ns
        return [self._ask(begin_ns, to_ns=begin_ns + self._span.ns)]

    def _note_late(
        self, source_id: SourceId, bar: Bar, *, only_missing: bool
    ) -> list[MarketEffect]:
        if len(self._late) >= LATE_MAX:
            return [self._refused(source_id, "too many corrections at once")]
        self._late.append((bar, only_missing))
        return []

    def _recall(self) -> MarketEffect:
        """Ask the store about the corrections of one week."""
        week_ns = Span.W1.begin_ns(self._late[0][0].begin_ns)
        batch = [one for one in self._late if Span.W1.begin_ns(one[0].begin_ns) == week_ns]
        self._late = [one for one in self._late if Span.W1.begin_ns(one[0].begin_ns) != week_ns]
        self._recalling = sorted(batch, key=lambda one: one[0].begin_ns)
        first, last = self._recalling[0][0], self._recalling[-1][0]
        ranges = self._chain.ranges(from_ns=first.begin_ns, to_ns=last.end_ns)
        return Recall(instrument_id=self._id, ranges=ranges)

    def _is_closable(self, horizon_ns: int) -> bool:
        if self._chain.closed_ns is None:
            begins = [one for inbox in self._inboxes.values() for one in inbox.begins(horizon_ns)]
            if not begins:
                return False
            self._chain.begin(min(begins))
        assert self._chain.closed_ns is not None
        return horizon_ns > self._chain.closed_ns

    def _find_gaps(self, horizon_ns: int) -> list[MarketEffect]:
        """Find what the primary left out by its own numbers, or by its convention."""
        effects: list[MarketEffect] = []
        for hole in self._primary.numbers.missing(horizon_ns):
            from_ns = self._span.begin_ns(hole.from_ns)
            to_ns = self._span.begin_ns(hole.to_ns) + self._span.ns
            effects += self._know(from_ns, to_ns, again=True)
        source = self._primary.source
        if source.empty_minutes is EmptyMinutes.FILLED and source.tells is Tells.BARS:
            clock_ns = self._clocks.get(source.source_id, 0) - self._settings.grace_ns
            told_ns = min(horizon_ns, self._span.begin_ns(max(0, clock_ns)))
            at_ns = self._chain.closed_ns or 0
            for begin_ns in [*self._primary.begins(told_ns), told_ns]:
                if begin_ns > at_ns:
                    effects += self._know(at_ns, begin_ns, again=False)
                at_ns = begin_ns + self._span.ns
        return effects

    def _finals(self, stop_ns: int) -> list[FinalBar]:
        made: list[FinalBar] = []
        begins = [one for inbox in self._inboxes.values() for one in inbox.begins(stop_ns)]
        for begin_ns in dict.fromkeys(sorted(begins)):
            bar = self._chosen(begin_ns)
            if bar is not None:
                made += self._fill(begin_ns)
                made += self._chain.add(bar)
        made += self._fill(stop_ns)
        return made + self._chain.pass_to(stop_ns)

    def _chosen(self, begin_ns: int) -> Bar | None:
        """Return the primary's bar; another's only in a gap, or where the primary is silent."""
        bar = self._primary.bar_at(begin_ns)
        if bar is not None:
            return bar
        clock_ns = self._clocks.get(self._primary.source.source_id, 0)
        is_silent = clock_ns < begin_ns + self._span.ns
        if not is_silent and self._gaps.state_at(begin_ns) is not GapState.LEFT:
            return None
        bars = [one.bar_at(begin_ns) for one in self._inboxes.values()]
        return next((one for one in bars if one is not None), None)

    def _fill(self, to_ns: int) -> list[FinalBar]:
        """Return bars for the minutes before `to_ns` in which a source of trades told none."""
        source = self._primary.source
        made: list[FinalBar] = []
        if source.empty_minutes is EmptyMinutes.ABSENT or source.tells is Tells.BARS:
            return made
        begin_ns, latest = self._chain.closed_ns, self._chain.latest
        while begin_ns is not None and latest is not None and begin_ns < to_ns:
            if self._gaps.state_at(begin_ns) is not GapState.LEFT:
                made += self._chain.add(filled_bar(latest, begin_ns))
            begin_ns += self._span.ns
        return made

    def _back_filled_bars(self, word: BackFilled) -> list[Bar]:
        """Return the bars of an answer, those too that its trades make."""
        source = self._inboxes[word.source_id].source
        bars = {one.begin_ns: _conventional(one, source) for one in word.bars}
        trades: dict[int, list[TradeTold | PieceTold]] = {}
        for one in word.trades:
            trades.setdefault(self._span.begin_ns(one.at_ns), []).append(one)
        for begin_ns, told in trades.items():
            in_order = enumerate(sorted(told, key=_place_of))
            growing = grown([piece_of(one, place) for place, one in in_order])
            bars.setdefault(begin_ns, growing.bar(self._id, self._span))
        return [
            bars[begin_ns] for begin_ns in sorted(bars) if word.from_ns <= begin_ns < word.to_ns
        ]

    def _refused(self, source_id: SourceId, reason: str) -> MarketEffect:
        return WordRefused(source_id=source_id, instrument_id=self._id, reason=reason)


def _published(finals: list[FinalBar]) -> list[MarketEffect]:
    return [Publish(final=one) for one in finals]


def _place_of(word: TradeTold | PieceTold) -> tuple[int, int]:
    number = word.number if isinstance(word, TradeTold) else None
    return word.at_ns, 0 if number is None else number


def _conventional(bar: Bar, source: Source) -> Bar:
    """Return the bar; one without trades is filled where that is the venue's convention."""
    is_empty = bar.volume == 0 and bar.high == bar.low
    if source.empty_minutes is EmptyMinutes.FILLED and is_empty and not bar.is_filled:
        return msgspec.structs.replace(bar, is_filled=True)
    return bar
