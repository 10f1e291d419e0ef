"""`tandem strategy run`: in a jail, over stored and recorded bars."""

import json
from pathlib import Path

import pytest

from tandem.cli.main import BAD_INPUT, FAILED, OK
from tests.unit.cli.test_strategy import home, tandem

__all__ = ["home"]
NOTHING = "nothing was traded: this is no backtest, and knows no fills, fees or gains"


@pytest.fixture
def momentum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    file = tmp_path / "mine.lua"
    tandem("strategy", "new", file, "--like", "momentum")
    capsys.readouterr()
    return file


def test_each_change_over_stored_bars_is_shown(
    home: Path, momentum: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A12."""
    asked = ("strategy", "run", momentum, "BTCUSD", "--home", home, "--param", "percent=3")
    assert tandem(*asked, "--param", "bars=30", "--may-short") == OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines[1:-2]] == ["1", "-1", "1", "-1", "1"]
    assert lines[-2].startswith("600 bars, 5 changes: long ")
    assert lines[-1] == NOTHING
    assert tandem(*asked, "--span", "5m", "--json") == OK
    found = json.loads(capsys.readouterr().out)
    assert found["rows"][0]["wants"] == "1"
    assert (found["bars"], found["short"]) == (120, 0)
    assert found["long"] + found["flat"] == 120


def test_a_recording_is_run_over_as_if_it_were_stored(
    home: Path, momentum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A12, B35."""
    asked = ("strategy", "run", momentum, "BTCUSD", "--span", "3m", "--param", "percent=3")
    assert tandem(*asked, "--home", home, "--json") == OK
    stored = capsys.readouterr().out
    place = f"{tmp_path / 'a.csv'}?symbol=BTCUSD&span=1m&clock=s"
    assert tandem(*asked, "--bars", place, "--home", tmp_path / "none", "--json") == OK
    assert capsys.readouterr().out == stored
    assert json.loads(stored)["changes"] > 0


def test_one_that_comes_along_is_run_by_its_name(
    home: Path, momentum: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A12."""
    asked = ("BTCUSD", "--home", home, "--param", "percent=3")
    assert tandem("strategy", "run", "momentum", *asked) == OK
    along = capsys.readouterr().out
    assert tandem("strategy", "run", momentum, *asked) == OK
    assert capsys.readouterr().out == along
    assert tandem("strategy", "run", "momentun", *asked) == BAD_INPUT
    assert "ends in .lua or .py, or one of breakout, mean_reversion" in capsys.readouterr().err


def test_what_it_logs_and_orders_is_shown_with_its_bar(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "def decide(bar, state, log):\n"
        "    state.n = (state.n or 0) + 1\n"
        "    if state.n == 2:\n"
        "        log('two')\n"
        "        return {'orders': [{'side': 'buy', 'quantity': 1, 'limit': 90}]}\n"
        "    if state.n == 3:\n"
        "        return {'position': 0.5, 'stop': 91.5}\n"
        "    if state.n == 5:\n"
        "        log('five')\n"
        "    return None\n",
        encoding="utf-8",
    )
    assert tandem("strategy", "run", file, "BTCUSD", "--home", home) == OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:] for line in lines[1:4]] == [
        ["00:01:00", "100.20", "buy", "1.00000000", "limit", "90.00;", "two"],
        ["00:02:00", "100.40", "0.5", "91.50"],
        ["00:04:00", "100.80", "five"],
    ]
    assert lines[4:] == ["600 bars, 1 changes: long 99.7 %, short 0.0 %, flat 0.3 %", NOTHING]


def test_it_may_look_at_others(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B35."""
    rows = "".join(f"{86_400 + 60 * n},10,{12 + n},9,11,1.5\n" for n in range(7))
    recorded = tmp_path / "b.csv"
    recorded.write_text(f"time,open,high,low,close,volume\n{rows}", encoding="utf-8")
    place = f"{recorded}?symbol=ETHUSD&span=1m&clock=s"
    assert tandem("bars", "import", place, "--home", home) == OK
    file = tmp_path / "mine.lua"
    file.write_text("return instrument('ETHUSD').close() == 11 and 1 or 0", encoding="utf-8")
    capsys.readouterr()
    asked = ("strategy", "run", file, "BTCUSD", "--home", home)
    assert tandem(*asked, "--others", "ETHUSD", "--json") == OK
    found = json.loads(capsys.readouterr().out)
    assert (found["long"], found["error"]) == (599, None)
    assert tandem(*asked, "--others", "XRPUSD") == BAD_INPUT
    assert tandem(*asked) == FAILED


def test_a_strategy_that_fails_says_where_and_runs_no_further(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F22."""
    file = tmp_path / "mine.py"
    file.write_text("def decide(close):\n    return close(10) / 0\n", encoding="utf-8")
    asked = ("strategy", "run", file, "BTCUSD", "--home", home)
    assert tandem(*asked) == FAILED
    out = capsys.readouterr().out
    assert "it failed: line 2: ZeroDivisionError" in out
    assert "11 bars, 0 changes" in out
    file.write_text("def decide(:", encoding="utf-8")
    assert tandem(*asked) == FAILED
    assert "1 bars, 0 changes" in capsys.readouterr().out
    assert tandem(*asked, "--from", "2030-01-01") == BAD_INPUT
    assert "no 1m bars of BTCUSD in that time" in capsys.readouterr().err
    assert tandem("strategy", "run", file, "XX", "--home", home) == BAD_INPUT
