"""The algorithms that a simulated trader asks for, and what becomes of them on the way.

Whoever pauses or replaces one knows it by the command that asked for it: `@a1` stands for the
order that came of command `a1`, if any did.
"""

import random

import msgspec

from tandem.domain.algos import (
    AlgoSpec,
    AtEnd,
    Iceberg,
    Leaving,
    Momentum,
    Participate,
    Twap,
    Worked,
)
from tandem.domain.commands import (
    Asked,
    CancelOrders,
    Command,
    PauseOrder,
    PlaceAlgo,
    ReplaceOrder,
    ResumeOrder,
)
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import CommandId, Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade, Split
from tandem.sim.algo_reacting_load import reacting_spec
from tandem.sim.load import PRICE, X_SLOTS, Y_SLOTS, Intention

ALGOS_MAX = 4
NAMED = "@"  # before the id of a command that asked for an order


def algo_intentions(draws: random.Random, *, until_ns: int) -> list[Intention]:
    """Return which algorithms a trader will want and when, and how he changes them."""
    found = []
    for number in range(draws.randint(0, ALGOS_MAX)):
        key = f"a{number}"
        at_ns = draws.randrange(4 * SECOND, until_ns)
        found.append(_intention(at_ns, key, PlaceAlgo(spec=_spec(draws))))
        for step, command in enumerate(_changes(draws, f"{NAMED}{key}")):
            at_ns += draws.randint(200, 5_000) * MS
            found.append(_intention(at_ns, f"{key}-{step}", command))
    for number in range(draws.randint(0, ALGOS_MAX)):
        key = f"r{number}"
        at_ns = draws.randrange(4 * SECOND, until_ns)
        spec = reacting_spec(draws, Worked(**_words(draws)))
        found.append(_intention(at_ns, key, PlaceAlgo(spec=spec)))
        for step, command in enumerate(_changes(draws, f"{NAMED}{key}")):
            at_ns += draws.randint(200, 5_000) * MS
            found.append(_intention(at_ns, f"{key}-{step}", command))
    return found


def _intention(at_ns: int, key: str, command: Command) -> Intention:
    return Intention(at_ns, Asked(command_id=CommandId(key), command=command))


def _changes(draws: random.Random, name: str) -> list[Command]:
    pause, resume = PauseOrder(order_id=name), ResumeOrder(order_id=name)
    cancel = CancelOrders(order_id=name)
    replace = ReplaceOrder(
        order_id=name,
        quantity=Lots(draws.randint(2, 80)) if draws.random() < 0.5 else None,
        limit_price=Ticks(PRICE + draws.randint(-6, 6)) if draws.random() < 0.7 else None,
    )
    courses: tuple[list[Command], ...] = (
        [],
        [],
        [pause, resume],
        [replace],
        [replace, cancel],
        [pause, replace, resume],
        [pause, cancel],
        [cancel],
    )
    return draws.choice(courses)


def _spec(draws: random.Random) -> AlgoSpec:
    kind = draws.randrange(4)
    duration_ns = draws.randint(3, 20) * SECOND
    if kind == 3:
        return _momentum(draws, duration_ns)
    words = _words(draws)
    at_end = draws.choice((AtEnd.LEAVE, AtEnd.TAKE))
    jitter = draws.choice((0, 30, 90))
    if kind == 0:
        return Twap(
            **words,
            duration_ns=duration_ns,
            slices=draws.randint(1, min(8, words["quantity"])),
            jitter_percent=jitter,
            at_end=at_end,
        )
    if kind == 1:
        words["limit_price"] = Ticks(PRICE + draws.randint(-6, 6))
        return Iceberg(
            **words,
            visible=Lots(draws.randint(1, min(12, words["quantity"]))),
            jitter_percent=jitter,
        )
    return Participate(
        **words,
        percent=draws.randint(5, 60),
        duration_ns=duration_ns,
        interval_ns=draws.randint(300, 2_000) * MS,
        at_end=at_end,
    )


def _words(draws: random.Random) -> dict:  # type: ignore[type-arg]
    """Return the fields of `Worked`."""
    symbol = draws.choice(("AAA", "BBB", "BBB", "CCC"))
    slots: tuple[SlotId, ...] = ()
    if symbol == "AAA":
        slots = draws.choice((X_SLOTS, Y_SLOTS))
    words = Worked(
        symbol=symbol,
        side=draws.choice((Side.BUY, Side.SELL)),
        quantity=Lots(draws.randint(2, 60)),
        limit_price=Ticks(PRICE + draws.randint(-4, 8)) if draws.random() < 0.5 else None,
        slots=slots,
        split=draws.choice((Split.EQUAL, Split.EQUAL, Split.WEIGHTED, Split.RANDOM)),
        self_trade=draws.choice((SelfTrade.REJECT_NEW, SelfTrade.CANCEL_RESTING)),
    )
    return msgspec.structs.asdict(words)


def _momentum(draws: random.Random, duration_ns: int) -> Momentum:
    return Momentum(
        symbol=draws.choice(("BBB", "CCC")),
        quantity=Lots(draws.randint(1, 12)),
        sample_ns=draws.randint(200, 600) * MS,
        window=draws.randint(1, 4),
        threshold_ppm=draws.choice((50, 100, 200)),
        duration_ns=duration_ns,
        long_only=draws.random() < 0.5,
        leaving=draws.choice((Leaving.KEEP, Leaving.FLATTEN)),
        good_for_ns=draws.randint(100, 5_000) * MS,
    )
