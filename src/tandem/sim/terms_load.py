"""Orders with terms that a simulated trader places at venues, and what he changes of them."""

import random

from tandem.domain.commands import Asked, CancelOrders, Command, PlaceParent, ReplaceOrder
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import CommandId, Lots, SlotId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade, Split
from tandem.sim.algo_load import NAMED
from tandem.sim.load import PRICE, X_SLOTS, Y_SLOTS, Intention

ORDERS_MAX = 8


def terms_intentions(draws: random.Random, *, until_ns: int) -> list[Intention]:
    """Return which orders a trader will want and when, and how he replaces them."""
    found = []
    for number in range(draws.randint(0, ORDERS_MAX)):
        key = f"t{number}"
        at_ns = draws.randrange(4 * SECOND, until_ns)
        spec = _resting(draws) if draws.random() < 0.6 else _with_terms(draws)
        found.append(_intention(at_ns, key, PlaceParent(spec=spec)))
        for step in range(draws.randint(0, 3)):
            # Some while it is on its way, so that what trades and what is asked cross.
            at_ns += draws.choice((draws.randint(1, 150), draws.randint(50, 3_000))) * MS
            command = _change(draws, f"{NAMED}{key}", spec)
            found.append(_intention(at_ns, f"{key}-{step}", command))
    return found


def _intention(at_ns: int, key: str, command: Command) -> Intention:
    return Intention(at_ns, Asked(command_id=CommandId(key), command=command))


def _change(draws: random.Random, name: str, spec: ParentSpec) -> Command:
    kind = draws.random()
    if kind < 0.6:
        return ReplaceOrder(order_id=name, quantity=Lots(draws.randint(1, spec.quantity)))
    if kind < 0.9:
        price = Ticks(PRICE + spec.side.sign * draws.randint(-6, 1))
        quantity = Lots(draws.randint(1, 80)) if draws.random() < 0.5 else None
        return ReplaceOrder(order_id=name, quantity=quantity, limit_price=price)
    return CancelOrders(order_id=name)


def _resting(draws: random.Random) -> ParentSpec:
    """Return an order that rests for a while, away from the market."""
    symbol, slots = _where(draws)
    side = draws.choice((Side.BUY, Side.SELL))
    return ParentSpec(
        symbol=symbol,
        side=side,
        quantity=Lots(draws.randint(4, 80)),
        limit_price=Ticks(PRICE - side.sign * draws.randint(-2, 6)),
        time_in_force=TimeInForce.GOOD_TILL_CANCEL,
        slots=slots,
        split=draws.choice((Split.EQUAL, Split.RANDOM)),
        self_trade=draws.choice(
            (SelfTrade.REJECT_NEW, SelfTrade.CANCEL_RESTING, SelfTrade.DECREMENT)
        ),
    )


def _with_terms(draws: random.Random) -> ParentSpec:
    symbol, slots = _where(draws)
    side = draws.choice((Side.BUY, Side.SELL))
    is_stop, is_dated = draws.random() < 0.6, draws.random() < 0.5
    stop = PRICE + side.sign * draws.randint(1, 6) if is_stop else None
    has_limit = draws.random() < 0.7
    near = PRICE if stop is None else stop
    return ParentSpec(
        symbol=symbol,
        side=side,
        quantity=Lots(draws.randint(4, 60)),
        limit_price=Ticks(near + side.sign * draws.randint(-2, 4)) if has_limit else None,
        time_in_force=TimeInForce.GOOD_TILL_DATE if is_dated else TimeInForce.GOOD_TILL_CANCEL,
        # A span: whoever asks adds it to the market's time of that moment.
        good_till_ns=draws.randint(1, 15) * SECOND if is_dated else None,
        stop_price=None if stop is None else Ticks(stop),
        trail=Ticks(draws.randint(1, 5)) if is_stop and draws.random() < 0.4 else None,
        reduce_only=draws.random() < 0.4,
        slots=slots,
    )


def _where(draws: random.Random) -> tuple[str, tuple[SlotId, ...]]:
    """Return a symbol, and the slots that must be named where it is traded in two markets."""
    symbol = draws.choice(("AAA", "BBB", "CCC"))
    return symbol, draws.choice((X_SLOTS, Y_SLOTS)) if symbol == "AAA" else ()
