"""What a strategy remembers between bars: a few names with numbers, booleans and short texts."""

from collections.abc import Iterator, Mapping, MutableMapping
from math import isfinite
from typing import Final

import msgspec

from tandem.domain.strategies import STATE_BYTES_MAX, Scalar
from tandem.strategies.errors import StrategyError

NAMES_MAX: Final = 64
NAME_BYTES_MAX: Final = 64
TEXT_BYTES_MAX: Final = 256
WHOLE_MAX: Final = 2**53  # beyond, a float is not every whole number
_STATE: Final = msgspec.json.Decoder(dict[str, Scalar])


def state_of(text: str) -> dict[str, Scalar]:
    """Return what a strategy remembers.

    Raises:
        StrategyError: the text is no state.
    """
    try:
        return _STATE.decode(text)
    except msgspec.MsgspecError as error:
        raise StrategyError(None, f"state: {error}") from error


def state_text(state: Mapping[str, Scalar]) -> str:
    """Return what a strategy remembers as text; equal states have equal text.

    Raises:
        StrategyError: it is too much.
    """
    text = msgspec.json.encode(dict(sorted(state.items())))
    if len(text) > STATE_BYTES_MAX:
        raise StrategyError(None, f"state: {len(text)} bytes, expected at most {STATE_BYTES_MAX}")
    return text.decode()


class State(MutableMapping[str, Scalar]):
    """What a strategy in Python remembers; lua/environment.lua has the same rules.

    A name can be written as an attribute too; one that is not there is None, and None forgets it.
    """

    __slots__ = ("_kept", "is_changed")
    _kept: dict[str, Scalar]
    is_changed: bool

    def __init__(self, kept: dict[str, Scalar]) -> None:
        """Begin with what was remembered."""
        object.__setattr__(self, "_kept", kept)
        object.__setattr__(self, "is_changed", False)

    def __getitem__(self, name: str) -> Scalar:
        return self._kept[name]

    def __setitem__(self, name: str, value: Scalar | None) -> None:
        if value is None:
            self.pop(name, None)
            return
        _check(name, value, known=self._kept)
        if isinstance(value, float) and value == 0:
            value = 0.0  # not minus zero
        if name not in self._kept or repr(self._kept[name]) != repr(value):
            self._kept[name] = value
            object.__setattr__(self, "is_changed", True)

    def __delitem__(self, name: str) -> None:
        del self._kept[name]
        object.__setattr__(self, "is_changed", True)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def __getattr__(self, name: str) -> Scalar | None:
        return self._kept.get(name)

    def __setattr__(self, name: str, value: Scalar | None) -> None:
        self[name] = value


def _check(name: object, value: object, *, known: Mapping[str, Scalar]) -> None:
    if not isinstance(name, str) or len(name.encode(errors="replace")) > NAME_BYTES_MAX:
        raise StrategyError(None, "state: expected a short name")
    if isinstance(value, bool):
        is_fit = True
    elif isinstance(value, int):
        is_fit = -WHOLE_MAX <= value <= WHOLE_MAX
    elif isinstance(value, float):
        is_fit = isfinite(value)
    else:
        is_fit = isinstance(value, str) and len(value.encode(errors="replace")) <= TEXT_BYTES_MAX
    if not is_fit:
        raise StrategyError(
            None, f"state.{name}: expected a finite number, a boolean or a short string"
        )
    if name not in known and len(known) >= NAMES_MAX:
        raise StrategyError(None, f"state: at most {NAMES_MAX} names")
