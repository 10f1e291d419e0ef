"""`tandem prove-no-lookahead`."""

from pathlib import Path

import pytest

from tandem.cli.main import BAD_INPUT, FAILED, OK
from tests.unit.cli.test_strategy import home, tandem

__all__ = ["home"]


def test_an_honest_strategy_is_proved_on_stored_bars(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """C11."""
    file = tmp_path / "mine.lua"
    tandem("strategy", "new", file)
    capsys.readouterr()
    proof = ("prove-no-lookahead", file, "--bars", "BTCUSD", "--home", home)
    assert tandem(*proof, "--every", "60") == OK
    out = capsys.readouterr().out
    assert out == "10 of 600 bars were decided again without those to come: nothing differed\n"
    assert tandem(*proof, "--every", "0") == BAD_INPUT


def test_a_strategy_that_fails_or_has_no_bars_proves_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.lua"
    file.write_text("return nothing", encoding="utf-8")
    proof = ("prove-no-lookahead", file, "--bars", "BTCUSD", "--home", home)
    assert tandem(*proof, "--every", "100") == FAILED
    assert capsys.readouterr().out == "the strategy failed: line 1: unknown name 'nothing'\n"
    assert tandem(*proof, "--from", "2030-01-01") == BAD_INPUT
    assert "no 1m bars of BTCUSD in that time" in capsys.readouterr().err
    file.write_text("return 1", encoding="utf-8")
    assert tandem(*proof, "--every", "100000") == FAILED
    assert capsys.readouterr().out == "no bars: nothing proved\n"
    file.write_text("return", encoding="utf-8")
    assert tandem(*proof[:3], "XX", "--home", home) == BAD_INPUT


def test_a_recording_is_proved_on_as_well(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """C11."""
    file = tmp_path / "mine.lua"
    tandem("strategy", "new", file)
    capsys.readouterr()
    place = f"{tmp_path / 'a.csv'}?symbol=BTCUSD&span=1m&clock=s"
    proof = ("prove-no-lookahead", file, "--home", tmp_path / "none", "--bars")
    assert tandem(*proof, place, "--every", "60") == OK
    assert capsys.readouterr().out.startswith("10 of 600 bars were decided again")
    recorded = tmp_path / "empty.csv"
    recorded.write_text("time,open,high,low,close,volume\n", encoding="utf-8")
    assert tandem(*proof, f"{recorded}?symbol=BTCUSD&span=1m&clock=s") == BAD_INPUT
    assert "symbols none, expected a recording of one" in capsys.readouterr().err


def test_it_may_look_at_others(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B33 C11."""
    rows = "".join(f"{86_400 + 60 * n},10,{12 + n},9,11,1.5\n" for n in range(70))
    recorded = tmp_path / "b.csv"
    recorded.write_text(f"time,open,high,low,close,volume\n{rows}", encoding="utf-8")
    place = f"{recorded}?symbol=ETHUSD&span=1m&clock=s"
    assert tandem("bars", "import", place, "--home", home) == OK
    file = tmp_path / "mine.lua"
    file.write_text("return instrument('ETHUSD').bar.high > 50 and 1 or 0", encoding="utf-8")
    capsys.readouterr()
    proof = ("prove-no-lookahead", file, "--bars", "BTCUSD", "--home", home, "--every", "60")
    assert tandem(*proof, "--others", "ETHUSD") == OK
    assert capsys.readouterr().out.startswith("10 of 600 bars")
    assert tandem(*proof) == FAILED
