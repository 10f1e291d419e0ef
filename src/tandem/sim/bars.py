"""A store of bars in memory, which outlives the processes of a simulated computer."""

from collections.abc import Sequence

from tandem.domain.bars import FinalBar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId
from tandem.domain.instrument import Instrument
from tandem.domain.market_words import StoredSeries

_Key = tuple[InstrumentId, Span]


class MemoryBars:
    """Satisfies `tandem.ports.BarStore`; what was added is as durable as the object."""

    def __init__(self) -> None:
        self._instruments: dict[InstrumentId, Instrument] = {}
        self._published: dict[_Key, list[FinalBar]] = {}
        self._latest: dict[_Key, dict[int, FinalBar]] = {}

    def list_instruments(self, instruments: Sequence[Instrument]) -> None:
        """See `BarStore.list_instruments`."""
        for one in instruments:
            stored = self._instruments.get(one.instrument_id, one)
            if (stored.tick_size, stored.lot_size) != (one.tick_size, one.lot_size):
                raise ConfigurationError(f"{one.instrument_id}: bars are stored on another grid")
        self._instruments |= {one.instrument_id: one for one in instruments}

    def add(self, finals: Sequence[FinalBar]) -> None:
        """See `BarStore.add`."""
        fresh: dict[_Key, list[FinalBar]] = {}
        for final in finals:
            key = (final.bar.instrument_id, final.bar.span)
            if final.bar.instrument_id not in self._instruments:
                raise ConfigurationError(f"{final.bar.instrument_id}: not listed in this store")
            stored = self._published.get(key, [])
            if final.number <= len(stored):
                if stored[final.number - 1] != final:
                    raise ConfigurationError(f"{key}: number {final.number} is another bar")
                continue
            following = len(stored) + len(fresh.setdefault(key, [])) + 1
            if final.number != following:
                raise ConfigurationError(f"{key}: number {final.number}, expected {following}")
            fresh[key].append(final)
        for key, bars in fresh.items():
            self._published.setdefault(key, []).extend(bars)
            self._latest.setdefault(key, {}).update({one.bar.begin_ns: one for one in bars})

    def bars(
        self, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> list[FinalBar]:
        """See `BarStore.bars`."""
        latest = self._latest.get((instrument_id, span), {})
        return [latest[one] for one in sorted(latest) if from_ns <= one < to_ns]

    def last(self, instrument_id: InstrumentId, span: Span, *, count: int) -> list[FinalBar]:
        """See `BarStore.last`."""
        return self.bars(instrument_id, span, from_ns=-(2**62), to_ns=2**62)[-count:]

    def published(
        self, instrument_id: InstrumentId, span: Span, *, after: int, count: int
    ) -> list[FinalBar]:
        """See `BarStore.published`."""
        return self._published.get((instrument_id, span), [])[after : after + count]

    def series(self) -> list[StoredSeries]:
        """See `BarStore.series`."""
        return [
            StoredSeries(
                instrument=self._instruments[key[0]],
                span=key[1],
                bars=len(self._latest[key]),
                revisions=len(bars) - len(self._latest[key]),
                number=len(bars),
                first_begin_ns=min(self._latest[key]),
                last_begin_ns=max(self._latest[key]),
            )
            for key, bars in sorted(
                self._published.items(), key=lambda one: (one[0][0], one[0][1].ns)
            )
            if bars
        ]

    def close(self) -> None:
        """See `BarStore.close`."""
