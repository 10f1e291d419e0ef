from decimal import Decimal

import msgspec
import pytest

from tandem.core.matching import listing
from tandem.domain.errors import ConfigurationError
from tandem.domain.exchange import (
    AccountSettings,
    DepthShown,
    ExchangeEvent,
    MarketEvents,
    Restarted,
)
from tandem.domain.ids import AccountId, InstrumentId, Lots, Ticks
from tandem.domain.limits import Session

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


def test_sessions_must_be_in_order_and_may_touch() -> None:
    plain = listing.settings()
    touching = (Session(begin_ns=0, end_ns=5), Session(begin_ns=5, end_ns=9))
    assert msgspec.structs.replace(plain, sessions=touching).sessions == touching
    with pytest.raises(ConfigurationError, match="sessions: 4 begins before 5"):
        msgspec.structs.replace(plain, sessions=(touching[0], Session(begin_ns=4, end_ns=9)))
