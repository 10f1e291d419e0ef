"""What `tandem orders` prints."""

import io
import json

from tandem.cli.main import OK
from tandem.cli.orders import show_refusals
from tandem.core.trading.showing import show
from tandem.domain.control import AskRefusals
from tandem.domain.ids import AccountId, ClientOrderId
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade
from tandem.domain.views import PreventionView, VenueFlagView
from tests.unit.core.trading.desk_driver import Floor


def view() -> PreventionView:
    floor = Floor().open()
    floor.sell(5, 1_003, slots=("s2",))
    floor.at("s1").not_ready()
    floor.sell(5, 1_001, slots=("s1",), strategy="long")
    floor.buy(3, 1_002, slots=("s1",), strategy="short", self_trade=SelfTrade.NET_INTERNALLY)
    floor.place(Side.BUY, 4, None, slots=("s3",))
    shown = show(floor.desk, AskRefusals(number=1), records=0)
    assert isinstance(shown, PreventionView)
    return shown


def test_refusals_are_told_with_what_they_would_have_met_and_what_was_netted() -> None:
    """C1."""
    out = io.StringIO()
    assert show_refusals(view(), out, as_json=False) == OK
    text = out.getvalue()
    assert "buy 4 T at the market  reject_new  d-2-1-1" in text
    assert "long" in text
    assert "30.03" in text


def test_refusals_are_told_in_json_as_well() -> None:
    out = io.StringIO()
    assert show_refusals(view(), out, as_json=True) == OK
    told = json.loads(out.getvalue())
    assert [one["met_parent"] for one in told["refusals"]] == ["d-2"]
    assert told["nettings"][0]["buyer"] == "d-3"


def test_what_the_exchange_stopped_by_its_own_rule_is_told() -> None:
    """C1: the second line."""
    flag = VenueFlagView(
        market_ns=0,
        client_order_id=ClientOrderId("d-1-1-1"),
        account_id=AccountId("A1"),
        symbol="T",
        side=Side.BUY,
        quantity="5",
        limit_price="10.00",
        what="ended",
    )
    out = io.StringIO()
    shown = PreventionView(refusals=(), nettings=(), internal=(), flags=(flag,))
    assert show_refusals(shown, out, as_json=False) == OK
    assert "d-1-1-1  A1       buy 5 T at 10.00  ended" in out.getvalue()
