"""Orders that place orders: over time, in pieces, or once something has happened.

All spans and moments here are market time, so a replay at 20 times speed runs them 20 times as
fast. An algorithm lives in the desk: what it waits for needs the coordinator alive.

Each has a `flat_by_ns`, None for never: a moment of market time by which it has traded back, at the
market, what it has bought more than sold, or sold more. It holds that until then, also when its
work is done before; one that may only reduce a position just ends.
"""

import enum

from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import Rounding, SelfTrade, Split
from tandem.domain.value import Value


class AtEnd(enum.StrEnum):
    """What becomes of the quantity that is left when an algorithm's time is over."""

    LEAVE = "leave"  # it stays untraded
    TAKE = "take"  # it is traded at the market, within the limit price


class Trigger(enum.StrEnum):
    """Which price sets off a stop that the desk holds."""

    LAST = "last"  # the last trade
    QUOTE = "quote"  # what the stop would trade at: the bid of a sell, the ask of a buy


class Worked(Value, frozen=True, kw_only=True):
    """What every algorithm on one side is told: what to trade, where, and at what worst price.

    `strategy` names what its orders are counted under in statements.
    """

    symbol: str
    side: Side
    quantity: Lots
    limit_price: Ticks | None = None
    slots: tuple[SlotId, ...] = ()
    split: Split = Split.EQUAL
    rounding: Rounding = Rounding()
    self_trade: SelfTrade = SelfTrade.REJECT_NEW
    reduce_only: bool = False
    strategy: str = ""


class Twap(Worked, frozen=True, kw_only=True, tag="twap"):
    """Trade evenly over `duration_ns`, in `slices` orders that take liquidity.

    `jitter_percent` moves each slice's size and moment at random, by at most that share of a
    slice's size and spacing, so that nobody can foretell it; sums and the end stay exact. A slice
    that did not trade in full is caught up with the next one.
    """

    duration_ns: int
    slices: int
    jitter_percent: int = 0
    at_end: AtEnd = AtEnd.LEAVE
    flat_by_ns: int | None = None


class Participate(Worked, frozen=True, kw_only=True, tag="participate"):
    """Trade `percent` of what the market trades, from now until done or `duration_ns` is over.

    The market's volume is looked at every `interval_ns`. The share holds at every look, of what
    others and we traded together since the beginning; a rest that is taken at the end is beyond it.
    """

    percent: int
    duration_ns: int
    interval_ns: int = 1_000_000_000
    at_end: AtEnd = AtEnd.LEAVE
    flat_by_ns: int | None = None


class Iceberg(Worked, frozen=True, kw_only=True, tag="iceberg"):
    """Rest at the limit price with at most `visible` lots shown, all accounts together.

    When what is shown has traded, the next piece is shown. `jitter_percent` varies the pieces'
    sizes at random; none is ever larger than `visible`.
    """

    visible: Lots
    jitter_percent: int = 0
    flat_by_ns: int | None = None


class Stop(Worked, frozen=True, kw_only=True, tag="stop"):
    """Trade once the market has reached `stop_price` (a sell: fallen to it; a buy: risen to it).

    Then at the market, or with a limit price at that limit. With `trail` the stop price follows
    the market at this distance, and never turns back; `stop_price` is then where it begins at the
    least, None for the first price seen less the trail. The desk holds it until then; nothing is
    reserved, and the venue knows nothing of it.
    """

    stop_price: Ticks | None
    trail: Ticks | None = None
    trigger: Trigger = Trigger.LAST
    flat_by_ns: int | None = None


class Bracket(Worked, frozen=True, kw_only=True, tag="bracket"):
    """Enter at the limit price or the market; then a target and a stop, one cancels the other.

    Each quantity that the entry trades is protected as soon as the desk hears of it: a resting
    order at `target_price`, and a stop at `stop_price` that the desk holds. When the stop is hit,
    the target is canceled first, and what is left goes out at the market. One of them may be None,
    not both. The entry is canceled when it has not traded after `entry_ns` (None: it waits for
    ever).
    """

    target_price: Ticks | None
    stop_price: Ticks | None
    trigger: Trigger = Trigger.LAST
    entry_ns: int | None = None
    flat_by_ns: int | None = None


class Leaving(enum.StrEnum):
    """What becomes of an inventory or a position when an algorithm ends."""

    KEEP = "keep"
    FLATTEN = "flatten"  # traded back at the market


class MakeMarket(Value, frozen=True, kw_only=True, tag="make_market"):
    """Quote both sides around the middle of the market, for `duration_ns`.

    Buys `quantity` at the middle less `half_spread`, sells at the middle plus it, both moved by
    `skew` against the inventory for each `quantity` of it, and never so large that the inventory
    could exceed `inventory_limit` in size. A side is quoted anew when it has traded, or when its
    price is off by at least `tolerance` and `refresh_ns` have gone by.
    """

    symbol: str
    quantity: Lots
    half_spread: Ticks
    skew: int = 0
    inventory_limit: Lots
    tolerance: Ticks
    refresh_ns: int
    duration_ns: int
    leaving: Leaving = Leaving.FLATTEN
    slots: tuple[SlotId, ...] = ()
    strategy: str = ""
    flat_by_ns: int | None = None


class Momentum(Value, frozen=True, kw_only=True, tag="momentum"):
    """Be long while the price rises and short while it falls, for `duration_ns`.

    The price is kept every `sample_ns`, and each new one compared with that of `window` samples
    ago: a rise by `threshold_ppm` millionths or more asks for a position of `quantity`, a fall by
    as much for its reverse (flat with `long_only`); between them nothing changes. It trades the
    moment the change appears, at the market. A decision that cannot be carried out before its
    quote is `good_for_ns` old is dropped.
    """

    symbol: str
    quantity: Lots
    sample_ns: int
    window: int
    threshold_ppm: int
    duration_ns: int
    long_only: bool = False
    leaving: Leaving = Leaving.FLATTEN
    slots: tuple[SlotId, ...] = ()
    strategy: str = "momentum"
    good_for_ns: int = 5_000_000_000
    flat_by_ns: int | None = None


WorkedSpec = Twap | Participate | Iceberg | Stop | Bracket
AlgoSpec = WorkedSpec | MakeMarket | Momentum
