"""What each kind of algorithm remembers between two looks at the market."""

import msgspec

from tandem.domain.ids import Ticks


class TwapMemo(msgspec.Struct, tag="twap", gc=False):
    """`next_at` is the next slice, counted from zero.

    When its time is over: `take_at_ns` is when the rest may be taken (again), `take_until_ns` when
    that is given up; market time, 0 before.
    """

    seed: int
    next_at: int = 0
    take_at_ns: int = 0
    take_until_ns: int = 0


class ParticipateMemo(msgspec.Struct, tag="participate", gc=False):
    """`counted` is what others have traded since it began, `volume` where that was last seen.

    Both grow by what is seen to be traded, so a volume that falls back takes nothing away and adds
    nothing. `next_look_ns` is market time; the take moments are those of `TwapMemo`.
    """

    volume: int | None = None
    counted: int = 0
    next_look_ns: int = 0
    take_at_ns: int = 0
    take_until_ns: int = 0


class IcebergMemo(msgspec.Struct, tag="iceberg", gc=False):
    """What is random in its pieces follows from the seed and what has traded."""

    seed: int


class Watch(msgspec.Struct, gc=False):
    """A price that is watched: the last one that was believed, and since when one is doubted.

    `is_above`: the doubted ones are above the one believed.
    """

    price: Ticks | None = None
    doubted_ns: int | None = None
    is_above: bool = False


class StopMemo(msgspec.Struct, tag="stop", gc=False):
    """`stop_price` is where it is now; `hit_at_ns` the market time at which it was reached."""

    stop_price: Ticks | None
    hit_at_ns: int | None = None
    watch: Watch = msgspec.field(default_factory=Watch)


class BracketMemo(msgspec.Struct, tag="bracket", gc=False):
    """`hit_at_ns` is the market time at which the stop was reached.

    `entered`: the entry is over, and nothing more of it is sent.
    """

    entered: bool = False
    hit_at_ns: int | None = None
    watch: Watch = msgspec.field(default_factory=Watch)


class Quoted(msgspec.Struct, gc=False):
    """One side of a quote: when it was last sent, and what will have traded once it is filled."""

    at_ns: int | None = None
    filled_at: int = 0


class MakeMarketMemo(msgspec.Struct, tag="make_market", gc=False):
    """What was last quoted on each side; `leaves` as in `MomentumMemo`."""

    buy: Quoted = msgspec.field(default_factory=Quoted)
    sell: Quoted = msgspec.field(default_factory=Quoted)
    leaves: int = 0


class MomentumMemo(msgspec.Struct, tag="momentum", gc=False):
    """`samples` are the last prices seen, doubled, oldest first; `target` the position wanted.

    What is out of a decision is good until `good_until_ns`, market time. `leaves` counts how often
    it was tried to flatten what was left in the end.
    """

    samples: list[int] = []
    next_sample_ns: int = 0
    target: int = 0
    good_until_ns: int = 0
    leaves: int = 0


Memo = (
    TwapMemo
    | ParticipateMemo
    | IcebergMemo
    | StopMemo
    | BracketMemo
    | MakeMarketMemo
    | MomentumMemo
)
