"""What a trader may ask: a table of makers, each with its weight.

Whoever builds a new kind of order adds a line to `MAKERS`. What the desk refuses counts as an
order as well: its mode, type and quantity were judged.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tandem.domain.algos import (
    AlgoSpec,
    AtEnd,
    Bracket,
    Iceberg,
    Leaving,
    MakeMarket,
    Momentum,
    Participate,
    Stop,
    Twap,
)
from tandem.domain.commands import (
    Command,
    ExitRule,
    LegPolicy,
    PlaceAlgo,
    PlaceBoth,
    PlacePair,
    PlaceParent,
)
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade, Split, WhenUnready
from tests.simulation.million.floor import PRICE, SLOTS, SYMBOLS

Maker = Callable[[random.Random], Command]
STRATEGIES: Final = ("", "long", "short")
RESTING: Final = (TimeInForce.DAY, TimeInForce.GOOD_TILL_CANCEL)
AT_ONCE: Final = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)
SIDES: Final = tuple(Side)
MODES: Final = tuple(SelfTrade)
SPLITS: Final = (*Split, Split.EQUAL, Split.EQUAL)


def slots_of(draws: random.Random, most: int = 3) -> tuple[SlotId, ...]:
    """Return some slots, of any venue; now and then all of them."""
    if draws.random() < 0.02:
        return ()
    return tuple(draws.sample(SLOTS, draws.randint(1, most)))


def near(draws: random.Random, side: Side) -> Ticks:
    """Return a price on the side's own half of the book, or a little beyond the middle."""
    return Ticks(PRICE + side.sign * (draws.randrange(5) - draws.randrange(9)))


def spec_of(draws: random.Random, **changes: object) -> ParentSpec:
    """Return some order with a limit, with what is told otherwise."""
    side = draws.choice(SIDES)
    fields: dict[str, object] = {
        "symbol": draws.choice(SYMBOLS),
        "side": side,
        "quantity": Lots(draws.randint(1, 40)),
        "limit_price": near(draws, side),
        "time_in_force": draws.choice(RESTING),
        "slots": slots_of(draws),
        "split": draws.choice(SPLITS),
        "when_unready": draws.choice(tuple(WhenUnready)),
        "self_trade": draws.choice(MODES),
        "strategy": draws.choice(STRATEGIES),
    }
    return ParentSpec(**(fields | changes))  # type: ignore[arg-type]


def limit(draws: random.Random) -> Command:
    """An order that may rest."""
    return PlaceParent(spec=spec_of(draws))


def post_only(draws: random.Random) -> Command:
    """An order that must rest."""
    return PlaceParent(spec=spec_of(draws, post_only=True))


def at_once(draws: random.Random) -> Command:
    """An order that trades at once or not at all, with a limit."""
    return PlaceParent(spec=spec_of(draws, time_in_force=draws.choice(AT_ONCE)))


def at_market(draws: random.Random) -> Command:
    """An order without a limit."""
    force = TimeInForce.IMMEDIATE_OR_CANCEL
    return PlaceParent(spec=spec_of(draws, limit_price=None, time_in_force=force))


def reduce_only(draws: random.Random) -> Command:
    """An order that may only bring a position nearer to zero."""
    force = draws.choice((*RESTING, *AT_ONCE))
    return PlaceParent(spec=spec_of(draws, reduce_only=True, time_in_force=force))


def till_date(draws: random.Random) -> Command:
    """An order that its venue ends at a moment: `timely` makes it one of the market's time."""
    until_ns = draws.randint(20, 2_000) * MS
    force = TimeInForce.GOOD_TILL_DATE
    return PlaceParent(spec=spec_of(draws, time_in_force=force, good_till_ns=until_ns))


def venue_stop(draws: random.Random) -> Command:
    """A stop that its venue holds; some trail, some have a limit, some only reduce."""
    side = draws.choice(SIDES)
    at = Ticks(PRICE + side.sign * draws.randint(-2, 5))
    limit_price = Ticks(at + side.sign * draws.randint(0, 3)) if draws.random() < 0.8 else None
    trail = Ticks(draws.randint(1, 4)) if limit_price is None and draws.random() < 0.5 else None
    spec = spec_of(
        draws,
        side=side,
        limit_price=limit_price,
        stop_price=at,
        trail=trail,
        reduce_only=draws.random() < 0.2,
    )
    return PlaceParent(spec=spec)


def timely(command: Command, market_ns: int) -> Command:
    """Return the command with its moments counted from now."""
    if not isinstance(command, PlaceParent) or command.spec.good_till_ns is None:
        return command
    until_ns = market_ns + command.spec.good_till_ns
    return PlaceParent(spec=msgspec.structs.replace(command.spec, good_till_ns=until_ns))


def too_large(draws: random.Random) -> Command:
    """An order that the risk gate must refuse."""
    return PlaceParent(spec=spec_of(draws, quantity=Lots(draws.randint(300, 5_000))))


def both(draws: random.Random) -> Command:
    """A two-sided quote."""
    quantity = draws.randint(1, 10)
    return PlaceBoth(
        symbol=draws.choice(SYMBOLS),
        quantity=Lots(quantity),
        buy_price=Ticks(PRICE - draws.randint(1, 6)),
        sell_price=Ticks(PRICE + draws.randint(0, 6)),
        slots=slots_of(draws),
        inventory_limit=Lots(quantity * draws.randint(1, 2)),
        refreshes=draws.randint(0, 2),
        lifetime_ns=draws.randint(100, 800) * MS,
        exit_rule=draws.choice(tuple(ExitRule)),
    )


