"""What a desk remembers of own orders that would have met: refusals, and what was netted."""

from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from tandem.domain.ids import AccountId, ClientOrderId, CommandId, InstrumentId, ParentId, Ticks
from tandem.domain.order import Side

KEPT_MAX: Final = 1_000
T = TypeVar("T")


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


class VenueFlag(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An order of ours that its venue ended or refused by its own self-match rule."""

    market_ns: int
    client_order_id: ClientOrderId
    parent_id: ParentId
    account_id: AccountId
    instrument_id: InstrumentId
    side: Side
    quantity: int
    limit_price: Ticks | None
    what: str


class InternalPosition(msgspec.Struct, array_like=True, gc=False):
    """What a strategy took over from others, less what it gave: lots, and ticks times lots."""

    lots: int = 0
    value: Decimal = Decimal(0)


class Prevention(msgspec.Struct, gc=False):
    """The latest of each, oldest first; and the internal positions, by strategy."""

    refusals: list[Refusal] = []
    nettings: list[Netting] = []
    internal: dict[str, dict[InstrumentId, InternalPosition]] = {}
    flags: list[VenueFlag] = []

    def note_refusal(self, refusal: Refusal) -> None:
        """Remember a refusal; the oldest go when there are too many."""
        _keep(self.refusals, refusal)

    def note_flag(self, flag: VenueFlag) -> None:
        """Remember what a venue stopped."""
        _keep(self.flags, flag)

    def note_netting(self, netting: Netting, *, buyer: str, seller: str) -> None:
        """Move lots between two strategies, and remember it."""
        _keep(self.nettings, netting)
        for strategy, lots in ((buyer, netting.quantity), (seller, -netting.quantity)):
            held = self.internal.setdefault(strategy, {})
            position = held.setdefault(netting.instrument_id, InternalPosition())
            position.lots += lots
            position.value += lots * netting.price


def _keep(latest: list[T], one: T) -> None:
    latest.append(one)
    if len(latest) > KEPT_MAX + KEPT_MAX // 16:
        del latest[:-KEPT_MAX]
