"""Iceberg: rests at its limit price, and shows a piece of itself at a time.

Why no more than `visible` is ever shown: a piece is at most that large, and the next one is placed
only when the one before is done, that is when every request of it, on every account, has ended by
its venue's final word. A piece that is canceled, moved to another account or not known about is
not done.
"""

from tandem.core.trading.algos.memos import IcebergMemo
from tandem.core.trading.algos.sight import Sight, Slice, Step
from tandem.core.trading.splitting import number_from
from tandem.domain.algos import Iceberg

JITTER_MAX = 90


def objection(spec: Iceberg) -> str | None:
    """Return why this cannot be, or None."""
    if spec.limit_price is None:
        return "an iceberg rests in the book: it needs a limit price"
    if not 1 <= spec.visible <= spec.quantity:
        return f"visible quantity {spec.visible} is not within 1 to {spec.quantity}"
    if not 0 <= spec.jitter_percent <= JITTER_MAX:
        return f"jitter of {spec.jitter_percent} per cent is not within 0 to {JITTER_MAX}"
    return None


def step(spec: Iceberg, memo: IcebergMemo, sight: Sight) -> Step:
    """Show the next piece when nothing is out."""
    left = spec.quantity - sight.traded(spec.side)
    if sight.is_ending or left <= 0:
        return Step(is_over=True)
    if sight.parts:
        return Step()
    piece = Slice(
        role="piece",
        side=spec.side,
        quantity=min(left, _piece(spec, memo, sight)),
        limit_price=spec.limit_price,
    )
    return Step(place=(piece,))


def _piece(spec: Iceberg, memo: IcebergMemo, sight: Sight) -> int:
    """Return how large the next piece is; what has traded decides, so asking again is the same."""
    most = spec.visible * spec.jitter_percent // 100
    less = abs(number_from(memo.seed, at=sight.traded(spec.side), most=most))
    return max(1, spec.visible - less)
