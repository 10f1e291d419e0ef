"""A worker's clocks: what it tells the coordinator is in the coordinator's own time."""

from tandem.core.trading.clocks import Clocks
from tandem.domain.ids import VenueId

X = VenueId("x")


def read_venue(clocks: Clocks, venue_at_ns: int) -> None:
    query_id = clocks.venue.ask(1_000)
    clocks.venue.read(query_id, venue_at_ns=venue_at_ns, now_ns=1_200, error_ns_max=500)


def test_on_the_coordinators_computer_its_clock_is_ours() -> None:
    clocks = Clocks(shares_clock=True)
    assert clocks.reading(X, 7) is None
    read_venue(clocks, 5_100)
    reading = clocks.reading(X, 7)
    assert reading is not None
    assert (reading.offset_ns, reading.uncertainty_ns) == (4_000, 7)
    assert clocks.told_ns(3) == 3
    assert clocks.told_ns(None) is None


def test_elsewhere_nothing_is_told_before_the_coordinators_clock_is_known() -> None:
    clocks = Clocks(shares_clock=False)
    read_venue(clocks, 5_100)
    assert clocks.reading(X, 7) is None
    assert clocks.told_ns(3) is None
    number = clocks.beats.send(2_000)
    clocks.beats.acknowledged(number, heard_at_ns=92_050, now_ns=2_100)
    reading = clocks.reading(X, 7)
    assert reading is not None
    assert (reading.offset_ns, reading.uncertainty_ns) == (4_000 - 90_000, 57)
    assert clocks.told_ns(3) == 90_003