def pair(draws: random.Random) -> Command:
    """A pair on two books: one bought, the other sold."""
    chosen = draws.sample(SLOTS, 4)
    return PlacePair(
        buy_symbol="T",
        sell_symbol="U",
        buy_price=Ticks(PRICE + draws.randint(-3, 4)),
        sell_price=Ticks(PRICE + draws.randint(-4, 3)),
        slice_quantity=Lots(draws.randint(1, 6)),
        slices=draws.randint(1, 3),
        buy_slots=tuple(chosen[:2]),
        sell_slots=tuple(chosen[2:]),
        policy=draws.choice(tuple(LegPolicy)),
        slice_ns=draws.randint(50, 500) * MS,
        policy_ns=1 * SECOND,
    )


def _worked(draws: random.Random) -> dict[str, object]:
    side = draws.choice(SIDES)
    return {
        "symbol": draws.choice(SYMBOLS),
        "side": side,
        "quantity": Lots(draws.randint(2, 40)),
        "limit_price": near(draws, side) if draws.random() < 0.7 else None,
        "slots": slots_of(draws),
        "self_trade": draws.choice(MODES),
        "strategy": draws.choice(STRATEGIES),
    }


def twap(draws: random.Random) -> AlgoSpec:
    """Even slices over time."""
    return Twap(
        **_worked(draws),  # type: ignore[arg-type]
        duration_ns=draws.randint(50, 800) * MS,
        slices=2,
        jitter_percent=draws.choice((0, 40)),
        at_end=draws.choice(tuple(AtEnd)),
    )


def participate(draws: random.Random) -> AlgoSpec:
    """A share of what the market trades."""
    return Participate(
        **_worked(draws),  # type: ignore[arg-type]
        percent=draws.randint(1, 60),
        duration_ns=draws.randint(200, 800) * MS,
        interval_ns=100 * MS,
        at_end=draws.choice(tuple(AtEnd)),
    )


def iceberg(draws: random.Random) -> AlgoSpec:
    """A resting order that shows a part of itself."""
    worked = _worked(draws)
    worked["limit_price"] = near(draws, worked["side"])  # type: ignore[arg-type]
    visible = Lots(draws.randint(1, 10))
    return Iceberg(**worked, visible=visible, jitter_percent=draws.choice((0, 30)))  # type: ignore[arg-type]


def stop(draws: random.Random) -> AlgoSpec:
    """A stop that the desk holds; some trail."""
    worked = _worked(draws)
    is_trailing = draws.random() < 0.4
    return Stop(
        **worked,  # type: ignore[arg-type]
        stop_price=None if is_trailing else Ticks(PRICE + draws.randint(-6, 6)),
        trail=Ticks(draws.randint(1, 4)) if is_trailing else None,
    )


def bracket(draws: random.Random) -> AlgoSpec:
    """An entry with a target and a stop."""
    worked = _worked(draws)
    ahead = draws.randint(2, 5) * (1 if worked["side"] is Side.BUY else -1)
    entry = PRICE + draws.randint(-2, 2)
    worked["limit_price"] = Ticks(entry)
    return Bracket(
        **worked,  # type: ignore[arg-type]
        target_price=Ticks(entry + ahead),
        stop_price=Ticks(entry - ahead),
        entry_ns=draws.randint(50, 500) * MS,
    )


def make_market(draws: random.Random) -> AlgoSpec:
    """Quotes on both sides that follow the market."""
    quantity = draws.randint(1, 8)
    return MakeMarket(
        symbol=draws.choice(SYMBOLS),
        quantity=Lots(quantity),
        half_spread=Ticks(draws.randint(1, 4)),
        skew=draws.randint(0, 2),
        inventory_limit=Lots(quantity * 2),
        tolerance=Ticks(1),
        refresh_ns=50 * MS,
        duration_ns=draws.randint(200, 800) * MS,
        leaving=draws.choice(tuple(Leaving)),
        slots=slots_of(draws),
        strategy="quotes",
    )


def momentum(draws: random.Random) -> AlgoSpec:
    """Long while the price rises, short while it falls."""
    return Momentum(
        symbol=draws.choice(SYMBOLS),
        quantity=Lots(draws.randint(1, 8)),
        sample_ns=100 * MS,
        window=2,
        threshold_ppm=100,
        duration_ns=draws.randint(300, 900) * MS,
        leaving=draws.choice(tuple(Leaving)),
        slots=slots_of(draws),
    )


def worked_by(make: Callable[[random.Random], AlgoSpec]) -> Maker:
    """Return the maker of an algorithm's command."""
    return lambda draws: PlaceAlgo(spec=make(draws))


MAKERS: Final[Sequence[tuple[str, int, Maker]]] = (
    ("limit", 420, limit),
    ("post only", 80, post_only),
    ("at once", 140, at_once),
    ("at the market", 80, at_market),
    ("reduce only", 40, reduce_only),
    ("till a date", 40, till_date),
    ("stop at the venue", 50, venue_stop),
    ("too large", 10, too_large),
    ("both", 12, both),
    ("pair", 12, pair),
    ("twap", 10, worked_by(twap)),
    ("participate", 6, worked_by(participate)),
    ("iceberg", 10, worked_by(iceberg)),
    ("stop", 10, worked_by(stop)),
    ("bracket", 8, worked_by(bracket)),
    ("make market", 5, worked_by(make_market)),
    ("momentum", 4, worked_by(momentum)),
)
