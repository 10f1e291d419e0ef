"""Which prices a trigger believes: a bad print fires no stop, and a real fall fires every one.

A price is doubted when the market that shows it is crossed, or when it is further from the last
believed one than the price collar. A doubted price counts for nothing until the market has stood
on that side for `DOUBT_NS`; then it is believed, whatever it is, so that a market which really
jumped is followed, only that much later. A price within the collar is believed at once.
"""

from typing import Final

from tandem.core.trading.algos.memos import Watch
from tandem.core.trading.algos.sight import Sight
from tandem.domain.algos import Trigger
from tandem.domain.ids import Ticks
from tandem.domain.order import Side

DOUBT_NS: Final = 500_000_000  # market time
_MILLION: Final = 1_000_000


def believed(watch: Watch, trigger: Trigger, side: Side, sight: Sight) -> Ticks | None:
    """Return the price that sets off an order on `side`, if there is one to be believed now."""
    price = _price(trigger, side, sight)
    if price is None:
        watch.doubted_ns = None
        return None
    if not _is_doubtful(watch, price, sight):
        return _believe(watch, price)
    is_above = watch.price is not None and price > watch.price
    if watch.doubted_ns is None or watch.is_above is not is_above:
        watch.doubted_ns, watch.is_above = sight.market_ns, is_above
    if sight.market_ns - watch.doubted_ns < DOUBT_NS:
        return None
    return _believe(watch, price)


def look_again_ns(watch: Watch) -> int | None:
    """Return the market time at which a doubted price is to be looked at again."""
    return None if watch.doubted_ns is None else watch.doubted_ns + DOUBT_NS


def is_reached(side: Side, price: Ticks, *, stop_price: Ticks) -> bool:
    """Return whether a stop on that side is reached, or passed over: a sell's by a fall."""
    return price <= stop_price if side is Side.SELL else price >= stop_price


def _price(trigger: Trigger, side: Side, sight: Sight) -> Ticks | None:
    if trigger is Trigger.LAST:
        return sight.last
    return sight.bid if side is Side.SELL else sight.ask


def _is_doubtful(watch: Watch, price: Ticks, sight: Sight) -> bool:
    if sight.bid is not None and sight.ask is not None and sight.bid > sight.ask:
        return True
    seen = watch.price
    return seen is not None and abs(price - seen) * _MILLION > seen * sight.collar_ppm


def _believe(watch: Watch, price: Ticks) -> Ticks:
    watch.price, watch.doubted_ns = price, None
    return price
