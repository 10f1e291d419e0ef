"""The kinds of algorithms there are, by their specs."""

from collections.abc import Callable
from typing import Final, assert_never

import msgspec

from tandem.core.trading.algos import (
    bracket,
    iceberg,
    make_market,
    momentum,
    participate,
    stop,
    twap,
)
from tandem.core.trading.algos.memos import (
    BracketMemo,
    IcebergMemo,
    MakeMarketMemo,
    Memo,
    MomentumMemo,
    ParticipateMemo,
    StopMemo,
    TwapMemo,
)
from tandem.core.trading.algos.sight import Sight, Step
from tandem.domain.algos import (
    AlgoSpec,
    Bracket,
    Iceberg,
    MakeMarket,
    Momentum,
    Participate,
    Stop,
    Twap,
)
from tandem.domain.commands import ReplaceOrder
from tandem.domain.order import Side


def name_of(spec: AlgoSpec) -> str:
    """Return the kind's name, as commands and tables have it."""
    return str(spec.__struct_config__.tag)


def new_memo(spec: AlgoSpec, seed: int) -> Memo:
    """Return what a new algorithm of this kind remembers; `seed` decides what is random in it."""
    match spec:
        case Twap():
            return TwapMemo(seed=seed)
        case Participate():
            return ParticipateMemo()
        case Iceberg():
            return IcebergMemo(seed=seed)
        case Stop():
            return StopMemo(stop_price=spec.stop_price)
        case Bracket():
            return BracketMemo()
        case MakeMarket():
            return MakeMarketMemo()
        case Momentum():
            return MomentumMemo()
        case _:
            assert_never(spec)


# What a kind's module has: `objection(spec)` and `step(spec, memo, sight)`, for its own types.
_OBJECTIONS: Final[dict[type, Callable[..., str | None]]] = {
    Twap: twap.objection,
    Participate: participate.objection,
    Iceberg: iceberg.objection,
    Stop: stop.objection,
    Bracket: bracket.objection,
    MakeMarket: make_market.objection,
    Momentum: momentum.objection,
}
_STEPS: Final[dict[type, Callable[..., Step]]] = {
    Twap: twap.step,
    Participate: participate.step,
    Iceberg: iceberg.step,
    Stop: stop.step,
    Bracket: bracket.step,
    MakeMarket: make_market.step,
    Momentum: momentum.step,
}


def objection(spec: AlgoSpec) -> str | None:
    """Return why this spec cannot be, or None."""
    return _OBJECTIONS[type(spec)](spec)


def step(spec: AlgoSpec, memo: Memo, sight: Sight) -> Step:
    """Return what this algorithm does now; `memo` is of its kind, by `new_memo`."""
    return _STEPS[type(spec)](spec, memo, sight)


def room(spec: AlgoSpec, side: Side, sight: Sight) -> int:
    """Return how much may still be placed on that side, whatever the kind thinks."""
    held = side.sign * sight.position
    match spec:
        case MakeMarket():
            return spec.inventory_limit - held - sight.out(side)
        case Momentum():
            most = 0 if spec.long_only and side is Side.SELL else spec.quantity
            return most - held - sight.out(side)
        case _:
            if side is spec.side:
                return spec.quantity - sight.traded(side) - sight.out(side)
            return -held - sight.out(side)


def replaced(spec: AlgoSpec, command: ReplaceOrder) -> AlgoSpec | str:
    """Return the spec with the new quantity and limit price, or why it cannot have them."""
    if command.limit_price is not None and isinstance(spec, MakeMarket | Momentum):
        return f"a {name_of(spec)} algorithm has no limit price"
    changed = spec
    if command.quantity is not None:
        changed = msgspec.structs.replace(changed, quantity=command.quantity)
    if command.limit_price is not None:
        changed = msgspec.structs.replace(changed, limit_price=command.limit_price)
    return changed
