"""What a person types, in the desk's own words: symbols, quantities, prices, slots, durations."""

import re
from decimal import Decimal
from typing import Final, Literal

from tandem.cli.calling import BadInputError
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.instrument import Catalogue, Instrument
from tandem.domain.views import CatalogueView

SelfTradeWord = Literal[
    "reject_new", "cancel_resting", "cancel_both", "decrement", "net_internally"
]
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS_NS: Final = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_SHOWN_MAX: Final = 30


class Choice:
    """What can be chosen from here and now."""

    def __init__(self, view: CatalogueView) -> None:
        self._catalogue = Catalogue(view.instruments)
        self._slots = view.slots

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument of that symbol; its grid is that of all its venues.

        Raises:
            BadInputError: it is not traded here.
        """
        found = self._catalogue.on_symbol(symbol)
        if not found:
            known = sorted({one.symbol for one in self._catalogue.instruments})[:_SHOWN_MAX]
            raise BadInputError(f"no symbol {symbol!r}; traded here: {', '.join(known)}")
        return found[0]

    def quantity(self, symbol: str, *, text: str) -> Lots:
        """Return a quantity in lots.

        Raises:
            OffGridError: it is no positive multiple of the lot size.
        """
        return self.instrument(symbol).quantity(text)

    def price(self, symbol: str, *, text: str) -> Ticks:
        """Return a price in ticks.

        Raises:
            OffGridError: it is no positive multiple of the tick size.
        """
        return self.instrument(symbol).price(text)

    def slots(self, names: str | None, accounts: int | None) -> tuple[SlotId, ...]:
        """Return the slots of that name (`w1,w3`), or the first so many; empty for all.

        Raises:
            BadInputError: there is no such slot, or there are fewer.
        """
        if names is not None and accounts is not None:
            raise BadInputError("--slots and --accounts: give one of them")
        if accounts is not None:
            if not 1 <= accounts <= len(self._slots):
                raise BadInputError(f"--accounts {accounts}: expected 1 to {len(self._slots)}")
            return tuple(self._slots[:accounts])
        chosen = tuple(SlotId(one.strip()) for one in (names or "").split(",") if one.strip())
        for one in chosen:
            if one not in self._slots:
                raise BadInputError(f"--slots: no slot {one!r}; there are {', '.join(self._slots)}")
        return chosen

    @property
    def all_slots(self) -> tuple[SlotId, ...]:
        """Every slot that trades."""
        return self._slots


def duration_ns(text: str) -> int:
    """Return a duration such as 500ms, 30s, 5m or 1.5h.

    Raises:
        BadInputError: it is none, or nothing.
    """
    found = _DURATION.fullmatch(text)
    length = int(Decimal(found[1]) * _UNITS_NS[found[2]]) if found else 0
    if length <= 0:
        raise BadInputError(f"duration {text!r}: expected one such as 500ms, 30s, 5m or 1.5h")
    return length
