"""The paper's workflow demo."""

import os
import signal
from pathlib import Path

import pytest

from tandem.core.matching import listing
from tandem.core.trading.share_list import parse
from tandem.domain.instrument import Catalogue
from tandem.wiring.demo_journal import DemoJournal, Step
from tandem.wiring.home import Home
from tests.system.running import SHARE_LIST, ended_at_last, longer_list, start, tandem, wait_for
from tests.system.verdict import judge

GOLDEN = Path(__file__).parent.parent / "golden" / "demo.txt"
ROUNDS = 8
LINES = 20 * ROUNDS


def test_the_demo_prints_the_lines_of_the_paper(tmp_path: Path) -> None:
    """A31, A32, A33: byte for byte, with the spaces of the list, the journal being named."""
    home = tmp_path / "home"
    code, out, err = tandem("demo", SHARE_LIST, "--home", home, "--run", "golden")
    assert code == 0, err
    assert out.replace(str(home), "HOME") == GOLDEN.read_text(encoding="utf-8")
    assert judge(home, SHARE_LIST).is_good


def test_a_demo_that_was_killed_goes_on_at_the_next_unsent_command(tmp_path: Path) -> None:
    """A32, A33: over both, each command is sent and logged once."""
    home = tmp_path / "home"
    longer = longer_list(tmp_path, ROUNDS)
    with ended_at_last(start("demo", longer, "--home", home)) as process:
        wait_for(home, lambda status: status.parents_open + status.parents_done >= 6)
        os.kill(process.pid, signal.SIGKILL)
        first, _ = process.communicate()
    with DemoJournal(Home(home)) as journal:
        run = journal.unfinished(_texts(longer))
        assert run is not None
        sent = sum(journal.has(run.name, Step.SENT, place) for place in range(LINES))
    assert 1 <= sent < LINES
    code, second, err = tandem("demo", longer, "--home", home)
    assert code == 0, err
    assert f"demo {run.name} goes on" in err
    assert second.count("Message Sent") == LINES - sent
    # A kill between note and print may swallow one line of the first; none is printed twice.
    assert LINES - 1 <= (first + second).count("Message Sent\n") <= LINES
    assert second.count("Command Logged") == LINES
    assert judge(home, longer).is_good


def _texts(path: Path) -> tuple[str, ...]:
    with path.open("rb") as source:
        return tuple(one.text for one in parse(source, Catalogue(listing.instruments()), ()))


def test_a_command_is_noted_once_however_often_it_comes(tmp_path: Path) -> None:
    """A33, F9: through a restart, too."""
    home = Home(tmp_path / "home")
    home.make()
    with DemoJournal(home) as journal:
        journal.store("one", ("T buy 10 ALL", "GE buy 10 ALL"))
        journal.note("one", Step.LOGGED, 0)
    with DemoJournal(home) as journal:
        assert journal.has("one", Step.LOGGED, 0)
        assert not journal.has("one", Step.LOGGED, 1)
        assert not journal.has("one", Step.SENT, 0)
        assert journal.unfinished(("T buy 10 ALL", "GE buy 10 ALL")) is not None
        assert journal.unfinished(("T buy 10 ALL",)) is None
        journal.note("one", Step.LOGGED, 1)
        assert journal.unfinished(("T buy 10 ALL", "GE buy 10 ALL")) is None


def test_a_demo_of_that_name_keeps_its_list(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    with DemoJournal(home) as journal:
        journal.store("other", ("T buy 10 ALL",))
    code, out, err = tandem("demo", SHARE_LIST, "--home", home.folder, "--run", "other")
    assert (code, out) == (2, "")
    assert "another list" in err


@pytest.mark.parametrize("content", ["T buy\n", ""])
def test_a_malformed_list_stores_nothing(tmp_path: Path, content: str) -> None:
    """A31."""
    file = tmp_path / "list.txt"
    file.write_text(content, encoding="utf-8")
    code, out, err = tandem("demo", file, "--home", tmp_path / "home")
    assert (code, out) == (2, "")
    assert "line 1" in err
