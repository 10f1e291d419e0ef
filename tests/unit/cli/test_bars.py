"""What is shown, brought in and written of stored bars."""

import json
import sys
from pathlib import Path

import pytest

from tandem.cli.main import BAD_INPUT, OK, run
from tandem.wiring.bars import writing
from tandem.wiring.home import Home
from tandem.wiring.strategies import bars_file

ROWS = "".join(f"{86_400 + 60 * n},10,{12 + n},9,11,1.5\n" for n in range(7))


@pytest.fixture
def place(tmp_path: Path) -> str:
    path = tmp_path / "a.csv"
    path.write_text(f"time,open,high,low,close,volume\n{ROWS}", encoding="utf-8")
    return f"{path}?symbol=BTCUSD&span=1m&clock=s"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    return out, err


def command(*arguments: object) -> int:
    return run(["bars", *map(str, arguments)], sys.stdout, err=sys.stderr)


def test_a_recording_is_brought_in_shown_and_written(
    place: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B10, B12."""
    assert command("import", place, "--home", home) == OK
    assert said(capsys)[0].splitlines()[1].split()[:5] == ["BTCUSD", "1m", "7", "0", "0"]
    assert command("show", "--home", home) == OK
    spans = [line.split()[2:4] for line in said(capsys)[0].splitlines()[1:]]
    assert spans == [["1m", "7"], ["3m", "2"], ["5m", "1"]]
    assert command("show", "BTCUSD", "--span", "3m", "--home", home) == OK
    assert said(capsys)[0].splitlines()[1:] == [
        "1970-01-02 00:00:00  10.00  14.00  9.00  11.00  4.50000000               1         0",
        "1970-01-02 00:03:00  10.00  17.00  9.00  11.00  4.50000000               2         0",
    ]
    out = tmp_path / "b.csv"
    assert command("export", "BTCUSD", out, "--home", home) == OK
    again = f"{out}?symbol=BTCUSD&span=1m"
    assert command("import", again, "--home", home, "--json") == OK
    brought = json.loads(said(capsys)[0].partition("\n")[2])
    assert (brought[0]["bars"], brought[0]["revisions"]) == (0, 0)


def test_bars_are_chosen_by_time_and_number(
    place: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("import", place, "--home", home)
    said(capsys)
    window = ("--from", "1970-01-02T00:02", "--to", "1970-01-02T00:05:00+00:00")
    assert command("show", "BTCUSD", *window, "--json", "--home", home) == OK
    assert [one["number"] for one in json.loads(said(capsys)[0])] == [3, 4, 5]
    assert command("show", "BTCUSD", "--count", 2, "--json", "--home", home) == OK
    assert [one["number"] for one in json.loads(said(capsys)[0])] == [6, 7]
    assert command("show", "--json", "--home", home) == OK
    shown = said(capsys)[0]
    assert [one["bars"] for one in json.loads(shown[shown.index("[") :])] == [7, 2, 1]


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_other_files_hold_the_same(
    kind: str, place: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("import", place, "--home", home)
    out = tmp_path / f"b.{kind}"
    assert command("export", "BTCUSD", out, "--span", "3m", "--home", home) == OK
    if kind == "json":
        assert [one["high"] for one in json.loads(out.read_text())] == ["14.00", "17.00"]
    else:
        again = tmp_path / "again"
        assert command("import", f"{out}?symbol=BTCUSD&span=3m", "--home", again) == OK
        said(capsys)
        command("show", "BTCUSD", "--span", "3m", "--json", "--home", again)
        assert [one["high"] for one in json.loads(said(capsys)[0])] == ["14.00", "17.00"]
    assert [one.name for one in tmp_path.glob("b.*")] == [out.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "XY"), "no bars of 'XY'; there are some of: BTCUSD"),
        (("show", "BTCUSD", "--from", "noon"), "--from 'noon': expected a time such as"),
        (
            ("show", "BTCUSD", "--from", "1971-01-01", "--to", "1970-01-01"),
            "--from 1971-01-01 is not before --to 1970-01-01",
        ),
        (("show", "BTCUSD", "--span", "1w"), "no 1w bars of BTCUSD in that time; 'tandem bars"),
        (("export", "BTCUSD", "b.csv", "--from", "1971-01-01"), "no 1m bars of BTCUSD in that"),
        (("show", "BTCUSD", "--count", "-1"), "--count -1: expected 0 or more"),
        (("export", "BTCUSD", "b.txt"), "expected a name that ends in .csv, .json or .parquet"),
        (("export", "BTCUSD", "/nowhere/b.csv"), "/nowhere/b.csv: No such file"),
        (("import", "none.csv"), "none.csv: no such file"),
    ],
)
def test_bad_input_is_one_line_that_says_what_was_expected(
    arguments: tuple[str, ...],
    words: str,
    place: str,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command("import", place, "--home", home)
    said(capsys)
    assert command(*arguments, "--home", home) == BAD_INPUT
    err = said(capsys)[1]
    assert words in err
    assert err.count("\n") == 1


def test_bars_of_a_market_that_was_replayed_are_shown_when_asked_for(
    place: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B12: they are kept apart, and whoever looks in the wrong place is told."""
    apart = bars_file(Home(home), is_replay=True)
    assert command("show", "--replayed", "--home", home) == BAD_INPUT
    assert "no market was replayed here" in said(capsys)[1]
    other = tmp_path / "other"
    command("import", place, "--home", other)
    Home(home).make()
    apart.parent.mkdir()
    Home(other).bars_file.rename(apart)
    said(capsys)
    assert command("show", "--home", home) == BAD_INPUT
    assert "are shown with --replayed" in said(capsys)[1]
    assert command("show", "BTCUSD", "--replayed", "--count", 2, "--json", "--home", home) == OK
    assert [one["number"] for one in json.loads(said(capsys)[0])] == [6, 7]
    out = tmp_path / "b.csv"
    assert command("export", "BTCUSD", out, "--replayed", "--home", home) == OK
    assert len(out.read_text(encoding="utf-8").splitlines()) == 8
    assert command("import", f"{out}?symbol=ETHUSD&span=1m", "--home", home) == OK
    assert command("show", "--home", home) == OK
    listed, hint = said(capsys)
    assert "ETHUSD" in listed
    assert "BTCUSD" not in listed
    assert hint == "the bars of the market that was replayed last are shown with --replayed\n"
    assert command("show", "BTCUSD", "--home", home) == BAD_INPUT
    assert "some of: ETHUSD; the bars of the market that was replayed" in said(capsys)[1]


def test_nothing_is_shown_where_nothing_is_and_one_process_writes(
    place: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("show", "--home", home) == BAD_INPUT
    assert "no bars are stored here" in said(capsys)[1]
    command("import", place, "--home", home)
    store = writing(Home(home))
    assert command("import", place, "--home", home) == BAD_INPUT
    assert "another process writes these bars" in said(capsys)[1]
    store.close()
