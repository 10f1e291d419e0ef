"""How a user names recorded data: a path, and what its file does not say behind a `?`.

`prices.csv.gz?symbol=BTCUSD&span=1m&time=Date` names the symbol, the length of a bar, and the
column in which the time stands.
"""

from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import DAY_NS, MS

_UNITS: Final = {"s": 1_000 * MS, "m": 60_000 * MS, "h": 3_600_000 * MS, "d": DAY_NS}
SPAN_MAX: Final = 31 * DAY_NS
_DIGITS_MAX: Final = 9


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A path, and what was said of it."""

    path: Path
    options: dict[str, str]

    def chosen(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of `allowed`; the first one when nothing is said.

        Raises:
            MarketFileError: something else is said.
        """
        value = self.options.get(name, allowed[0])
        if value not in allowed:
            raise MarketFileError(
                f"{self.path}: {name}={value!r}, expected one of {', '.join(allowed)}"
            )
        return value

    @property
    def span_ns(self) -> int | None:
        """How long a bar is; None when nothing is said.

        Raises:
            MarketFileError: it is no length of time.
        """
        text = self.options.get("span")
        return None if text is None else span_of(text, self.path)


def source_of(text: str, known: frozenset[str]) -> Source:
    """Return what `text` names; `known` are the options that exist.

    Raises:
        MarketFileError: an option is unknown, said twice or has no value.
    """
    place, _, rest = text.partition("?")
    options: dict[str, str] = {}
    for part in rest.split("&") if rest else ():
        name, _, value = part.partition("=")
        if name not in known or not value or name in options:
            raise MarketFileError(
                f"{place}: {part!r} behind the '?', expected each of NAME=VALUE once, "
                f"with a name of {', '.join(sorted(known))}"
            )
        options[name] = value
    return Source(path=Path(place), options=options)


def span_of(text: str, path: Path) -> int:
    """Return what `15m`, `1h`, `30s` or `1d` means, in nanoseconds.

    Raises:
        MarketFileError: it is none of them.
    """
    digits, unit = text[:-1], text[-1:].lower()
    if unit in _UNITS and digits.isdecimal() and digits.isascii() and len(digits) <= _DIGITS_MAX:
        span_ns = int(digits) * _UNITS[unit]
        if 0 < span_ns <= SPAN_MAX:
            return span_ns
    raise MarketFileError(f"{path}: span {text!r}, expected such as 1s, 15m, 1h or 1d, to 31d")
