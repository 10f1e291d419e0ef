"""The market core: sources' words in, final bars of all spans out, each once and in order.

It keeps nothing on disk and needs no snapshot: what is final is in the store, and what is not is
told or asked for again. The store's answers are words too (`Recalled`).
"""

from collections.abc import Iterable
from typing import Final, assert_never

from tandem.core.market.bars import VOLUME_MAX
from tandem.core.market.making import Making
from tandem.domain.bars import Bar, Span
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.instrument import STEPS_MAX
from tandem.domain.market_words import (
    BackFilled,
    BarTold,
    GapKnown,
    Kept,
    Listing,
    MarketEffect,
    MarketSettings,
    MarketWord,
    PieceTold,
    Recalled,
    SourceId,
    Ticked,
    TimeTold,
    TradeTold,
    WordRefused,
)

AHEAD_NS: Final = 60_000_000_000  # how far a source's clock may be before ours

_OfOne = BarTold | TradeTold | PieceTold | BackFilled


class MarketCore:
    """All instruments' bars in the making."""

    def __init__(
        self, settings: MarketSettings, listings: Iterable[Listing], kept: Iterable[Kept] = ()
    ) -> None:
        """Go on where a store stands: `kept` has what it keeps of each series."""
        self._clocks: Final[dict[SourceId, int]] = {}
        by_instrument: dict[InstrumentId, list[Kept]] = {}
        for series in kept:
            by_instrument.setdefault(series.instrument_id, []).append(series)
        self._makings: Final[dict[InstrumentId, Making]] = {}
        self._spans: Final[dict[InstrumentId, Span]] = {}
        self._of_source: Final[dict[SourceId, dict[InstrumentId, Making]]] = {}
        for one in listings:
            making = Making(one, settings, self._clocks, by_instrument.get(one.instrument_id, []))
            self._makings[one.instrument_id] = making
            self._spans[one.instrument_id] = one.span
            for source in one.sources:
                self._of_source.setdefault(source.source_id, {})[one.instrument_id] = making

    def on_event(self, event: MarketWord, now: Instant) -> list[MarketEffect]:
        """Return what follows, in order; `Recall` is to be answered before the next event."""
        match event:
            case BarTold() | TradeTold() | PieceTold() | BackFilled():
                return self._on_one(event, now)
            case TimeTold():
                return self._on_time(event, now)
            case GapKnown():
                return self._on_gap(event, now)
            case Recalled():
                making = self._makings.get(event.instrument_id)
                if making is None:
                    return []
                return [*making.on_recalled(event), *self._settled(making, now)]
            case Ticked():
                effects: list[MarketEffect] = []
                for making in self._makings.values():
                    effects += self._settled(making, now)
                return effects
            case _:
                assert_never(event)

    def _on_one(self, event: _OfOne, now: Instant) -> list[MarketEffect]:
        instrument_id = (
            event.bar.instrument_id if isinstance(event, BarTold) else event.instrument_id
        )
        fault = self._fault(event, instrument_id, now)
        if fault is not None:
            return [
                WordRefused(source_id=event.source_id, instrument_id=instrument_id, reason=fault)
            ]
        making = self._makings[instrument_id]
        effects = making.freshness(now.market_ns)
        match event:
            case BarTold():
                self._move_clock(event.source_id, event.bar.begin_ns)
                effects += making.on_bar(event.source_id, event.bar)
            case TradeTold() | PieceTold():
                self._move_clock(event.source_id, event.at_ns)
                effects += making.on_piece(event)
            case BackFilled():
                effects += making.on_back_filled(event)
            case _:
                assert_never(event)
        return effects + self._settled(making, now)

    def _on_time(self, event: TimeTold, now: Instant) -> list[MarketEffect]:
        makings = self._of_source.get(event.source_id, {})
        if not makings or event.at_ns > now.market_ns + AHEAD_NS:
            reason = "a time far ahead of the market's" if makings else "an unknown source"
            return [WordRefused(source_id=event.source_id, instrument_id=None, reason=reason)]
        effects: list[MarketEffect] = []
        for making in makings.values():
            effects += making.freshness(now.market_ns)
        self._move_clock(event.source_id, event.at_ns)
        for making in makings.values():
            effects += making.on_time(event.source_id)
            effects += self._settled(making, now)
        return effects

    def _on_gap(self, event: GapKnown, now: Instant) -> list[MarketEffect]:
        makings = self._of_source.get(event.source_id, {})
        if event.instrument_id is not None:
            makings = {one: it for one, it in makings.items() if one == event.instrument_id}
        effects: list[MarketEffect] = []
        for making in makings.values():
            effects += making.on_gap(
                event.source_id,
                from_ns=max(0, event.from_ns),
                to_ns=min(event.to_ns, now.market_ns + AHEAD_NS),
            )
            effects += self._settled(making, now)
        return effects

    def _settled(self, making: Making, now: Instant) -> list[MarketEffect]:
        """Return what is final now. What was published while it was stale is said before fresh."""
        effects = making.close()
        return effects + making.freshness(now.market_ns)

    def _move_clock(self, source_id: SourceId, at_ns: int) -> None:
        self._clocks[source_id] = max(at_ns, self._clocks.get(source_id, 0))

    def _fault(self, event: _OfOne, instrument_id: InstrumentId, now: Instant) -> str | None:
        """Return why this word cannot be used, or None."""
        if instrument_id not in self._of_source.get(event.source_id, {}):
            return "an instrument that this source is not listed for"
        span = self._spans[instrument_id]
        latest_ns = now.market_ns + AHEAD_NS
        match event:
            case BarTold():
                return _bar_fault(event.bar, span, latest_ns)
            case BackFilled():
                parts = (*event.bars, *event.trades)
                if any(one.instrument_id != instrument_id for one in parts):
                    return "an answer of another instrument"
                faults = [_bar_fault(bar, span, latest_ns) for bar in event.bars]
                faults += [_piece_fault(one, latest_ns) for one in event.trades]
                return next((one for one in faults if one is not None), None)
            case TradeTold() | PieceTold():
                return _piece_fault(event, latest_ns)
            case _:
                assert_never(event)


def _bar_fault(bar: Bar, span: Span, latest_ns: int) -> str | None:
    if bar.span is not span:
        return f"a bar of {bar.span}, expected {span}"
    if bar.begin_ns < 0 or bar.begin_ns > latest_ns:
        return "a bar that has not begun"
    return _size_fault(bar.high, bar.volume)


def _piece_fault(one: TradeTold | PieceTold, latest_ns: int) -> str | None:
    if one.at_ns < 0 or one.at_ns > latest_ns:
        return "a trade that has not been"
    if isinstance(one, TradeTold):
        is_sound, high, volume = one.price > 0 and one.quantity > 0, one.price, one.quantity
    else:
        is_held = 0 < one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high
        is_sound, high, volume = is_held and one.volume >= 0, one.high, one.volume
    return _size_fault(high, volume) if is_sound else "prices or a quantity that cannot be"


def _size_fault(high: int, volume: int) -> str | None:
    is_held = high < STEPS_MAX and volume <= VOLUME_MAX
    return None if is_held else "a price or a quantity that is too large"
