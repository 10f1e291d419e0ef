"""What a worker wants done."""

from tandem.domain.ids import VenueId
from tandem.domain.link import WorkerMessage
from tandem.domain.value import Value
from tandem.domain.venue import VenueRequest


class Say(Value, frozen=True, kw_only=True, tag="say"):
    """Send this to the coordinator, on the present connection."""

    message: WorkerMessage


class ToVenue(Value, frozen=True, kw_only=True, tag="to_venue"):
    """Send this on the session with that venue."""

    venue_id: VenueId
    request: VenueRequest


class Hangup(Value, frozen=True, kw_only=True, tag="hangup"):
    """End the session with that venue and open a new transport: another account comes."""

    venue_id: VenueId


WorkerEffect = Say | ToVenue | Hangup
