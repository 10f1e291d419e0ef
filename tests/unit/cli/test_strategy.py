"""Strategies before they trade: written, checked, run over stored bars."""

import json
import sys
from math import sin
from pathlib import Path
from typing import cast

import pytest

from tandem.cli.calling import BadInputError
from tandem.cli.main import BAD_INPUT, FAILED, OK, run
from tandem.cli.strategy import decisions, on_symbol, source_of
from tandem.domain.strategies import AssignmentId, Language, StrategyText, TextHash
from tandem.domain.strategy_views import (
    AssignmentView,
    DecisionsView,
    SavedView,
    StrategiesView,
)
from tandem.wiring.asking import DeskLine
from tests.unit.core.trading.strategy_floor import CROSS, assignment


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
    assert tandem("strategy", "new", tmp_path / "b.txt") == BAD_INPUT
    assert tandem("strategy", "new", tmp_path / "b.py", "--like", "momentum") == BAD_INPUT
    assert [one.name for one in tmp_path.iterdir()] == ["mine.lua"]
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
    assert f"{file}:{wrong}" in capsys.readouterr().out.splitlines()
    assert tandem("strategy", "check", file, "--json") == FAILED
    found = json.loads(capsys.readouterr().out)
    assert (found[1]["file"], found[1]["strategy"]) == (str(file), "bad")
    assert (found[1]["line"], found[1]["column"], found[1]["is_error"]) == (2, 8, True)
    assert tandem("strategy", "save", file, "--home", tmp_path) == BAD_INPUT
    assert capsys.readouterr().err == f"tandem: {file}:{wrong}\n"


def test_a_new_strategy_in_python_is_the_papers_too(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B19, B33."""
    wanted = []
    for file in (tmp_path / "mine.lua", tmp_path / "mine.py"):
        assert tandem("strategy", "new", file) == OK
        assert tandem("strategy", "check", file) == OK
        assert "1 checked: 0 errors, 0 warnings" in capsys.readouterr().out
        assert tandem("strategy", "run", file, "BTCUSD", "--home", home, "--json") == OK
        wanted.append(capsys.readouterr().out)
    assert wanted[0] == wanted[1]
    assert json.loads(wanted[0])["changes"] > 3


def test_those_that_come_along_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert tandem("strategy", "list", "--shipped") == OK
    assert "Classic momentum: long as soon as" in capsys.readouterr().out
    assert tandem("strategy", "list", "--shipped", "--json") == OK
    assert "breakout" in {one["name"] for one in json.loads(capsys.readouterr().out)}


def test_a_name_means_what_is_saved_before_what_comes_along() -> None:
    """B13."""
    own = SavedView(
        name="momentum",
        language=Language.LUA,
        text_hash=TextHash("ab" * 32),
        is_newest=True,
        names=("momentum",),
    )
    assert isinstance(source_of(StrategiesView(version=1), "momentum"), StrategyText)
    saved = StrategiesView(version=1, texts=(own,))
    assert source_of(saved, "momentum") == ("momentum", own.text_hash)
    with pytest.raises(BadInputError, match="no strategy 'luck': saved are momentum"):
        source_of(saved, "luck")


class DecidedLine:
    """A line to a desk where `a` is assigned and has decided nothing."""

    async def decisions(self, only: AssignmentId | None, limit: int) -> DecisionsView:
        assert limit == 5
        return DecisionsView(decisions=())

    async def strategies(self) -> StrategiesView:
        assigned = AssignmentView(assignment=assignment("a"), number=1)
        return StrategiesView(version=1, assignments_total=1, assignments=(assigned,))


async def test_the_log_of_what_is_no_assignment_says_which_there_are() -> None:
    line = cast(DeskLine, DecidedLine())
    for only in (None, AssignmentId("a")):
        assert await decisions(line, only, 5) == DecisionsView(decisions=())
    with pytest.raises(BadInputError, match="nothing is assigned as 'b'; there are a"):
        await decisions(line, AssignmentId("b"), 5)


def test_a_list_can_be_of_one_symbol_alone() -> None:
    """B33."""
    view = StrategiesView(
        version=1,
        texts=tuple(
            SavedView(name=name, language=Language.LUA, text_hash=key, is_newest=True)
            for name, key in (("cross", CROSS.text_hash), ("other", TextHash("ff")))
        ),
        assignments=tuple(
            AssignmentView(assignment=assignment(key, symbol=symbol), number=1)
            for key, symbol in (("a", "T"), ("b", "U"))
        ),
    )
    found = on_symbol(view, "T")
    assert [one.assignment.assignment_id for one in found.assignments] == ["a"]
    assert [one.name for one in found.texts] == ["cross"]
    with pytest.raises(BadInputError, match=r"--symbol X: nothing .* assigned are: T, U"):
        on_symbol(view, "X")
