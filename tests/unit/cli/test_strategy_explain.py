"""`tandem strategy explain`."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tandem.cli.main import BAD_INPUT, FAILED, OK, run
from tandem.cli.strategy_explain import write_explained, write_stopped
from tandem.domain.bars import FinalBar
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import Answer, WantedOrder
from tandem.wiring.explaining import NothingDecidedError, Stopped, made_again, recorded_decision
from tandem.wiring.home import Home
from tests.unit.core.deciding.bench import OTHER, entry, final
from tests.unit.wiring.decided import DecidedHome
from tests.unit.wiring.test_explaining import SEES, A, ask, assigned, home, killed, of_all, reading

__all__ = ["home"]


def command(*arguments: object) -> int:
    return run(["strategy", "explain", *map(str, arguments)], sys.stdout, err=sys.stderr)


def test_a_decision_is_shown_with_what_was_given_and_is_the_same_again(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """B16: in a jail, as it was made."""
    assert command("a", "--home", home.folder) == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a: cross on the 1m bar of ")
    words = [line.split(maxsplit=1) for line in lines if line.startswith("  ")]
    said = {label: text for label, text in words[:7]}
    assert said["state"] == '{"bars":7}'
    assert said["position"] == "0 of a full one"
    assert said["history"] == "8 bars, this one included"
    assert said["bar"].startswith("number 9: open ")
    assert words[7:] == [
        ["wants", "1"],
        ["state", '{"bars":8}'],
        ["logged", "bar 8 was 0"],
        ["inputs", "the same"],
        ["answer", "the same"],
    ]


def test_an_earlier_decision_is_found_by_its_time(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """B16."""
    assert command("a", "--home", home.folder, "--at", "2023-11-14T22:15:30", "--json") == OK
    found = json.loads(capsys.readouterr().out)
    assert found["is_same"]
    assert found["explained"]["recorded"]["asked"]["task_id"]["number"] == 2


def test_changed_bars_are_other_inputs(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """B16."""
    with closing(sqlite3.connect(home.bars_file)) as bars:
        bars.execute("UPDATE bars SET low = low - 1, close = low - 1 WHERE number = 8")
        bars.commit()
    assert command("a", "--home", home.folder) == FAILED
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  inputs      other: ") for line in lines)


async def test_what_was_seen_of_another_instrument_is_shown_and_is_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B16, B33: three of its bars were told, two of them over when the bar began."""
    home = Home(tmp_path / "home")
    made = DecidedHome(home)
    await made.begin(of_all(assigned(SEES, entry("a", others=(OTHER,)))))
    await made.bars(*(final(number, instrument=OTHER) for number in range(1, 4)))
    await made.bars(FinalBar(number=1, bar=final(3).bar))
    made.store.close()
    found = await made_again(recorded_decision(home, A, None), reading(home), ask)
    assert write_explained(found, sys.stdout, as_json=False) == OK
    out = capsys.readouterr().out
    said = f"{OTHER.symbol:<12}2 bars that were over when it began, of the first 3 published"
    assert f"  {said}\n" in out
    assert "  inputs      the same\n" in out


async def test_everything_that_was_answered_is_shown(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await made_again(recorded_decision(home, A, None), reading(home), ask)
    order = WantedOrder(side=Side.BUY, quantity=Lots(3), limit_price=Ticks(99))
    answer = Answer(stop_price=Ticks(90), target_price=Ticks(120), orders=(order,))
    assert write_explained(msgspec.structs.replace(found, answer=answer), sys.stdout, as_json=False)
    price = found.recorded.rostered.instrument.price_text
    lines = capsys.readouterr().out.split("again\n")[1].splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["wants", "what", "it", "wanted"],
        ["stop", price(Ticks(90))],
        ["target", price(Ticks(120))],
    ]
    assert "buy" in lines[4]
    assert f"limit {price(Ticks(99))}" in lines[4]
    failed = msgspec.structs.replace(found, answer=Answer(error="line 2: endless"))
    assert write_explained(failed, sys.stdout, as_json=False) == FAILED
    assert "  error       line 2: endless\n" in capsys.readouterr().out
    silent = msgspec.structs.replace(found, answer=None, why="no room")
    assert write_explained(silent, sys.stdout, as_json=False) == FAILED
    assert "  answer      none: no room\n" in capsys.readouterr().out


async def test_a_strategy_that_was_suspended_says_on_which_bar_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B16: it is no matter of the command's words that there is no decision."""
    home = Home(tmp_path / "home")
    made = DecidedHome(home)
    made.do = killed
    await made.begin(of_all(assigned(SEES, entry("a", others=(OTHER,)))))
    await made.bars(final(1))
    made.store.close()
    with pytest.raises(NothingDecidedError) as raised:
        recorded_decision(home, A, None)
    assert write_stopped("a", raised.value, sys.stdout, as_json=False) == FAILED
    assert capsys.readouterr().out.splitlines() == [
        "a: nothing was decided",
        "on F",
        "  bar         number 1, 1m, began 2023-11-14 22:14:00",
        "  was         suspended, until it is assigned anew",
        "  reason      ended: too slow",
    ]
    assert write_stopped("a", raised.value, sys.stdout, as_json=True) == FAILED
    assert json.loads(capsys.readouterr().out)["stopped"]["reason"] == "ended: too slow"


async def test_a_bar_that_was_passed_over_since_is_shown_with_the_decision_before(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await made_again(recorded_decision(home, A, None), reading(home), ask)
    stopped = Stopped(bar=final(10).bar, number=10, reason="no room", is_suspended=False)
    since = msgspec.structs.replace(found.recorded, stopped=stopped)
    found = msgspec.structs.replace(found, recorded=since)
    assert write_explained(found, sys.stdout, as_json=False) == OK
    assert capsys.readouterr().out.split("since\n")[1].splitlines()[1:] == [
        "  was         passed over",
        "  reason      no room",
    ]


def test_what_is_not_there_is_bad_input(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("c", "--home", home.folder) == BAD_INPUT
    assert "c: nothing was decided; there are decisions of: a, b" in capsys.readouterr().err
    assert command("a", "--home", tmp_path / "none") == BAD_INPUT
    assert command("a", "--home", home.folder, "--at", "noon") == BAD_INPUT
    assert "--at 'noon': expected a time" in capsys.readouterr().err
