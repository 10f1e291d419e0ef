"""What an indicator is: its name, what it looks at, its parameters, what it gives.

An indicator is defined once. Its two forms, one value a bar and whole arrays, and its page in the
documents all come from that definition.
"""

import enum
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

PERIOD_MAX: Final = 1_000
WARM_UP_MAX: Final = 2_000  # bars; a history is always at least so long
Scalar = int | float | str
Bound = tuple[Scalar, ...]  # one for each parameter, in their order, each within its bounds
Reading = float | tuple[float, ...]  # a number, or one for each output; NaN: not yet, or undefined


class Input(enum.StrEnum):
    """A column of the bars. `TIME` is when a bar began, in whole seconds since 1970 UTC."""

    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VOLUME = "volume"
    TIME = "time"


class Kind(enum.StrEnum):
    """What a parameter may be."""

    WHOLE = "a whole number"
    NUMBER = "a number"
    AVERAGE = "a kind of average"


# The numbers of TA-Lib's MA_Type, which is how an average is chosen there.
AVERAGES: Final[dict[str, int]] = {
    "sma": 0,
    "ema": 1,
    "wma": 2,
    "dema": 3,
    "tema": 4,
    "trima": 5,
    "kama": 6,
    "mama": 7,
    "t3": 8,
    "hma": 9,
    "zlema": 12,
    "rma": 13,
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter. `least` and `most` bound a number and belong to the bounds."""

    name: str
    kind: Kind
    default: Scalar
    least: float = 1
    most: float = PERIOD_MAX


class Memory(enum.Enum):
    """How long an old bar counts."""

    WINDOW = "window"  # only the last bars count, as many as it needs to be warm
    FADING = "fading"  # older bars count less and less
    ENDLESS = "endless"  # every bar since the first counts


class Seed(msgspec.Struct, frozen=True):
    """What an indicator begins with, and how long that stays to be seen."""

    memory: Memory
    text: str


class Running(Protocol):
    """An indicator at work: fed one final bar after the other.

    `update` takes the inputs of a bar in the order of `Indicator.inputs` and returns what
    `value` is from then on.
    """

    @property
    def value(self) -> Reading:
        """What it says of the last bar."""
        ...

    @property
    def update(self) -> Callable[..., Reading]:
        """Takes a bar in and returns what it says of it."""
        ...


class Own(msgspec.Struct, frozen=True):
    """How an indicator is made that TA-Lib does not compute: both take the bound parameters."""

    make: Callable[..., Running]
    bars: Callable[..., int]  # how many it needs for its first value


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """A definition. Without `own` it is the TA-Lib function of the same name, in capitals.

    `also` are other names for it. `inputs`, `parameters` and `outputs` are in the order in which
    they are given and returned.
    """

    name: str
    doc: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...] = ("value",)
    parameters: tuple[Parameter, ...] = ()
    seed: Seed
    also: tuple[str, ...] = ()
    own: Own | None = None


OPEN_TO_CLOSE: Final = (Input.OPEN, Input.HIGH, Input.LOW, Input.CLOSE)
HIGH_LOW: Final = (Input.HIGH, Input.LOW)
HIGH_LOW_CLOSE: Final = (Input.HIGH, Input.LOW, Input.CLOSE)
CLOSE: Final = (Input.CLOSE,)
CLOSE_VOLUME: Final = (Input.CLOSE, Input.VOLUME)
HIGH_TO_VOLUME: Final = (Input.HIGH, Input.LOW, Input.CLOSE, Input.VOLUME)

WINDOW: Final = Seed(Memory.WINDOW, "none; only the bars of its window count")
MEAN: Final = Seed(Memory.FADING, "the simple mean of the first `period` values; it fades")
MEANS: Final = Seed(Memory.FADING, "each average begins with the simple mean of its first values")
WILDER: Final = Seed(
    Memory.FADING, "the first `period` values, then each bar moves it by 1/`period`; it fades"
)
FIRST_VALUE: Final = Seed(Memory.FADING, "the first values of the history; they fade")
TOTAL: Final = Seed(Memory.ENDLESS, "counts from the first bar of the history, for ever")
TREND: Final = Seed(Memory.FADING, "the trend of the first bars; forgotten when it has turned")
SESSION: Final = Seed(Memory.FADING, "the first bar of the session; forgotten at the next")
CHOSEN: Final = Seed(Memory.FADING, "that of the kind of average it is given")


def whole(name: str, *, default: int, least: int = 1) -> Parameter:
    """Return a parameter that counts bars."""
    return Parameter(name=name, kind=Kind.WHOLE, default=default, least=least)


def period(default: int, *, least: int = 1) -> Parameter:
    """Return the parameter that most have."""
    return whole("period", default=default, least=least)


def number(name: str, *, default: float, least: float = 0.0, most: float = 100.0) -> Parameter:
    """Return a parameter that need not be whole."""
    return Parameter(name=name, kind=Kind.NUMBER, default=default, least=least, most=most)


def average(name: str, *, default: str = "sma") -> Parameter:
    """Return a parameter that chooses one of `AVERAGES`."""
    return Parameter(name=name, kind=Kind.AVERAGE, default=default)
