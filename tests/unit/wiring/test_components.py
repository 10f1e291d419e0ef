"""One component in a process of its own: what is refused before anything is touched. B28."""

from pathlib import Path

import pytest

from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import PageSync
from tandem.domain.errors import ConfigurationError, JournalBusyError
from tandem.wiring.components import run_coordinator, run_exchange, run_other
from tandem.wiring.home import Home, HomeBusyError, HomeLock
from tandem.wiring.roles import Role


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "é", "-a", "a" * 33, "exchange"])
def test_a_component_s_name_is_a_plain_word_of_its_own(name: str, tmp_path: Path) -> None:
    """B28: files are called like it."""
    home = Home(tmp_path / "home")
    for role in (Role.WORKER, Role.EVALUATOR):
        with pytest.raises(ConfigurationError, match="expected 1 to 32 letters, digits and '-'"):
            run_other(home, role, name)
    assert not home.folder.exists()


@pytest.mark.parametrize("workers", [-2, 0, 1, 1_001])
def test_too_few_workers_and_too_many_are_refused_at_once(workers: int, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(ConfigurationError, match=f"--workers {workers}: expected 2 to 1000"):
        run_coordinator(Home(tmp_path), workers=workers, say=said.append)
    assert said == []


def test_a_second_exchange_leaves_what_the_first_one_plays_as_it_is(tmp_path: Path) -> None:
    """B28."""
    home = Home(tmp_path / "home")
    home.make()
    home.stage_file.write_text("the first one's")
    first = FolderDisk(home.exchange, PageSync())
    try:
        with pytest.raises(JournalBusyError, match="in use by process"):
            run_exchange(home, replay=None, strategies=None)
    finally:
        first.close()
    assert home.stage_file.read_text() == "the first one's"
    assert not home.paper_file.exists()


def test_a_coordinator_beside_a_pool_is_refused_at_once(tmp_path: Path) -> None:
    """B28: it does not wait for an exchange that never comes."""
    home = Home(tmp_path / "home")
    home.make()
    lock = HomeLock(home)
    try:
        with pytest.raises(HomeBusyError, match="a pool runs here already"):
            run_coordinator(home, workers=2, say=print)
    finally:
        lock.release()


def test_who_starts_a_pool_forgets_what_a_killed_exchange_played(tmp_path: Path) -> None:
    """B28: else a component that is started later would join what is not there."""
    home = Home(tmp_path / "home")
    home.make()
    home.stage_file.write_text("what it played")
    home.sweep()
    assert not home.stage_file.exists()
