"""What a strategy gives to the names that it knows, and returns, as far as a text shows it."""

from collections.abc import Mapping, Sequence
from typing import Final

from tandem.strategies.answers import EXPECTED, WORDS, shown
from tandem.strategies.names import BARS, Argument
from tandem.strategies.series import TRACK

INDICATOR: Final = "an indicator"  # one that was asked for, when it is called
_Count = tuple[int, int | None]  # the fewest and the most values; None: any number
_LOOKING_BACK: Final = frozenset({INDICATOR, *BARS})
KNOWN: Final[Mapping[str, _Count]] = {
    **dict.fromkeys(_LOOKING_BACK, (0, 1)),
    "instrument": (1, 1),
    "log": (1, None),
}
_OF_ONE: Final = (
    *("type", "pairs", "ipairs", "tostring", "math.abs", "math.ceil", "math.floor", "math.sqrt"),
    *("math.exp", "math.log", "math.log10", "math.modf", "math.sin", "math.cos", "math.tan"),
    *("math.asin", "math.acos", "math.atan", "string.len", "string.upper", "string.lower"),
)
LUA: Final[Mapping[str, _Count]] = {
    **KNOWN,
    **dict.fromkeys(_OF_ONE, (1, 1)),
    **dict.fromkeys(("math.fmod", "math.pow", "math.atan2", "string.rep"), (2, 2)),
    **dict.fromkeys(("tonumber", "error", "string.byte", "table.remove"), (1, 2)),
    **dict.fromkeys(("table.concat", "table.sort"), (1, 2)),
    **dict.fromkeys(("select", "assert", "math.max", "math.min", "string.format"), (1, None)),
    **dict.fromkeys(("string.sub", "table.insert"), (2, 3)),
    "math.random": (0, 2),
    "table.unpack": (1, 3),
}


def counted(
    name: str, given: Sequence[Argument], known: Mapping[str, _Count], *, is_open: bool = False
) -> str | None:
    """Return what is wrong with a call of a known name, if anything is.

    `is_open`: the last of what is given may be any number of values.
    """
    fewest, most = known.get(name, (0, None))
    least = len(given) - is_open
    if (most is not None and least > most) or (least < fewest and not is_open):
        values = "1 value" if least == 1 else f"{least} values"
        return f"{name}: {values} given, expected {_range(fewest, most)}"
    back = given[0] if given and name in _LOOKING_BACK else None
    if back is None or (isinstance(back, int | float) and _is_back(back)):
        return None
    return f"{name}: expected bars back, a whole number from 0 to {TRACK - 1}, got {shown(back)}"


def _is_back(back: float) -> bool:
    return 0 <= back < TRACK and back == int(back)


def _range(fewest: int, most: int | None) -> str:
    if most is None:
        return f"at least {fewest}"
    if fewest == most:
        return str(most)
    return f"{fewest} {'or' if most == fewest + 1 else 'to'} {most}"


def returned(value: Argument) -> str | None:
    """Return what is wrong with a returned value that stands in the text; None is not known."""
    if value is None or (isinstance(value, str) and value in WORDS):
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and -1 <= value <= 1:  # type: ignore[operator]
        return None
    return EXPECTED + shown(value)


def uncalled(name: str, *, call: str) -> str:
    """Return what is wrong with an indicator that is counted with, and how its value is read."""
    return f"'{name}' is an indicator, not its value; write '{call}'"
