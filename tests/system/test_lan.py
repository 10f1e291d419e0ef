"""Another computer's workers trade for a pool: joined, drained, removed, and back again.

Both computers are this one; they share nothing but TCP ports.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.domain.views import StatusView
from tests.system.lan_running import HERE, free_ports, lines_until, machine, token_of
from tests.system.running import is_alive, pool, processes, stop, tandem, wait_for


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A pool of four accounts and no spare of its own, and the port where others join it."""
    home, port = tmp_path_factory.mktemp("tower") / "home", free_ports()
    home.mkdir(mode=0o700)
    (home / "tandem.toml").write_text("accounts = 4\n", encoding="utf-8")
    with pool(home, "--workers", 4, "--lan", f"{HERE}:{port}"):
        yield home, port


def _in_pool(status: StatusView, name: str) -> list[str]:
    return [
        one.name
        for one in status.workers
        if one.machine == name and one.connected and one.confirmed
    ]


def test_workers_of_another_computer_trade_and_hand_over_and_are_removed(
    tower: tuple[Path, int], tmp_path: Path
) -> None:
    """A4, A42, A43: without a gap."""
    home, port = tower
    arguments = (f"{HERE}:{port}", "--token", token_of(home), "--name", "laptop", "--workers", 2)
    with machine(tmp_path / "laptop", *arguments) as laptop:
        lines = lines_until(laptop, "in the pool", 2)
        assert f"at {HERE}:{port} as laptop" in lines[0]
        wait_for(home, lambda status: len(_in_pool(status, "laptop")) == 2)
        taken = taken_over(home, "laptop")
        lines_until(laptop, "holds account")
        for symbol in ("T", "GE", "AAL"):
            code, out, err = tandem("order", "buy", symbol, 16, "--wait", "--home", home)
            assert code == 0, out + err
            assert "filled" in out
        code, out, err = tandem("worker", "drain", taken, "--home", home)
        assert code == 0, out + err
        wait_for(home, lambda status: _slots_of(status, taken) == [])
        lines_until(laptop, f"{taken}: gave account")
        code, out, err = tandem("worker", "remove", "laptop", "--home", home)
        assert code == 0, out + err
        out, err = laptop.communicate(timeout=20)
        assert laptop.returncode == 1
        assert "laptop was removed from the pool" in out + err
    status = wait_for(home, lambda one: sum(slot.ready for slot in one.slots) == 4)
    assert status.trading == "active"
    code, out, err = tandem("order", "sell", "T", 16, "--wait", "--home", home)
    assert code == 0, out + err
    code, _, err = tandem("worker", "join", f"{HERE}:{port}", "--home", tmp_path / "laptop")
    assert code == 1
    assert "laptop was removed from the pool: use a new token" in err


def taken_over(home: Path, name: str) -> str:
    """Swap slots until a worker of that machine has one; return the worker's name."""
    for _ in range(20):
        status = wait_for(home, lambda one: all(slot.ready for slot in one.slots if slot.active))
        for slot in status.slots:
            if slot.worker is not None and slot.worker.startswith(name):
                return slot.worker
        code, out, err = tandem("swap", "w1", "--home", home)
        assert code == 0, out + err
        epoch = status.slots[0].epoch
        wait_for(home, lambda one: one.slots[0].epoch > epoch)  # noqa: B023 - used at once
    raise AssertionError(f"no slot came to {name}")


def _slots_of(status: StatusView, worker: str) -> list[str]:
    return [slot.slot_id for slot in status.slots if slot.worker == worker]


def test_a_computer_ends_clean_and_comes_back_without_a_token(
    tower: tuple[Path, int], tmp_path: Path
) -> None:
    home, port = tower
    arguments = (f"{HERE}:{port}", "--token", token_of(home), "--name", "desktop")
    with machine(tmp_path / "desktop", *arguments) as desktop:
        lines_until(desktop, "in the pool")
        of_desktop = processes(desktop.pid)
        assert {"nursery", "desktop-1"} <= of_desktop.keys()
        code, out, err = stop(desktop)
        assert code == 0, out + err
        assert "all workers have ended" in out
        assert not [pid for pid in of_desktop.values() if is_alive(pid)]
    with machine(tmp_path / "desktop", f"{HERE}:{port}") as desktop:
        lines_until(desktop, "in the pool")
        wait_for(home, lambda status: bool(_in_pool(status, "desktop")))
        code, out, _ = tandem("worker", "list", "--json", "--home", home)
        listed = json.loads(out)
        assert code == 0
        names = {one["machine"]: one["workers"] for one in listed["machines"]}
        assert any(one["connected"] for one in names["desktop"])


def test_a_worker_that_dies_elsewhere_is_replaced_there(
    tower: tuple[Path, int], tmp_path: Path
) -> None:
    """A18."""
    home, port = tower
    arguments = (f"{HERE}:{port}", "--token", token_of(home), "--name", "attic")
    with machine(tmp_path / "attic", *arguments) as attic:
        lines_until(attic, "in the pool")
        os.kill(processes(attic.pid)["attic-1"], signal.SIGKILL)
        lines = lines_until(attic, "attic-2: in the pool")
        assert any("attic-1" in line and "killed by SIGKILL" in line for line in lines)
        os.kill(processes(attic.pid)["nursery"], signal.SIGKILL)
        lines_until(attic, "attic-3: in the pool")
        wait_for(home, lambda status: "attic-3" in _in_pool(status, "attic"))


def test_a_pool_is_found_on_the_lan(tower: tuple[Path, int], tmp_path: Path) -> None:
    """A4: nobody need know the address."""
    home, _ = tower
    arguments = ("--token", token_of(home), "--name", "finder")
    with machine(tmp_path / "finder", *arguments) as finder:
        lines = lines_until(finder, "in the pool")
        assert "looking for tandem-" in lines[0]
        assert " as finder" in lines[1]


def test_when_the_coordinator_is_killed_the_others_are_back_soon(
    tower: tuple[Path, int], tmp_path: Path
) -> None:
    """F19: and they say that it was away."""
    home, port = tower
    before = wait_for(home, lambda _: True).coordinator_epoch
    arguments = (f"{HERE}:{port}", "--token", token_of(home), "--name", "garage")
    with machine(tmp_path / "garage", *arguments) as garage:
        lines_until(garage, "in the pool")
        os.kill(_coordinator(home), signal.SIGKILL)
        lines_until(garage, "in the pool")
        wait_for(
            home,
            lambda one: one.coordinator_epoch > before and bool(_in_pool(one, "garage")),
        )


def _coordinator(home: Path) -> int:
    pid = int((home / "supervisor.lock").read_text(encoding="ascii"))
    return processes(pid)["coordinator"]


def test_two_pools_on_one_port_are_refused_at_the_start(
    tower: tuple[Path, int], tmp_path: Path
) -> None:
    _, port = tower
    arguments = ("up", "--lan", f"{HERE}:{port}", "--home", tmp_path / "home", "--plain")
    code, _, err = tandem(*arguments)
    assert code == 2
    assert f"cannot listen at {HERE}:{port}" in err
