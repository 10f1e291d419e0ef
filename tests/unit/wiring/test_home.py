"""The home folder and its lock."""

import os
from pathlib import Path

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.wiring.home import Home, HomeBusyError, HomeLock, default_folder


def test_one_process_holds_a_home_and_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    assert home.running_pid() is None
    lock = HomeLock(home)
    assert home.running_pid() == os.getpid()
    with pytest.raises(HomeBusyError, match=f"process {os.getpid()}") as caught:
        HomeLock(home)
    assert caught.value.pid == os.getpid()
    lock.release()
    assert home.running_pid() is None
    HomeLock(home).release()


def test_a_home_that_is_not_there_runs_nothing_and_is_not_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert home.running_pid() is None
    assert not home.folder.exists()


def test_a_home_is_closed_to_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    assert home.folder.stat().st_mode & 0o777 == 0o700
    assert home.run.stat().st_mode & 0o777 == 0o700
    home.run.chmod(0o755)
    with pytest.raises(ConfigurationError, match="open to others"):
        home.make()


def test_sockets_and_faults_of_a_dead_run_are_swept_and_nothing_else(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    for name in ("control.sock", "p1.fault", "mine.txt"):
        (home.run / name).touch()
    home.sweep()
    assert [path.name for path in home.run.iterdir()] == ["mine.txt"]


def test_own_sockets_are_found_by_name_and_swept(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert home.own_sockets() == {}
    home.make()
    for name in ("control.sock", "p2.control.sock", "coordinator.control.sock"):
        (home.run / name).touch()
    assert home.own_sockets() == {
        "coordinator": home.own_socket("coordinator"),
        "p2": home.own_socket("p2"),
    }
    home.sweep()
    assert list(home.run.iterdir()) == []


def test_the_usual_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/tandem")
    monkeypatch.setenv("HOME", "/person")
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", value)
        assert default_folder() == Path("/person/.local/share/tandem")
