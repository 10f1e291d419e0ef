"""What each kind of algorithm remembers between two looks at the market."""

import msgspec

from tandem.domain.ids import Ticks


class TwapMemo(msgspec.Struct, tag="twap", gc=False):
    """`next_at` is the next slice, counted from zero; `placed` what slices have asked so far."""

    seed: int
    next_at: int = 0


class ParticipateMemo(msgspec.Struct, tag="participate", gc=False):
    """`volume_from` is the market's volume when it began."""

    volume_from: int | None = None
    next_look_ns: int = 0


class IcebergMemo(msgspec.Struct, tag="iceberg", gc=False):
    """`pieces` were shown so far."""

    seed: int
    pieces: int = 0


class StopMemo(msgspec.Struct, tag="stop", gc=False):
    """`stop_price` is where it is now; `hit_at_ns` the market time at which it was reached."""

    stop_price: Ticks | None
    hit_at_ns: int | None = None


class BracketMemo(msgspec.Struct, tag="bracket", gc=False):
    """`hit_at_ns` is the market time at which the stop was reached."""

    entered: bool = False
    hit_at_ns: int | None = None


class MakeMarketMemo(msgspec.Struct, tag="make_market", gc=False):
    """When each side was last quoted, in market time."""

    bought_at_ns: int = 0
    sold_at_ns: int = 0
    left: bool = False


class MomentumMemo(msgspec.Struct, tag="momentum", gc=False):
    """`samples` are the last prices seen, oldest first; `target` the position wanted."""

    samples: list[int] = []
    next_sample_ns: int = 0
    target: int = 0
    left: bool = False


Memo = (
    TwapMemo
    | ParticipateMemo
    | IcebergMemo
    | StopMemo
    | BracketMemo
    | MakeMarketMemo
    | MomentumMemo
)
