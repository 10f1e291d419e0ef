from decimal import Decimal

import msgspec

from tandem.domain.exchange import (
    AccountSettings,
    DepthShown,
    ExchangeEvent,
    MarketEvents,
    Restarted,
)
from tandem.domain.ids import AccountId, InstrumentId, Lots, Ticks

WORD = "open sesame"


def test_a_secret_is_never_printed() -> None:
    account = AccountSettings(
        account_id=AccountId("A1"),
        secret=WORD,
        owner="ann",
        cash={"USD": Decimal(1)},
        positions={},
    )
    for text in (repr(account), str(account), f"{(account,)}"):
        assert "sesame" not in text
        assert "A1" in text


def test_events_survive_the_wire_as_what_they_are() -> None:
    depth = DepthShown(
        instrument_id=InstrumentId("x"), bids=((Ticks(1), Lots(2)),), asks=(), is_whole=True
    )
    for event in (Restarted(), MarketEvents(events=(depth,))):
        data = msgspec.msgpack.encode(event)
        assert msgspec.msgpack.decode(data, type=ExchangeEvent) == event
