"""One-minute candles of what trades between others, as venues publish them.

A candle is closed once its market has spoken of a later minute, once a bar has ended exactly with
it, or when the market's time is a grace beyond its end. A minute in which nothing traded has none.
"""

from typing import Final

import msgspec

from tandem.domain.bars import Bar, Span
from tandem.domain.exchange import CandlesTold, MarketEvent, PublicTrade, TradeBar
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.limits import LOTS_MAX

KEPT: Final = 240  # minutes of each instrument, for whoever missed them
GRACE_NS: Final = 2_000_000_000


class _Candle(msgspec.Struct, array_like=True, gc=False):
    begin_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0

    def bar(self, instrument_id: InstrumentId) -> Bar:
        return Bar(
            instrument_id=instrument_id,
            span=Span.M1,
            begin_ns=self.begin_ns,
            open=Ticks(self.open),
            high=Ticks(self.high),
            low=Ticks(self.low),
            close=Ticks(self.close),
            volume=Lots(self.volume),
        )


class Candles(msgspec.Struct, array_like=True, gc=False):
    """Candles that are open, and the last that were closed, of every instrument.

    `told_ns`: those that ended until then have been told. `late` counts trades of minutes that
    were closed already.
    """

    open: dict[InstrumentId, _Candle] = {}
    closed: dict[InstrumentId, list[Bar]] = {}
    untold: list[Bar] = []
    told_ns: int = 0
    late: int = 0

    def note(self, event: MarketEvent, at_ns: int, told_ns: int | None) -> None:
        """Count in what traded; `told_ns` is the feed's own time of it."""
        self.pass_to(at_ns)
        if not isinstance(event, PublicTrade | TradeBar):
            return
        time_ns = at_ns if told_ns is None else told_ns
        is_bar = isinstance(event, TradeBar)
        begin_ns = Span.M1.begin_ns(time_ns - is_bar)  # a bar that ends with it is of the minute
        if isinstance(event, TradeBar):
            prices = (event.open, event.high, event.low, event.close)
            volume = event.volume
        else:
            prices = (event.price,) * 4
            volume = event.quantity
        candle = self.open.get(event.instrument_id)
        if candle is not None and candle.begin_ns < begin_ns:
            self._close(event.instrument_id)
            candle = None
        if begin_ns < self._open_from_ns(event.instrument_id):
            self.late += 1
            return
        if candle is None:
            candle = _Candle(begin_ns, *prices)
            self.open[event.instrument_id] = candle
        candle.high = max(candle.high, prices[1])
        candle.low = min(candle.low, prices[2])
        candle.close = prices[3]
        candle.volume += volume
        if is_bar and time_ns == begin_ns + Span.M1.ns:
            self._close(event.instrument_id)

    def split(self, instrument_id: InstrumentId, *, numerator: int, denominator: int) -> None:
        """Let what is open be of the scale after a split: no candle may mix the two."""
        candle = self.open.get(instrument_id)
        if candle is None:
            return
        for name in ("open", "high", "low", "close"):
            price = getattr(candle, name) * denominator // numerator
            setattr(candle, name, max(1, min(LOTS_MAX, price)))
        candle.volume = min(LOTS_MAX, candle.volume * numerator // denominator)

    def pass_to(self, at_ns: int) -> None:
        """Close what ended a grace before this moment of the market."""
        until_ns = Span.M1.begin_ns(at_ns - GRACE_NS)
        if until_ns <= self.told_ns:
            return
        for instrument_id in [
            one for one, candle in self.open.items() if candle.begin_ns < until_ns
        ]:
            self._close(instrument_id)
        self.told_ns = until_ns

    def taken(self, before_ns: int) -> CandlesTold | None:
        """Return what was closed and not told; None when nothing was, and no minute has passed.

        `before_ns` is what `told_ns` was when it was last asked.
        """
        if not self.untold and self.told_ns == before_ns:
            return None
        bars, self.untold = tuple(self.untold), []
        return CandlesTold(through_ns=self.told_ns, bars=bars)

    def again(self) -> CandlesTold:
        """Return everything that is kept, for a market core that may have missed it."""
        self.untold.clear()
        bars = [bar for kept in self.closed.values() for bar in kept]
        bars.sort(key=lambda bar: (bar.begin_ns, bar.instrument_id))
        return CandlesTold(through_ns=self.told_ns, bars=tuple(bars))

    def begin_anew(self) -> None:
        """Forget everything: another run of a recorded market begins, perhaps long before."""
        self.open.clear()
        self.closed.clear()
        self.untold.clear()
        self.told_ns = 0

    def _open_from_ns(self, instrument_id: InstrumentId) -> int:
        """Return the begin of the first minute that was not closed."""
        kept = self.closed.get(instrument_id)
        return max(self.told_ns, kept[-1].end_ns if kept else 0)

    def _close(self, instrument_id: InstrumentId) -> None:
        bar = self.open.pop(instrument_id).bar(instrument_id)
        kept = self.closed.setdefault(instrument_id, [])
        kept.append(bar)
        del kept[:-KEPT]
        self.untold.append(bar)
