"""Somebody else trades an account of a real pool, and a venue's stream that drops fills."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.commands import PlaceParent, Taken
from tandem.domain.ids import Lots, SlotId
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.domain.venue import LoggedIn, Login, Misbehave, Misbehavior, VenueMessage
from tandem.domain.views import ExternalView
from tandem.shells.link import Link
from tandem.wiring.asking import desk_line
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command
from tandem.wiring.settings import Settings, take_paper
from tests.system.running import pool, tandem, wait_for

RECONCILE_NS = 300_000_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pool that looks often, at an exchange that lies when it is told to."""
    folder = tmp_path_factory.mktemp("outside") / "home"
    home = Home(folder)
    home.make()
    home.settings_file.write_text(f"reconcile_ns = {RECONCILE_NS}\n", encoding="utf-8")
    paper = take_paper(home, Settings(), None)
    exchange = msgspec.structs.replace(paper.exchange, misbehavior_open=True)
    changed = msgspec.structs.replace(paper, exchange=exchange)
    home.paper_file.write_bytes(msgspec.json.encode(changed))
    with pool(folder):
        wait_for(folder, lambda one: one.counters.get("audits_alike", 0) > 8)
        yield folder


def _outside(home: Path, *words: object) -> dict[str, object]:
    code, out, err = tandem("paper", "trade-outside", *words, "--home", home, "--json")
    assert code == 0, out + err
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def _waiting(home: Path) -> ExternalView:
    status = wait_for(home, lambda one: any(view.waits for view in one.external))
    return next(view for view in status.external if view.waits)


def test_an_outside_trade_is_found_blocks_and_is_traded_again_when_explained(running: Path) -> None:
    """F24 I6: here a look is due every 0.3 s, and the stream hastens it."""
    assert _outside(running, "A3", "sell", "F", 17)["filled"] == "17"
    found = _waiting(running)
    assert (found.account_id, found.symbol, found.moved) == ("A3", "F", "-17")
    code, out, _ = tandem("order", "buy", "F", 1, "--slots", "w3", "--home", running)
    assert code == 1
    assert "orders external" in out
    code, out, _ = tandem("status", "--home", running)
    assert "tandem orders explain A3 F" in out
    code, out, _ = tandem("orders", "external", "--home", running)
    assert code == 1
    assert "waits for your word" in out
    code, out, err = tandem("orders", "explain", "A3", "F", "--home", running)
    assert code == 0, out + err
    code, out, err = tandem("order", "buy", "F", 1, "--slots", "w3", "--wait", "--home", running)
    assert code == 0, out + err
    code, out, _ = tandem("orders", "external", "--home", running, "--json")
    assert code == 0
    assert json.loads(out)["external"][0]["waits"] is False
    code, out, _ = tandem("positions", "--home", running)
    assert code == 0, out
    code, _, err = tandem("orders", "explain", "A3", "GE", "--home", running)
    assert code == 2
    assert "nothing external" in err


def test_an_outside_order_that_rests_is_counted_by_the_self_trade_gate(running: Path) -> None:
    """F24 C1: on every account."""
    told = _outside(running, "A4", "sell", "T", 5, "--limit", "31.00")
    assert told["open"] == "5"
    found = _waiting(running)
    assert [one.client_order_id for one in found.orders] == [told["client_order_id"]]
    code, out, _ = tandem(
        "order", "buy", "T", 1, "--slots", "w5", "--price", "31.00", "--home", running
    )
    assert code == 1
    assert "self_trade" in out
    code, out, err = tandem("orders", "explain", "A4", "T", "--home", running)
    assert code == 0, out + err


def test_what_cannot_be_traded_outside_is_refused_in_words(running: Path, tmp_path: Path) -> None:
    for words, expected in (
        (("A99", "buy", "T", 1), "no account A99"),
        (("A1", "both", "T", 1), "expected buy or sell"),
        (("A1", "buy", "?", 1), "not listed"),
        (("A1", "buy", "T", "0.5"), "multiple"),
    ):
        code, _, err = tandem("paper", "trade-outside", *words, "--home", running)
        assert code == 2, err
        assert expected in err
    code, out, _ = tandem("paper", "trade-outside", "A1", "sell", "T", 99_999, "--home", running)
    assert code == 1
    assert "refused" in out
    code, _, err = tandem("paper", "trade-outside", "A1", "buy", "T", 1, "--home", tmp_path)
    assert code == 2
    assert "no paper exchange" in err


def test_fills_that_the_stream_drops_are_found_by_an_audit(running: Path) -> None:
    """F23 I5: long before anybody would have asked for the order."""
    order_id = asyncio.run(_fill_unheard(Home(running)))
    before = wait_for(running, lambda one: one.counters.get("fills_by_audit", 0) > 0)
    assert before.trading == "active"
    code, out, err = tandem("orders", "show", order_id, "--home", running)
    assert code == 0, err
    assert "final: filled" in out


async def _fill_unheard(home: Home) -> str:
    """Have an order filled while the exchange tells nobody anything; return its id."""
    spec = ParentSpec(symbol="GE", side=Side.BUY, quantity=Lots(5), slots=(SlotId("w6"),))
    logged_in = asyncio.Event()

    def on_messages(_link: object, _epoch: int, messages: list[VenueMessage]) -> None:
        if any(isinstance(one, LoggedIn) for one in messages):
            logged_in.set()

    link: Link[VenueMessage] = Link(
        msgspec.msgpack.Decoder(list[VenueMessage]),
        on_messages,  # type: ignore[arg-type] # a list is what the decoder gives
        lambda one: one.send(Login(account_id=None, secret="")),
        lambda _link, _reason: None,
    )
    async with asyncio.timeout(10), desk_line(home) as line:
        await UnixNetwork().connect(home.exchange_socket, lambda: link)
        await logged_in.wait()
        link.send(Misbehave(misbehavior=Misbehavior(lose_report=1.0), seed=1))
        await asyncio.sleep(0.05)
        answer = await line.command(fresh_command("buy"), PlaceParent(spec=spec))
        assert isinstance(answer, Taken), answer
        await asyncio.sleep(0.15)
        link.send(Misbehave(misbehavior=Misbehavior(), seed=1))
        await asyncio.sleep(0.05)
        link.drop("done")
    return str(answer.order_id)
