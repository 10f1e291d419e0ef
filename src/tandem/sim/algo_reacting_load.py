"""The algorithms that answer the market, as a simulated trader asks for them."""

import random

import msgspec

from tandem.domain.algos import AlgoSpec, Bracket, Leaving, MakeMarket, Stop, Trigger, Worked
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import Lots, Ticks
from tandem.sim.load import PRICE


def reacting_spec(draws: random.Random, worked: Worked) -> AlgoSpec:
    """Return a stop, a bracket or two-sided quoting; `worked` says what is traded and where."""
    kind = draws.randrange(3)
    if kind == 0:
        return _quoting(draws, worked)
    words = msgspec.structs.asdict(worked)
    trigger = draws.choice((Trigger.LAST, Trigger.QUOTE))
    sign = worked.side.sign
    if kind == 1:
        trail = Ticks(draws.randint(1, 6)) if draws.random() < 0.5 else None
        stop_price = Ticks(PRICE + sign * draws.randint(-2, 5))
        return Stop(**words, stop_price=stop_price, trail=trail, trigger=trigger)
    words["limit_price"] = (
        Ticks(PRICE + sign * draws.randint(0, 2)) if draws.random() < 0.5 else None
    )
    return Bracket(
        **words,
        target_price=Ticks(PRICE + sign * draws.randint(3, 8)),
        stop_price=Ticks(PRICE - sign * draws.randint(1, 8)),
        trigger=trigger,
        entry_ns=draws.choice((None, draws.randint(1, 10) * SECOND)),
    )


def _quoting(draws: random.Random, worked: Worked) -> MakeMarket:
    half_spread = draws.randint(1, 4)
    quantity = draws.randint(1, 20)
    return MakeMarket(
        symbol=worked.symbol,
        quantity=Lots(quantity),
        half_spread=Ticks(half_spread),
        skew=draws.randint(0, 3),
        inventory_limit=Lots(quantity * draws.randint(1, 3)),
        tolerance=Ticks(draws.randint(1, 2 * half_spread)),
        refresh_ns=draws.randint(100, 1_500) * MS,
        duration_ns=draws.randint(3, 20) * SECOND,
        leaving=draws.choice((Leaving.KEEP, Leaving.FLATTEN)),
        slots=worked.slots,
    )
