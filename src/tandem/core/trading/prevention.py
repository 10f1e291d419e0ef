"""What a desk remembers of own orders that would have met: refusals, and what was netted."""

from decimal import Decimal
from typing import Final

import msgspec

from tandem.domain.ids import AccountId, ClientOrderId, CommandId, InstrumentId, ParentId, Ticks
from tandem.domain.order import Side

KEPT_MAX: Final = 1_000


class Refusal(msgspec.Struct, array_like=True, gc=False):
    """An order that was not taken, and the own order that it would have met.

    `met_parent` is None for an order of another program. `at_ns` is CLOCK_BOOTTIME, `market_ns`
    the market's time. `owner` is the algorithm, pair or quote that wanted it.
    """

    at_ns: int
    market_ns: int
    command_id: CommandId
    owner: ParentId | None
    instrument_id: InstrumentId
    side: Side
    quantity: int
    limit_price: Ticks | None
    mode: str
    met: ClientOrderId
    met_parent: ParentId | None
    text: str


class Netting(msgspec.Struct, array_like=True, gc=False):
    """What one strategy of ours took over from another one, instead of trading with it."""

    at_ns: int
    market_ns: int
    account_id: AccountId
    instrument_id: InstrumentId
    quantity: int
    price: Ticks
    buyer: ParentId
    seller: ParentId


class InternalPosition(msgspec.Struct, array_like=True, gc=False):
    """What a strategy took over from others, less what it gave: lots, and ticks times lots."""

    lots: int = 0
    value: Decimal = Decimal(0)


class Prevention(msgspec.Struct, gc=False):
    """The latest of both, oldest first; and the internal positions, by strategy."""

    refusals: list[Refusal] = []
    nettings: list[Netting] = []
    internal: dict[str, dict[InstrumentId, InternalPosition]] = {}

    def note_refusal(self, refusal: Refusal) -> None:
        """Remember a refusal; the oldest go when there are too many."""
        self.refusals.append(refusal)
        if len(self.refusals) > KEPT_MAX + KEPT_MAX // 16:
            del self.refusals[:-KEPT_MAX]

    def note_netting(self, netting: Netting, *, buyer: str, seller: str) -> None:
        """Move lots between two strategies, and remember it."""
        self.nettings.append(netting)
        if len(self.nettings) > KEPT_MAX + KEPT_MAX // 16:
            del self.nettings[:-KEPT_MAX]
        for strategy, lots in ((buyer, netting.quantity), (seller, -netting.quantity)):
            held = self.internal.setdefault(strategy, {})
            position = held.setdefault(netting.instrument_id, InternalPosition())
            position.lots += lots
            position.value += lots * netting.price
