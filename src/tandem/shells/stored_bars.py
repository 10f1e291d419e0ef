"""The market core and its store: what is final is on the disk before anybody is shown it."""

from collections.abc import Iterable, Sequence
from typing import Final

from tandem.core.market.market import MarketCore
from tandem.domain.bars import FinalBar
from tandem.domain.instant import Instant
from tandem.domain.market_words import (
    Kept,
    Listing,
    MarketEffect,
    MarketSettings,
    MarketWord,
    Publish,
    Recall,
    Recalled,
)
from tandem.ports import BarStore

RECENT: Final = 12  # no bar has more parts


class StoredBars:
    """A market core that goes on where its store stands, and whose bars are stored.

    After an error it must be made anew: the core is ahead of the store then.
    """

    def __init__(
        self, settings: MarketSettings, listings: Iterable[Listing], store: BarStore
    ) -> None:
        """Read from the store where its series stand."""
        self._store: Final = store
        self._core: Final = MarketCore(settings, listings, kept_in(store))

    def take(self, words: Sequence[MarketWord], now: Instant) -> list[MarketEffect]:
        """Return what follows from these words, in order, once all bars of it are durable.

        All of it is one transaction; a correction of what is stored begins another one. A
        `Recall` is answered here and not returned.

        Raises:
            DiskFullError: no room; nothing of it may be shown.
            DiskFailedError: the disk did not confirm; the process must end.
        """
        effects: list[MarketEffect] = []
        waiting: list[FinalBar] = []
        queue = list(reversed(words))
        while queue:
            for effect in self._core.on_event(queue.pop(), now):
                if isinstance(effect, Recall):
                    self._store.add(waiting)
                    waiting = []
                    queue.append(self._recalled(effect))
                    continue
                if isinstance(effect, Publish):
                    waiting.append(effect.final)
                effects.append(effect)
        if waiting:
            self._store.add(waiting)
        return effects

    def _recalled(self, asked: Recall) -> Recalled:
        bars = [
            final
            for span, from_ns, to_ns in asked.ranges
            for final in self._store.bars(asked.instrument_id, span, from_ns=from_ns, to_ns=to_ns)
        ]
        return Recalled(instrument_id=asked.instrument_id, bars=tuple(bars))


def kept_in(store: BarStore) -> list[Kept]:
    """Return where the series of a store stand."""
    found = []
    for one in store.series():
        instrument_id = one.instrument.instrument_id
        recent = [final.bar for final in store.last(instrument_id, one.span, count=RECENT)]
        found.append(
            Kept(
                instrument_id=instrument_id,
                span=one.span,
                number=one.number,
                end_ns=recent[-1].end_ns,
                recent=tuple(recent),
            )
        )
    return found
