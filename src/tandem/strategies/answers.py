"""What a strategy returned, judged: the same rules for every language."""

import re
from collections.abc import Mapping, Sequence
from math import floor, isfinite
from typing import Final, NamedTuple

from tandem.domain.ids import Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import FULL_PPM, Answer, WantedOrder
from tandem.strategies.errors import StrategyError
from tandem.strategies.grid import Grid

ORDERS_MAX: Final = 16
PRICE_TIMES_MAX: Final = 1_000  # a price this many times the close, or as much below it, is none
WORDS: Final = {"long": FULL_PPM, "short": -FULL_PPM, "flat": 0}
EXPECTED: Final = (
    'expected "long", "short", "flat", a number from -1 to 1, a table or nothing, got '
)
KEYS: Final = ("position", "stop", "target", "orders")
_ORDER_KEYS: Final = ("side", "quantity", "limit", "stop", "target")
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_PLACE: Final = re.compile(r"strategy:([0-9]+): ", re.ASCII)


class Wish(NamedTuple):
    """What a strategy wants, judged."""

    position_ppm: int | None = None
    stop_price: Ticks | None = None
    target_price: Ticks | None = None
    orders: tuple[WantedOrder, ...] = ()

    def answer(self, state: str) -> Answer:
        """Return it as an answer, with what the strategy remembers."""
        return Answer(
            position_ppm=self.position_ppm,
            stop_price=self.stop_price,
            target_price=self.target_price,
            orders=self.orders,
            state=state,
        )


def position_ppm(said: object, *, may_short: bool) -> int | None:
    """Return a position in millionths of a full one; None when it says none."""
    ppm = WORDS.get(said) if isinstance(said, str) else None
    if isinstance(said, int | float) and not isinstance(said, bool) and -1 <= said <= 1:
        ppm = floor(said * FULL_PPM + 0.5)
    return 0 if ppm is not None and ppm < 0 and not may_short else ppm


def error_of(message: str) -> StrategyError:
    """Return a machine's message as an error with its line."""
    match = _PLACE.match(message)
    if match is None:
        return StrategyError(None, message)
    line = int(match[1])
    return StrategyError(line or None, message[match.end() :])


def wish_of(said: Mapping[str, object], grid: Grid, close: float, *, may_short: bool) -> Wish:
    """Return what a table wants: a position, where it is given up, and orders.

    Raises:
        StrategyError: a key is unknown, or a value is none of what may stand there.
    """
    _check_keys(said, KEYS, "the answer")
    wanted = said.get("position")
    ppm = None if wanted is None else position_ppm(wanted, may_short=may_short)
    if wanted is not None and ppm is None:
        raise StrategyError(None, f"position is {shown(wanted)}, expected a number from -1 to 1")
    prices = _Prices(grid, close)
    stop = prices.get(said, "stop")
    target = prices.get(said, "target")
    if ppm is None and (stop is not None or target is not None):
        raise StrategyError(None, "stop and target belong to a position: expected one beside them")
    return Wish(ppm, stop, target, _orders(said.get("orders"), grid, prices))


class _Prices:
    """Reads prices, none of which may be far from the market."""

    def __init__(self, grid: Grid, close: float) -> None:
        self._grid = grid
        self._close = close

    def get(self, said: Mapping[str, object], key: str) -> Ticks | None:
        value = said.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise StrategyError(None, f"{key} is {shown(value)}, expected a price")
        low, high = self._close / PRICE_TIMES_MAX, self._close * PRICE_TIMES_MAX
        ticks = self._grid.ticks(float(value)) if low <= value <= high else None
        if ticks is None:
            raise StrategyError(
                None, f"{key} is {value:g}, expected a price from {low:g} to {high:g}"
            )
        return ticks


def _orders(said: object, grid: Grid, prices: _Prices) -> tuple[WantedOrder, ...]:
    if said is None:
        return ()
    if not isinstance(said, Sequence) or isinstance(said, str) or len(said) > ORDERS_MAX:
        raise StrategyError(None, f"orders: expected a list of at most {ORDERS_MAX}")
    return tuple(_order(one, grid, prices, number) for number, one in enumerate(said, start=1))


def _order(said: object, grid: Grid, prices: _Prices, number: int) -> WantedOrder:
    what = f"order {number}"
    if not isinstance(said, Mapping):
        raise StrategyError(None, f"{what} is {shown(said)}, expected a table")
    _check_keys(said, _ORDER_KEYS, what)
    side = said.get("side")
    if not isinstance(side, str) or side not in _SIDES:
        raise StrategyError(None, f'{what}: side is {shown(side)}, expected "buy" or "sell"')
    quantity = said.get("quantity")
    is_number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
    lots = grid.lots(float(quantity)) if is_number else None  # type: ignore[arg-type]
    if lots is None:
        raise StrategyError(
            None, f"{what}: quantity is {shown(quantity)}, expected one of at least half a lot"
        )
    try:
        limit, stop, target = (prices.get(said, key) for key in ("limit", "stop", "target"))
    except StrategyError as error:
        raise StrategyError(None, f"{what}: {error.message}") from error
    return WantedOrder(
        side=_SIDES[side], quantity=lots, limit_price=limit, stop_price=stop, target_price=target
    )


def _check_keys(said: Mapping[str, object], known: Sequence[str], what: str) -> None:
    for key in said:
        if key not in known:
            raise StrategyError(None, f"{what} has {shown(key)}, expected only {', '.join(known)}")


def shown(value: object) -> str:
    """Return a value as an error shows it."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, bool | int | float):
        return f"{value:g}" if isinstance(value, float) and isfinite(value) else str(value)
    return (
        "a table"
        if isinstance(value, Mapping)
        else "a list"
        if isinstance(value, Sequence)
        else "no value"
    )
