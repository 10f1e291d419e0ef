"""How the quantity of a parent order is given to the slots: who gets how many lots.

Always, except with `Split.EACH`: the shares sum to the quantity exactly. Where there are more slots
than lots, some slots get none. Shares follow the order of the slots.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import Lots
from tandem.domain.limits import MONEY_MAX
from tandem.domain.money import multiply
from tandem.domain.parents import Rounding, Split
from tandem.domain.value import Value

MASK: Final = 2**64 - 1
SCALE: Final = 10**18
_EQUAL: Final = Split.EQUAL  # finding a member of an enum costs more than comparing it


class Manner(Value, frozen=True, kw_only=True):
    """How to split.

    `minimum` is the least share worth sending: what would be less goes to the others. `start` is
    the slot, counted from zero, at which an equal split begins to hand out what does not divide;
    raise it from parent to parent and nobody gains. `seed` decides a random split, `rounding`
    limits each of its shares, in per cent of the equal one.

    Raises:
        ConfigurationError: limits that cannot be.
    """

    split: Split = Split.EQUAL
    minimum: Lots = Lots(1)
    start: int = 0
    seed: int = 0
    rounding: Rounding = Rounding()

    def __post_init__(self) -> None:
        if self.minimum < 1:
            raise ConfigurationError(f"minimum share is {self.minimum} lots, expected at least 1")
        low, high = self.rounding.min_percent, self.rounding.max_percent
        if not 0 <= low <= 100 <= high:
            raise ConfigurationError(
                f"random shares of {low} to {high} per cent: the equal share, 100, is outside"
            )


def split(quantity: Lots, buying_power: Sequence[Decimal], manner: Manner) -> list[int]:
    """Return the share of each slot, zero for one that gets none.

    Args:
        quantity: what to share out, or each slot's share with `Split.EACH`.
        buying_power: what each slot can still pay; only `Split.WEIGHTED` looks at it, and counts
            less than zero as zero.
        manner: how.

    Returns:
        As many shares as there are slots, in their order; all zero when there is nothing to give.
        When `quantity` is less than the minimum share, one slot gets it whole.
    """
    count = len(buying_power)
    if quantity <= 0 or not count:
        return [0] * count
    if manner.split is _EQUAL:
        return _equal(quantity, manner, count=count)
    if manner.split is Split.EACH:
        return [quantity] * count
    if manner.split is Split.WEIGHTED:
        return _weighted(quantity, _whole(buying_power), minimum=manner.minimum)
    return _random(quantity, manner, count=count)


def _equal(quantity: int, manner: Manner, *, count: int) -> list[int]:
    sharers = min(count, max(1, quantity // manner.minimum))
    share, rest = divmod(quantity, sharers)
    shares = [share + 1] * rest + [share] * (sharers - rest) + [0] * (count - sharers)
    begin = -manner.start % count
    return shares[begin:] + shares[:begin]


def _whole(powers: Sequence[Decimal]) -> list[int]:
    """Return `powers` as integers, to 18 digits after the point; zero for what is no sum."""
    return [
        int(multiply(min(one, MONEY_MAX), SCALE)) if one.is_finite() and one > 0 else 0
        for one in powers
    ]


def _weighted(quantity: int, weights: list[int], *, minimum: int) -> list[int]:
    """Return shares by the largest remainder method; the lightest slots give way to `minimum`."""
    live = list(weights)
    while True:
        shares = apportion(quantity, live)
        short = [at for at, lots in enumerate(shares) if 0 < lots < minimum]
        if not short or sum(1 for lots in shares if lots) == 1:
            return shares
        live[min(short, key=lambda at: (live[at], -at))] = 0


def apportion(quantity: int, weights: list[int]) -> list[int]:
    """Return `quantity` in proportion to the weights, whole, in their order.

    No part is larger than its weight as long as the quantity is not larger than their sum.
    """
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    shares = [quantity * weight // total for weight in weights]
    # The largest remainders are served first, of equals the first.
    order = sorted(range(len(weights)), key=lambda at: -(quantity * weights[at] % total))
    for at in order[: quantity - sum(shares)]:
        shares[at] += 1
    return shares


def _random(quantity: int, manner: Manner, *, count: int) -> list[int]:
    """Return shares that no observer can guess, within limits as far as whole lots allow them.

    Everyone gets the lower limit; the rest is shared by random weights, and what would break an
    upper limit goes to those with room.
    """
    draw = _generator(manner.seed)
    sharers = min(count, max(1, quantity // manner.minimum))
    low = max(manner.minimum, -(-quantity * manner.rounding.min_percent // (100 * sharers)))
    high = quantity * manner.rounding.max_percent // (100 * sharers)
    low = min(low, quantity // sharers)
    high = max(high, -(-quantity // sharers))
    rest = quantity - low * sharers
    shares = [low + lots for lots in apportion(rest, [draw() + 1 for _ in range(sharers)])]
    spare = sum(max(0, lots - high) for lots in shares)
    shares = [min(lots, high) for lots in shares]
    for at, lots in enumerate(shares):
        taken = min(spare, high - lots)
        shares[at] += taken
        spare -= taken
    seats = shares + [0] * (count - sharers)
    for last in range(count - 1, 0, -1):
        other = draw() % (last + 1)
        seats[last], seats[other] = seats[other], seats[last]
    return seats


def _generator(seed: int) -> Callable[[], int]:
    """Return a source of 64-bit numbers that is the same on every machine.

    Source: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
    """
    state = seed & MASK

    def draw() -> int:
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    return draw


def number_from(seed: int, *, at: int, most: int) -> int:
    """Return a random whole number from -most to most, always the same for a seed and a place."""
    if most <= 0:
        return 0
    return _generator(seed * 0x2545F4914F6CDD1D + at)() % (2 * most + 1) - most
