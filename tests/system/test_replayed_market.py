"""Trading on recorded markets, with real processes."""

import json
from pathlib import Path

import pytest

from tandem.wiring.home import Home
from tandem.wiring.journals import replayed_exchange
from tests.system.running import ROOT, pool, stop, tandem, wait_for

BINANCE = ROOT / "examples" / "data" / "binance_spot_btcusdt_20240808.gz"
COINBASE = ROOT / "examples" / "data" / "crypto" / "coinbase" / "minute" / "btcusd"


@pytest.mark.parametrize(
    ("data", "speed", "symbol", "prices"),
    [
        (BINANCE, "10", "BTCUSDT", ("61000", "62700")),
        (COINBASE, "600", "BTCUSD", ("6600", "7000")),
    ],
)
def test_orders_and_both_sides_trade_on_real_data(
    tmp_path: Path, data: Path, speed: str, symbol: str, prices: tuple[str, str]
) -> None:
    """A11, C1: over four accounts; no own order meets another, by the exchange's journal."""
    home = tmp_path / "home"
    with pool(home, "--replay", data, "--speed", speed) as process:
        words = ("--accounts", 4, "--wait", "--json", "--home", home)
        code, out, err = tandem("order", "buy", symbol, "0.08", *words)
        assert code == 0, out + err
        bought = json.loads(out)["parents"][0]
        assert (bought["outcome"], bought["children"]) == ("filled", 4)
        low, high = prices
        assert low < bought["average_price"] < high
        sides = ("--buy", low, "--sell", high, "--for", "1s", "--exit", "flatten")
        code, out, err = tandem("order", "both", symbol, "0.04", *sides, *words)
        assert code == 0, out + err
        both = json.loads(out)["both"][0]
        assert both["difference"] == 0, both
        code, out, err = stop(process)
        assert code == 0, out + err
    state = replayed_exchange(Home(home)).state
    assert all(not one.prevented for it in state.accounts for one in it.records.values())
    code, _, err = tandem("log", "verify", "--home", home)
    assert code == 0, err


def test_a_home_keeps_its_market(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pool(home, "--replay", BINANCE, "--speed", "10") as process:
        stop(process)
    code, _, err = tandem("up", "--home", home)
    assert code == 2
    assert "BTCUSDT" in err
    assert "--home" in err


@pytest.mark.parametrize(
    "words",
    [("--replay", "nowhere.gz"), ("--speed", "2"), ("--replay", str(BINANCE), "--speed", "0")],
)
def test_a_replay_that_cannot_be_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, out, err = tandem("up", "--home", tmp_path / "home", *words)
    assert (code, out) == (2, "")
    assert err.startswith("tandem: ")


def test_while_a_second_feed_does_not_agree_no_new_risk_is_taken(tmp_path: Path) -> None:
    """A49: two feeds of one instrument; what the desk refuses, it says why."""
    second = tmp_path / "second.csv"
    rows = [f"{1_723_161_254 + n},63{n:03},63{n + 2:03},1,1" for n in range(100)]
    second.write_text("\n".join(["time,bid,ask,bid_size,ask_size", *rows]), encoding="utf-8")
    home = tmp_path / "home"
    place = f"{second}?symbol=BTCUSDT"
    with pool(home, "--replay", BINANCE, "--compare", place, "--speed", "5") as process:
        status = wait_for(home, lambda one: any(feed.doubt for feed in one.feeds))
        assert status.notes == ("BTCUSDT: two feeds of it do not agree, so no new risk is taken",)
        code, out, _ = tandem("feeds", "--json", "--home", home)
        assert (code, json.loads(out)[0]["doubt"]) == (1, "feeds_apart")
        code, out, err = tandem("order", "buy", "BTCUSDT", "0.08", "--accounts", 4, "--home", home)
        assert (code, "price_in_doubt" in out + err) == (1, True)
        code, out, err = stop(process)
        assert code == 0, out + err


def test_several_recordings_are_several_instruments(tmp_path: Path) -> None:
    """A26: each of them listed, each in its own time."""
    home = tmp_path / "home"
    bars = tmp_path / "bars.csv"
    rows = [f"{1_723_161_180 + 60 * n},0.3{n},0.3{n},0.3{n},0.3{n},1000" for n in range(9)]
    bars.write_text("\n".join(["time,open,high,low,close,volume", *rows]), encoding="utf-8")
    places = f"{BINANCE},{bars}?symbol=ADAUSDT&span=1m"
    with pool(home, "--replay", places, "--speed", "20") as process:
        status = wait_for(home, lambda one: len(one.feeds) == 2)
        assert [one.symbol for one in status.feeds] == ["BTCUSDT", "ADAUSDT"]
        code, out, err = stop(process)
        assert code == 0, out + err
