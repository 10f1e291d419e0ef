"""What the market core is told, and how it is set up."""

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId
from tandem.domain.market_words import Listing, MarketSettings, Source, SourceId

COIN = InstrumentId("paper:BTCUSD")
VENUE = Source(source_id=SourceId("venue"))


@pytest.mark.parametrize("sources", [(), (VENUE, VENUE)])
def test_a_listing_has_one_or_more_sources_each_once(sources: tuple[Source, ...]) -> None:
    assert Listing(instrument_id=COIN, sources=(VENUE,)).sources == (VENUE,)
    with pytest.raises(ConfigurationError, match="paper:BTCUSD: expected one or more sources"):
        Listing(instrument_id=COIN, sources=sources)


@pytest.mark.parametrize(("grace_ns", "wait_ns"), [(-1, 0), (0, -1)])
def test_nobody_waits_for_less_than_nothing(grace_ns: int, wait_ns: int) -> None:
    assert MarketSettings(grace_ns=0, wait_ns=0).wait_ns == 0
    with pytest.raises(ConfigurationError, match="grace_ns and wait_ns"):
        MarketSettings(grace_ns=grace_ns, wait_ns=wait_ns)
