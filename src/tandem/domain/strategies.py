"""User strategies: their texts, what they are assigned to, what they answer, what is decided."""

import enum
from hashlib import sha256
from typing import Final, NewType

import msgspec

from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.value import Value

AssignmentId = NewType("AssignmentId", str)
TextHash = NewType("TextHash", str)  # SHA-256 of language and text, in hex

FULL_PPM: Final = 1_000_000  # a position of 1
TEXT_BYTES_MAX: Final = 65_536
STATE_BYTES_MAX: Final = 32_768
Scalar = bool | int | float | str
Parameters = dict[str, Scalar]


class Language(enum.StrEnum):
    """What a strategy is written in."""

    LUA = "lua"
    PYTHON = "python"


class StrategyText(Value, frozen=True, kw_only=True):
    """A strategy as its user wrote it.

    Raises:
        ConfigurationError: it has no name, or is too long.
    """

    name: str
    language: Language
    text: str

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 60:
            raise ConfigurationError("strategy: expected a name of 1 to 60 characters")
        if len(self.text.encode()) > TEXT_BYTES_MAX:
            raise ConfigurationError(f"strategy: expected at most {TEXT_BYTES_MAX} bytes")

    @property
    def text_hash(self) -> TextHash:
        """What it is known by; its name does not count."""
        return TextHash(sha256(f"{self.language}\n{self.text}".encode()).hexdigest())


class Fixed(Value, frozen=True, kw_only=True, tag="fixed"):
    """A full position is this many lots on each account."""

    quantity: Lots


class PercentOfEquity(Value, frozen=True, kw_only=True, tag="percent_of_equity"):
    """A full position is worth this share of the account's equity in the quote currency."""

    ppm: int


class VolatilityTarget(Value, frozen=True, kw_only=True, tag="volatility_target"):
    """A full position is worth so much that it is expected to vary by `ppm_per_day` of equity.

    Volatility is the standard deviation of the returns of the last `bars` bars, scaled to a day.
    """

    ppm_per_day: int
    bars: int = 100


Sizing = Fixed | PercentOfEquity | VolatilityTarget


class Assignment(Value, frozen=True, kw_only=True):
    """A strategy on an instrument and a time-scale, for the accounts in `slots` (none: all).

    `others` are symbols that it may look at besides. With `may_short` "short" is a negative
    position, on margin accounts; without, it holds the quote currency. A decision that is not
    carried out `good_for_ns` of market time after its bar's end (None: as long as its bars last)
    is dropped.
    """

    assignment_id: AssignmentId
    text_hash: TextHash
    name: str  # of the strategy; what it trades is counted under it
    symbol: str
    span: Span
    slots: tuple[SlotId, ...] = ()
    sizing: Sizing
    parameters: Parameters = msgspec.field(default_factory=dict)
    others: tuple[str, ...] = ()
    may_short: bool = False
    good_for_ns: int | None = None
    flat_by_ns: int | None = None  # after midnight UTC; flat from then until the day ends

    def good_until_ns(self, end_ns: int) -> int:
        """Return until when a decision on the bar that ends then may be carried out."""
        return end_ns + (self.span.ns if self.good_for_ns is None else self.good_for_ns)

    def is_flat_at(self, market_ns: int) -> bool:
        """Whether it is to be flat then: from its time until the day (UTC) ends."""
        return self.flat_by_ns is not None and market_ns % Span.D1.ns >= self.flat_by_ns


class WantedOrder(Value, frozen=True, kw_only=True):
    """One order that an advanced strategy wants, placed once, for each account."""

    side: Side
    quantity: Lots
    limit_price: Ticks | None = None
    stop_price: Ticks | None = None
    target_price: Ticks | None = None


class Answer(Value, frozen=True, kw_only=True):
    """What a strategy said of one bar.

    `position_ppm` is the wanted position in millionths of a full one, -FULL_PPM to FULL_PPM; None
    keeps what was wanted before (it is warming up, or returned nothing). `stop_price` and
    `target_price` are where that position is given up, by the desk, until the next answer that
    has a position. `state` is what it remembers, as JSON. `error` says, with its line, why it was
    suspended; then all else is empty.
    """

    position_ppm: int | None = None
    stop_price: Ticks | None = None
    target_price: Ticks | None = None
    orders: tuple[WantedOrder, ...] = ()
    state: str = "{}"
    error: str | None = None


class Decision(Value, frozen=True, kw_only=True):
    """What was decided for one assignment on one bar: exactly one for each.

    `inputs_hash` is over everything that the strategy was given, so that the same inputs can be
    evaluated again and compared.
    """

    assignment_id: AssignmentId
    begin_ns: int  # of the bar
    end_ns: int
    answer: Answer
    inputs_hash: str


class Target(Value, frozen=True, kw_only=True):
    """What one decision asks of the desk; everything is in market time.

    `position_ppm`, `stop_price`, `target_price` and `orders` are those of the answer. `number` is
    that of the assignment when it was decided (`AssignmentView.number`): when it has been given
    anew since, the decision is of before and counts no more. `volatility_ppm` is the standard
    deviation of the bars' returns scaled to a day, for a `VolatilityTarget`. `is_again`: the
    desk took this position before and gave it up, and nothing else was answered since, nor orders.
    `is_after_orders`: orders alone were answered since, and then the same position: it is another
    wish if any of them was placed, and else the same, `is_again`.
    """

    assignment_id: AssignmentId
    number: int
    begin_ns: int  # of the bar
    end_ns: int
    position_ppm: int | None = None
    stop_price: Ticks | None = None
    target_price: Ticks | None = None
    orders: tuple[WantedOrder, ...] = ()
    volatility_ppm: int | None = None
    is_again: bool = False
    is_after_orders: bool = False


class DroppedTarget(Value, frozen=True, kw_only=True):
    """A decision that the desk does not carry out, or no longer; `why` is for a person.

    `number` and `end_ns` are those of its `Target`. `is_expired`: its time was over, so what a
    newer bar decided may take its place at once.
    """

    assignment_id: AssignmentId
    number: int
    end_ns: int
    why: str
    is_expired: bool = False
