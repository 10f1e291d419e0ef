"""What every worker is given at set-up, and confirms by its hash."""

from tandem.domain.desk import VenueSettings
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
