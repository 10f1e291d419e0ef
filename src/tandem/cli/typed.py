"""What a person types, in the desk's own words: symbols, quantities, prices, slots, durations."""

import re
from datetime import UTC, datetime, timedelta
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
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_NS: Final = 86_400_000_000_000
_UNITS_NS: Final = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION_NS_MAX: Final = 87_600 * _UNITS_NS["h"]
_SHOWN_MAX: Final = 30


class Choice:
    """What can be chosen from here and now."""

    def __init__(self, view: CatalogueView) -> None:
        self.market_ns = view.market_ns
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

    def slots(
        self, names: str | None, accounts: int | None, *, option: str = "--slots"
    ) -> tuple[SlotId, ...]:
        """Return the slots of that name (`w1,w3`), or the first so many; empty for all.

        `option` is what was typed before the names.

        Raises:
            BadInputError: there is no such slot, or there are fewer, or none was named.
        """
        if names is not None and accounts is not None:
            raise BadInputError("--slots and --accounts: give one of them")
        if accounts is not None:
            if not 1 <= accounts <= len(self._slots):
                raise BadInputError(f"--accounts {accounts}: expected 1 to {len(self._slots)}")
            return tuple(self._slots[:accounts])
        if names is None:
            return ()
        chosen = tuple(SlotId(one.strip()) for one in names.split(",") if one.strip())
        if not chosen:
            raise BadInputError(f"{option} {names!r}: expected slots such as w1,w2")
        for one in chosen:
            if one not in self._slots:
                there = ", ".join(self._slots)
                raise BadInputError(f"{option}: no slot {one!r}; there are {there}")
        return tuple(dict.fromkeys(chosen))

    @property
    def all_slots(self) -> tuple[SlotId, ...]:
        """Every slot that trades."""
        return self._slots


def until_ns(text: str, *, market_ns: int) -> int:
    """Return a moment of market time: such a duration after `market_ns`, or a time in UTC.

    Such as 90s, 15:30, 15:30:00 (the next one) or 2026-11-22T15:30:00; ISO 8601 may name a zone.

    Raises:
        BadInputError: it is none, or not after `market_ns`.
    """
    if _DURATION.fullmatch(text):
        return market_ns + duration_ns(text)
    moment_ns = _time_of_day(text, market_ns=market_ns)
    if moment_ns is None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise BadInputError(
                f"{text!r}: expected a duration such as 90s, or a time such as 15:30 or "
                "2026-11-22T15:30:00, in UTC"
            ) from error
        moment_ns = _since_epoch_ns(moment)
    if moment_ns <= market_ns:
        raise BadInputError(f"{text!r} is over: the market is at {moment_text(market_ns)}")
    return moment_ns


def time_of_day_ns(text: str) -> int | None:
    """Return how long after midnight such a time is, like 15:30 or 15:30:00; None for no time."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = (int(one or 0) for one in found.groups())
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return (hours * 3_600 + minutes * 60 + seconds) * 1_000_000_000


def _time_of_day(text: str, *, market_ns: int) -> int | None:
    since_midnight_ns = time_of_day_ns(text)
    if since_midnight_ns is None:
        return None
    midnight_ns = market_ns - market_ns % _DAY_NS
    today_ns = midnight_ns + since_midnight_ns
    return today_ns if today_ns > market_ns else today_ns + _DAY_NS


def time_ns(text: str, *, option: str) -> int:
    """Return the moment that was typed behind an option, in UTC where no offset stands there.

    Raises:
        BadInputError: it is none; names the option.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(
            f"{option} {text!r}: expected a time such as 2018-04-05 or 2018-04-05T09:30:00"
        ) from error
    return _since_epoch_ns(moment)


def _since_epoch_ns(moment: datetime) -> int:
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return since // timedelta(microseconds=1) * 1_000


def moment_text(market_ns: int) -> str:
    """Return a moment of market time as people write it, in UTC."""
    moment = _EPOCH + timedelta(microseconds=market_ns // 1_000)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def duration_ns(text: str) -> int:
    """Return a duration such as 500ms, 30s, 5m or 1.5h.

    Raises:
        BadInputError: it is none, or nothing.
    """
    found = _DURATION.fullmatch(text)
    length = int(Decimal(found[1]) * _UNITS_NS[found[2]]) if found else 0
    if length <= 0:
        raise BadInputError(f"duration {text!r}: expected one such as 500ms, 30s, 5m or 1.5h")
    if length > _DURATION_NS_MAX:
        raise BadInputError(f"duration {text!r}: expected at most 87600h, ten years")
    return length
