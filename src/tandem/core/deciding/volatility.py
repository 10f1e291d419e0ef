"""How much a price has moved of late, scaled to a day."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Final

from tandem.domain.bars import Span

_DAY_NS: Final = Span.D1.ns
_PPM: Final = 1_000_000


def volatility_ppm(closes: Sequence[int], bars: int, span: Span) -> int | None:
    """Return the standard deviation of the last `bars` returns, scaled by the root of time.

    In millionths; None with fewer returns than that, or when nothing moved.
    """
    last = closes[-(bars + 1) :]
    if bars < 2 or len(last) <= bars:
        return None
    with localcontext() as context:
        context.prec = 28
        returns = [Decimal(after) / Decimal(before) - 1 for before, after in pairwise(last)]
        mean = sum(returns, Decimal(0)) / bars
        variance = sum(((one - mean) ** 2 for one in returns), Decimal(0)) / (bars - 1)
        scaled = (variance * _DAY_NS / span.ns).sqrt() * _PPM
    return int(scaled) or None
