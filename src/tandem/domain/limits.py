"""What the risk gate allows. Every limit is finite, and no value switches one off."""

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId, MarketId
from tandem.domain.value import Value

SECOND_NS: Final = 1_000_000_000
SESSIONS_MAX: Final = 5_000
MONEY_MAX: Final = Decimal(10) ** 15
LOTS_MAX: Final = 2**53

BOUNDS: Final = {
    "max_open_orders": (1, 1_000_000),
    "max_orders_per_second": (1, 1_000_000),
    "max_duplicates": (1, 1_000_000),
    "duplicate_window_ns": (1_000_000, 3_600 * SECOND_NS),
    "price_collar_ppm": (1, 1_000_000),
    "max_reference_age_ns": (1_000_000, 31 * 86_400 * SECOND_NS),
}
MONEY: Final = ("max_notional", "max_position_notional", "max_gross_exposure", "max_daily_loss")


class Session(Value, frozen=True, kw_only=True):
    """When new orders are taken: from `begin_ns` to before `end_ns`, in market time."""

    begin_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if not self.begin_ns < self.end_ns:
            raise ConfigurationError(
                f"session: begin_ns {self.begin_ns} is not before end_ns {self.end_ns}"
            )


class Limits(Value, frozen=True, kw_only=True):
    """Limits of one gate; money is in the quote currency of the instrument, each for itself.

    max_notional: value of one order. max_position_notional: value of one instrument's position
    if all open orders of the worse side trade. max_gross_exposure: sum of those over all
    instruments of a currency. max_daily_loss: realized in one UTC day of market time, after
    which only orders that reduce a position pass. price_collar_ppm: how far a price may be from
    the reference, in parts per million of it. max_reference_age_ns: market time after which a
    reference price counts as none. max_orders_per_second: in any second. max_duplicates: orders
    with the same instrument, side, quantity and price within `duplicate_window_ns` of the first
    of them. max_quantity: lots of one order, by instrument. restricted: symbols never traded.
    session: None is always open. sessions: several windows, oldest first and apart from each
    other; outside of them, as outside of `session`, only what reduces a position passes. Empty is
    always open. market_sessions: the windows of markets that have others than `sessions`.

    Raises:
        ConfigurationError: a limit is not positive, not finite or beyond its bound.
    """

    max_notional: Decimal = Decimal(1_000_000)
    max_position_notional: Decimal = Decimal(5_000_000)
    max_gross_exposure: Decimal = Decimal(20_000_000)
    max_daily_loss: Decimal = Decimal(100_000)
    price_collar_ppm: int = 100_000
    max_reference_age_ns: int = 300 * SECOND_NS
    max_open_orders: int = 1_000
    max_orders_per_second: int = 1_000
    max_duplicates: int = 20
    duplicate_window_ns: int = SECOND_NS
    max_quantity: dict[InstrumentId, int] = msgspec.field(default_factory=dict)
    restricted: tuple[str, ...] = ()
    session: Session | None = None
    sessions: tuple[Session, ...] = ()
    market_sessions: dict[MarketId, tuple[Session, ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            count = getattr(self, name)
            if not low <= count <= high:
                raise ConfigurationError(f"{name} is {count}, expected {low} to {high}")
        for name in MONEY:
            amount = getattr(self, name)
            if not amount.is_finite() or not 0 < amount <= MONEY_MAX:
                raise ConfigurationError(f"{name} is {amount}, expected above 0, to {MONEY_MAX:f}")
        for instrument_id, lots in self.max_quantity.items():
            if not 0 < lots <= LOTS_MAX:
                raise ConfigurationError(
                    f"max_quantity of {instrument_id} is {lots}, expected 1 to {LOTS_MAX}"
                )
        for sessions in (self.sessions, *self.market_sessions.values()):
            refuse_disorder(sessions)
        # Sorted once, so that the gate finds a symbol by halving.
        msgspec.structs.force_setattr(self, "restricted", tuple(sorted(self.restricted)))

    def is_open(self, market_ns: int, market_id: MarketId | None = None) -> bool:
        """Whether new orders are taken at that moment of the market of that name."""
        session, sessions = self.session, self.sessions
        if market_id is not None and self.market_sessions:
            sessions = self.market_sessions.get(market_id, sessions)
        if session is not None and not session.begin_ns <= market_ns < session.end_ns:
            return False
        if not sessions:
            return True
        at = bisect_right(sessions, market_ns, key=_begin_ns) - 1
        return at >= 0 and market_ns < sessions[at].end_ns


def refuse_disorder(sessions: tuple[Session, ...]) -> None:
    """See that sessions come one after the other, and are not too many.

    Raises:
        ConfigurationError: they do not, or are.
    """
    if len(sessions) > SESSIONS_MAX:
        raise ConfigurationError(f"sessions: expected at most {SESSIONS_MAX}")
    for one, other in pairwise(sessions):
        if one.end_ns > other.begin_ns:
            raise ConfigurationError(
                f"sessions: {other.begin_ns} begins before {one.end_ns}, the end of the last"
            )


def _begin_ns(session: Session) -> int:
    return session.begin_ns


class LimitChanges(Value, frozen=True, kw_only=True):
    """What a person set of some limits, field by field as in `Limits`; None leaves a limit alone.

    Raises:
        ConfigurationError: a limit is not positive, not finite or beyond its bound.
    """

    max_notional: Decimal | None = None
    max_position_notional: Decimal | None = None
    max_gross_exposure: Decimal | None = None
    max_daily_loss: Decimal | None = None
    price_collar_ppm: int | None = None
    max_reference_age_ns: int | None = None
    max_open_orders: int | None = None
    max_orders_per_second: int | None = None
    max_duplicates: int | None = None
    duplicate_window_ns: int | None = None
    max_quantity: dict[InstrumentId, int] | None = None
    restricted: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        changed(Limits(), self)  # what cannot be is refused at once

    @property
    def named(self) -> dict[str, object]:
        """Return what is set, by name, in the order of the fields."""
        fields = {one: getattr(self, one) for one in self.__struct_fields__}
        return {name: value for name, value in fields.items() if value is not None}


SETTABLE: Final = LimitChanges.__struct_fields__


def changed(limits: Limits, changes: LimitChanges) -> Limits:
    """Return `limits` with what a person set; quantities of other instruments stay."""
    named = changes.named
    if changes.max_quantity is not None:
        named["max_quantity"] = limits.max_quantity | changes.max_quantity
    return msgspec.structs.replace(limits, **named) if named else limits


def closed(limits: Limits, symbols: Iterable[str]) -> Limits:
    """Return `limits` under which these symbols are not traded either."""
    found = dict.fromkeys((*limits.restricted, *symbols))
    if len(found) == len(limits.restricted):
        return limits
    return msgspec.structs.replace(limits, restricted=tuple(found))


def merged(below: LimitChanges, *, above: LimitChanges) -> LimitChanges:
    """Return both; where both set a limit, the one of `above`."""
    named = above.named
    if above.max_quantity is not None:
        named["max_quantity"] = (below.max_quantity or {}) | above.max_quantity
    return msgspec.structs.replace(below, **named) if named else below


def without(changes: LimitChanges, names: tuple[str, ...]) -> LimitChanges:
    """Return the changes without those of these names."""
    return msgspec.structs.replace(changes, **dict.fromkeys(names))
