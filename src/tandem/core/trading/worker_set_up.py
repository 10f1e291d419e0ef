"""What a worker was told before it may trade: strategies, instruments, venues, limits."""

from hashlib import sha256

import msgspec

from tandem.core.trading.bundle_parts import BundleParts
from tandem.domain.bundle import Bundle
from tandem.domain.desk import VenueSettings
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.link import BundlePart


class WorkerSetUp:
    """The bundle, as it comes and when it is whole; `bundle_hash` is of its bytes, in hex."""

    def __init__(self) -> None:
        self.parts = BundleParts()
        self.bundle: Bundle | None = None
        self.bundle_hash: str | None = None
        self.is_garbled = False

    def take(self, part: BundlePart) -> bool:
        """Return whether a whole bundle has come; one that says nothing leaves the earlier one."""
        content = self.parts.take(part)
        if content is None:
            return False
        self.is_garbled = False
        try:
            self.bundle = msgspec.msgpack.decode(content, type=Bundle)
        except (msgspec.DecodeError, ConfigurationError):
            self.is_garbled = True
        self.bundle_hash = sha256(content).hexdigest()
        return True

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What the bundle lists; nothing before there is one."""
        return self.bundle.instruments if self.bundle is not None else ()

    def skew_ns(self, venue_id: VenueId | None) -> int:
        """Return the bound of our error about that venue's clock; 0 for one that is not known."""
        venue = self._venue(venue_id)
        return venue.skew_ns if venue is not None else 0

    def read_lag_ns(self, venue_id: VenueId | None) -> int:
        """Return how late that venue's answers may be; 0 for one that is not known."""
        venue = self._venue(venue_id)
        return venue.read_lag_ns if venue is not None else 0

    def _venue(self, venue_id: VenueId | None) -> VenueSettings | None:
        venues = self.bundle.venues if self.bundle is not None else ()
        return next((one for one in venues if one.venue_id == venue_id), None)
