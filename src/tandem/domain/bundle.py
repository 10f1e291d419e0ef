"""What every worker and evaluator is given at set-up, and confirms by its hash."""

from typing import Final

import msgspec

from tandem.domain.desk import VenueSettings
from tandem.domain.errors import ConfigurationError, FrameError
from tandem.domain.evaluation import Task
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits
from tandem.domain.value import Value


class Strategy(Value, frozen=True, kw_only=True):
    """A strategy's text under its number and name."""

    number: int
    name: str
    text: str


class Bundle(Value, frozen=True, kw_only=True):
    """Strategies, catalogue and limits; encoded with msgpack it is what is hashed."""

    strategies: tuple[Strategy, ...]
    instruments: tuple[Instrument, ...]
    venues: tuple[VenueSettings, ...]
    limits: Limits


class Holdings(Value, frozen=True, kw_only=True):
    """What a new evaluator is given to hold: tasks that evaluate nothing (`only_holds`)."""

    tasks: tuple[Task, ...] = ()


_HOLDINGS: Final = msgspec.msgpack.Decoder(Holdings)


def holdings_of(content: bytes) -> Holdings:
    """Return what was sent.

    Raises:
        FrameError: the bytes are no holdings.
    """
    try:
        return _HOLDINGS.decode(content)
    except (msgspec.MsgspecError, ConfigurationError) as error:
        raise FrameError(f"not what an evaluator holds: {error}") from error
