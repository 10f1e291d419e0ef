"""Workers of another computer are halted without the coordinator: from the pool, and from there."""

import json
import os
import signal
from pathlib import Path

from tandem.domain.views import StatusView
from tandem.wiring.halt_file import read_halt
from tandem.wiring.home import Home
from tests.system.lan_running import HERE, free_ports, lines_until, machine, token_of
from tests.system.running import pool, processes, tandem, wait_for


def _slot_of(status: StatusView, machine_name: str) -> str | None:
    for one in status.slots:
        if one.ready and one.worker is not None and one.worker.startswith(f"{machine_name}-"):
            return one.slot_id
    return None


def test_a_halt_reaches_workers_elsewhere_while_the_coordinator_is_frozen(tmp_path: Path) -> None:
    """C9 C14: over the relay; and a halt that is typed there halts the whole pool."""
    home, laptop_home, port = tmp_path / "home", tmp_path / "laptop", free_ports()
    home.mkdir(mode=0o700)
    (home / "tandem.toml").write_text("accounts = 2\n", encoding="utf-8")
    with pool(home, "--workers", 2, "--lan", f"{HERE}:{port}") as process:
        words = (f"{HERE}:{port}", "--token", token_of(home), "--name", "laptop", "--workers", 1)
        with machine(laptop_home, *words) as laptop:
            lines_until(laptop, "in the pool")
            wait_for(home, lambda one: any(two.name == "laptop-1" for two in one.workers))
            assert tandem("swap", "w1", "--home", home)[0] == 0
            wait_for(home, lambda one: _slot_of(one, "laptop") is not None)
            code, out, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
            assert code == 0, out + err
            wait_for(home, lambda one: all(slot.open_orders for slot in one.slots))

            os.kill(processes(process.pid)["coordinator"], signal.SIGSTOP)
            code, out, err = tandem("halt", "frozen", "--home", home, "--json")
            assert code == 0, out + err
            report = json.loads(out)["report"]
            rows = {one["name"]: one for one in report["workers"]}
            assert rows["laptop-1"]["cancels"] == 1
            assert rows["laptop-1"]["stopped_ms"] <= 500
            assert rows["laptop-1"]["verified_ms"] <= 1_000
            assert report["coordinator_ms"] is None
            assert report["clear_ms"] <= 1_000

            status = wait_for(home, lambda one: one.coordinator_epoch > 1)
            assert status.trading == "halted"
            assert tandem("resume", "--home", home)[0] == 0
            wait_for(home, lambda one: _slot_of(one, "laptop") is not None)
            code, out, err = tandem("order", "buy", "AAL", 16, "--wait", "--home", home)
            assert code == 0, out + err

            code, out, err = tandem("halt", "fire", "--home", laptop_home)
            assert code == 0, out + err
            assert "halts the whole pool" in out
            status = wait_for(home, lambda one: one.trading == "halted")
            assert status.reason == "fire"
            assert read_halt(Home(laptop_home)) is None
            assert tandem("resume", "--home", home)[0] == 0
            code, out, err = tandem("order", "buy", "AAL", 16, "--wait", "--home", home)
            assert code == 0, out + err
