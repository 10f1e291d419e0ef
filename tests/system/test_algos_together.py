"""A bracket, a stop and two-sided quoting together, with real processes on recorded data."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tandem.wiring.home import Home
from tandem.wiring.journals import replayed_exchange
from tandem.wiring.venue_books import open_at_venue
from tests.system.running import ROOT, pool, stop, tandem, wait_for

BINANCE = ROOT / "examples" / "data" / "binance_spot_btcusdt_20240808.gz"


def told(*words: object) -> dict[str, Any]:
    """Run a command that must succeed; return what it says."""
    code, out, err = tandem(*words, "--json")
    assert code == 0, out + err
    found: dict[str, Any] = json.loads(out)
    return found


def algos(home: Path) -> dict[str, dict[str, Any]]:
    """Return the algorithms by kind."""
    return {one["kind"]: one for one in told("algo", "list", "--home", home)["algos"]}


def test_a_bracket_a_stop_and_quoting_never_meet_and_leave_nothing_open(tmp_path: Path) -> None:
    """C3, C4, A11, C1, C14: over four accounts, by the exchange's own word."""
    home = tmp_path / "home"
    where = ("--accounts", 4, "--home", home)
    with pool(home, "--replay", BINANCE, "--speed", "10") as process:
        held = ("--stop", "60000", "--trail", "4", "--trigger", "quote")
        told("algo", "stop", "sell", "BTCUSDT", "0.02", *held, *where)
        exits = ("--target", "64000", "--stop", "60000")
        told("algo", "bracket", "buy", "BTCUSDT", "0.02", *exits, *where)
        wait_for(home, lambda status: status.counters.get("fills", 0) > 0)
        around = ("--half-spread", "5", "--skew", "2", "--inventory-limit", "0.08")
        lasting = ("--for", "600s", "--refresh", "2s")
        told("algo", "quote", "BTCUSDT", "0.04", *around, *lasting, *where)
        wait_for(home, lambda status: status.counters.get("fills", 0) > 8)
        quoting = algos(home)["make_market"]
        paused = told("algo", "pause", quoting["order_id"], "--home", home)
        assert paused["answer"] == "done", paused
        told("algo", "resume", quoting["order_id"], "--home", home)
        ended = told("order", "cancel", quoting["order_id"], "--wait", "--home", home)
        assert "nothing of it is open at the exchange" in ended["says"]["text"]
        everything = told("order", "cancel", "--all", "--wait", "--home", home)
        assert "nothing of it is open at the exchange" in everything["says"]["text"]
        assert not sum(asyncio.run(open_at_venue(Home(home))).values())
        found = algos(home)
        assert {one["phase"] for one in found.values()} == {"done"}, found
        gains = found["make_market"]["gains"]
        assert not Decimal(gains["inventory"]), gains
        assert gains["skew_percent"] == 0
        bracket = found["bracket"]
        assert Decimal(bracket["sold"]) <= Decimal(bracket["bought"]) <= Decimal("0.02")
        code, out, err = stop(process)
        assert code == 0, out + err
    state = replayed_exchange(Home(home)).state
    assert all(not one.prevented for it in state.accounts for one in it.records.values())
    code, _, err = tandem("log", "verify", "--home", home)
    assert code == 0, err
