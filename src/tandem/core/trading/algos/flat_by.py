"""When an algorithm begins to become flat, so that it is so by the moment that its spec names.

What it holds is given back at the market, so it begins a little earlier: a tenth of the time that
there was, 30 seconds at the most. Until the moment it tries again and again, then a few times more.
"""

from typing import Final

from tandem.domain.algos import AlgoSpec, MakeMarket, Momentum

LEAD_NS_MAX: Final = 30_000_000_000  # of market time
_DAYS_MAX_NS: Final = 366 * 86_400 * 1_000_000_000


def objection(spec: AlgoSpec, market_ns: int) -> str | None:
    """Return why it cannot be flat by then, or None."""
    flat_by_ns = spec.flat_by_ns
    if flat_by_ns is None or market_ns < flat_by_ns <= market_ns + _DAYS_MAX_NS:
        return None
    return f"flat by {flat_by_ns} is not within a year of now, {market_ns}"


def begins_ns(spec: AlgoSpec, began_market_ns: int) -> int | None:
    """Return the market time at which an algorithm that began then begins to become flat."""
    if spec.flat_by_ns is None:
        return None
    return spec.flat_by_ns - lead_ns(spec.flat_by_ns - began_market_ns)


def lead_ns(span_ns: int) -> int:
    """Return how much of a span of market time is kept for becoming flat."""
    return min(LEAD_NS_MAX, span_ns // 10)


def goes_on(spec: AlgoSpec, market_ns: int) -> bool:
    """Whether there is time left to become flat."""
    return spec.flat_by_ns is not None and market_ns < spec.flat_by_ns


def gives_back(spec: AlgoSpec) -> bool:
    """Whether it gives back what it holds; what only reduces a position would only grow it."""
    return isinstance(spec, MakeMarket | Momentum) or not spec.reduce_only
