"""What a feed of market data says, and what it is called that is wrong with it."""

import enum
from typing import NamedTuple

from tandem.domain.exchange import MarketEvent


class AssetClass(enum.StrEnum):
    """What kind of market a feed is of."""

    CRYPTO = "crypto"
    FOREX = "forex"
    EQUITY = "equity"


class FeedNews(NamedTuple):
    """One thing that a feed said.

    `at_ns` is when it was known, in market time; it never goes back within a feed. `told_ns` is
    the feed's own time of it, of the feed's own clock, or None where the feed tells none.
    `is_after_gap`: by the feed's own numbers something before it is missing.
    """

    at_ns: int
    told_ns: int | None
    event: MarketEvent
    is_after_gap: bool = False


class Fault(enum.StrEnum):
    """What makes one thing that a feed said unusable."""

    PRICE = "price"  # zero or below
    SIZE = "size"  # below zero, or none where there must be some
    CROSSED = "crossed"  # somebody buys higher than somebody sells
    LOCKED = "locked"  # at the same price
    SHAPE = "shape"  # a bar whose high or low does not hold its other prices
    FAR = "far"  # beyond the bound from the middle of the last prices
    BACKWARDS = "backwards"  # older than what the feed said before
    REPEATED = "repeated"  # the same as before, of the same time
