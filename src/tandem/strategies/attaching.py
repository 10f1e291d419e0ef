"""What an engine and the machines of its languages say to each other."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tandem.domain.strategies import Answer, Parameters
from tandem.strategies.places import Values
from tandem.strategies.series import Handle
from tandem.strategies.ta.definition import Scalar as Given

Said = list[tuple[int, Answer]]
Logged = list[tuple[int, str]]


class Sources(NamedTuple):
    """What a machine asks its engine, with the number of the series that is evaluated."""

    find: Callable[[int, str, tuple[Given, ...], Mapping[str, Given]], Handle]
    track: Callable[[int, int], Values]


class Attachment(NamedTuple):
    """A strategy on a series, as a machine takes it."""

    number: int
    program: int
    parameters: Parameters
    state: str
    position_ppm: int
    others: Mapping[str, int]  # symbol to number of a series
    may_short: bool
