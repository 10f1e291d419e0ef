"""The clocks of one worker: its own, its venue's and the coordinator's."""

from tandem.core.trading.heartbeats import Heartbeats
from tandem.core.trading.time_reading import TimeReading
from tandem.domain.ids import VenueId
from tandem.domain.link import ClockRead


class Clocks:
    """What this worker knows of other clocks, as differences from its CLOCK_BOOTTIME.

    A worker on the coordinator's computer shares its clock; any other learns it by heartbeats.
    """

    def __init__(self, *, shares_clock: bool) -> None:
        self._shares_clock = shares_clock
        self.beats = Heartbeats()
        self.venue = TimeReading()

    @property
    def coordinator_offset_ns(self) -> int | None:
        """The coordinator's clock minus ours; None while it is not known."""
        return 0 if self._shares_clock else self.beats.offset_ns

    def told_ns(self, here_ns: int | None) -> int | None:
        """Return a moment of our clock in the coordinator's; None when it is not known."""
        offset_ns = self.coordinator_offset_ns
        return None if here_ns is None or offset_ns is None else here_ns + offset_ns

    def reading(self, venue_id: VenueId, error_ns: int) -> ClockRead | None:
        """Return the venue's clock as the coordinator must see it.

        `error_ns` is by how much our own reading of it may be wrong.
        """
        here_ns, there_ns = self.venue.offset_ns, self.coordinator_offset_ns
        if here_ns is None or there_ns is None:
            return None
        return ClockRead(
            venue_id=venue_id,
            offset_ns=here_ns - there_ns,
            uncertainty_ns=error_ns + (0 if self._shares_clock else self.beats.error_ns),
        )
