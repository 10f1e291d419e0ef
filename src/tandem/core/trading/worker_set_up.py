"""What a worker was told before it may trade: strategies, instruments, venues, limits."""

from hashlib import sha256

import msgspec

from tandem.core.trading.bundle_parts import BundleParts
from tandem.core.trading.risk import TradingState
from tandem.domain.bundle import Bundle
from tandem.domain.desk import VenueSettings
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits, changed
from tandem.domain.link import BundlePart, Limit, Limited


class WorkerSetUp:
    """The bundle, as it comes and when it is whole; `bundle_hash` is of its bytes, in hex."""

    def __init__(self) -> None:
        self.parts = BundleParts()
        self.bundle: Bundle | None = None
        self.bundle_hash: str | None = None
        self.is_garbled = False
        self._limit: Limit | None = None
        self._limits: Limits | None = None

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
        self._limits = None
        return True

    @property
    def limits(self) -> Limits:
        """What the gate judges by: the bundle's limits, and what a person set since."""
        if self._limits is None:
            assert self.bundle is not None, "nothing is judged without a bundle"
            limit = self._limit
            self._limits = self.bundle.limits
            if limit is not None:
                self._limits = changed(self.bundle.limits, limit.changes)
        return self._limits

    def limit(self, told: Limit) -> Limited:
        """Take the account's limits, unless newer ones have come; return the confirmation."""
        if self._limit is None or told.number >= self._limit.number:
            self._limit, self._limits = told, None
        limit = self._limit
        return Limited(
            account_id=limit.account_id, account_epoch=limit.account_epoch, number=limit.number
        )

    @property
    def state(self) -> TradingState:
        """What the gate lets through at all."""
        reduces = self._limit is not None and self._limit.reduces
        return TradingState.REDUCING if reduces else TradingState.ACTIVE

    def forget_limit(self) -> None:
        """Another account comes, with limits of its own."""
        self._limit = self._limits = None

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
