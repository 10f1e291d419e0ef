"""Strategies before they trade: written, checked, run over stored bars."""

import json
import sys
from math import sin
from pathlib import Path

import pytest

from tandem.cli.main import BAD_INPUT, FAILED, OK, run


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a home with ten hours of minutes that go up and down."""
    lines = ["time,open,high,low,close,volume"]
    last = 100.0
    for number in range(600):
        close = round(100 + 8 * sin(number / 40), 2)
        high, low = max(last, close) + 0.1, min(last, close) - 0.1
        lines.append(f"{86_400 + 60 * number},{last:.2f},{high:.2f},{low:.2f},{close:.2f},1.5")
        last = close
    recorded = tmp_path / "a.csv"
    recorded.write_text("\n".join(lines), encoding="utf-8")
    place = f"{recorded}?symbol=BTCUSD&span=1m&clock=s"
    assert tandem("bars", "import", place, "--home", tmp_path / "home") == OK
    capsys.readouterr()
    return tmp_path / "home"


def tandem(*arguments: object) -> int:
    return run([str(one) for one in arguments], sys.stdout, err=sys.stderr)


def test_a_new_strategy_is_a_shipped_one_and_stands_in_no_ones_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B33."""
    file = tmp_path / "mine.lua"
    assert tandem("strategy", "new", file, "--like", "momentum") == OK
    assert "Classic momentum" in capsys.readouterr().out
    assert tandem("strategy", "new", file) == BAD_INPUT
    assert tandem("strategy", "new", tmp_path / "b.lua", "--like", "x") == BAD_INPUT
    assert tandem("strategy", "new", tmp_path / "b.py") == BAD_INPUT
    assert tandem("strategy", "check", file) == OK
    assert "1 checked: 0 errors, 1 warnings" in capsys.readouterr().out


def test_what_is_wrong_is_said_by_line_and_column_and_not_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B19."""
    file = tmp_path / "bad.lua"
    file.write_text("local em = ta.ema(3)\nreturn ema()\n", encoding="utf-8")
    assert tandem("strategy", "check", file) == FAILED
    wrong = "2:8: unknown name 'ema'; did you mean 'em'?"
    assert f"bad:{wrong}" in capsys.readouterr().out.splitlines()
    assert tandem("strategy", "check", file, "--json") == FAILED
    found = json.loads(capsys.readouterr().out)
    assert (found[1]["line"], found[1]["column"], found[1]["is_error"]) == (2, 8, True)
    assert tandem("strategy", "save", file, "--home", tmp_path) == BAD_INPUT
    assert capsys.readouterr().err == f"tandem: bad:{wrong}\n"
