"""Halts by hand over real processes: coordinator dead or frozen, and who notices."""

import asyncio
import json
import os
import signal
from pathlib import Path

from tandem.cli.halt_drill import ended_after
from tandem.wiring.halt_file import read_halt
from tandem.wiring.home import Home
from tandem.wiring.names import now_ns
from tandem.wiring.polling import poll
from tests.system.running import WAIT_S, is_alive, pool, processes, stop, tandem, wait_for

STOP_MS = 500  # `make drill` holds the promised 100; here other tests may keep the computer busy


def _rest(home: Path) -> None:
    """Let an order rest on every account."""
    code, out, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
    assert code == 0, out + err
    wait_for(home, lambda status: all(one.open_orders for one in status.slots))


def _trades(home: Path) -> bool:
    code, out, _ = tandem("order", "buy", "AAL", 16, "--wait", "--home", home)
    return code == 0 and "filled" in out


def _alerting(folder: Path) -> tuple[Path, Path]:
    """Return a new home whose alerts are appended to a file, and the file."""
    home, told = folder / "home", folder / "told.txt"
    home.mkdir(mode=0o700)
    script = folder / "alert.sh"
    script.write_text(f'#!/bin/sh\nprintf "%s|%s\\n" "$1" "$TANDEM_ALERT" >> {told}\n')
    script.chmod(0o700)
    (home / "tandem.toml").write_text(f'[alerts]\ncommand = ["{script}"]\n')
    return home, told


def _until_told(told: Path, text: str) -> None:
    def is_told() -> bool:
        return told.exists() and f"{text}|{text}\n" in told.read_text(encoding="utf-8")

    async def look() -> bool:
        return is_told()

    asyncio.run(asyncio.wait_for(poll(look, bool), WAIT_S))


def test_a_killed_coordinator_holds_no_halt_up_and_the_next_one_respects_it(
    tmp_path: Path,
) -> None:
    """C9 C14 F19: every order is gone by the exchange's own journal within a second."""
    home = tmp_path / "home"
    with pool(home) as process:
        _rest(home)
        before = wait_for(home, lambda _: True)
        began_ns = now_ns()
        os.kill(processes(process.pid)["coordinator"], signal.SIGKILL)
        code, out, err = tandem("halt", "lunch", "--home", home, "--json")
        assert code == 0, out + err
        report = json.loads(out)["report"]
        assert len([one for one in report["workers"] if one["account_id"]]) == 8
        assert all(one["stopped_ms"] <= STOP_MS for one in report["workers"])
        assert report["clear_ms"] <= 1_000
        ends = ended_after(Home(home), began_ns)
        assert len(ends) == 8
        after = wait_for(home, lambda one: one.coordinator_epoch > before.coordinator_epoch)
        assert (after.trading, after.reason) == ("halted", "lunch")
        code, out, _ = tandem("order", "buy", "GE", 8, "--home", home)
        assert (code, "halted: lunch" in out) == (1, True)
        assert read_halt(Home(home)) is not None
        assert tandem("resume", "--home", home)[0] == 0
        assert read_halt(Home(home)) is None
        assert _trades(home)


def test_a_frozen_coordinator_holds_no_halt_up_is_reported_and_replaced(tmp_path: Path) -> None:
    """C9 C14 C15 F6: the halt does not wait for it, and what replaces it is halted."""
    home, told = _alerting(tmp_path)
    with pool(home) as process:
        _rest(home)
        victim = processes(process.pid)["coordinator"]
        os.kill(victim, signal.SIGSTOP)
        code, out, err = tandem("halt", "frozen", "--home", home)
        assert code == 0, out + err
        assert "no coordinator took note" in out
        _until_told(told, "the coordinator is silent for 1000 ms")
        status = wait_for(home, lambda one: one.coordinator_epoch > 1)
        assert not is_alive(victim)
        assert (status.trading, status.reason) == ("halted", "frozen")
        assert "alert: the coordinator is silent" in (home / "log.txt").read_text(encoding="utf-8")
        assert tandem("resume", "--home", home)[0] == 0
        assert _trades(home)


def test_a_frozen_supervisor_is_reported_by_the_coordinator(tmp_path: Path) -> None:
    """C15: nobody else would notice."""
    home, told = _alerting(tmp_path)
    with pool(home) as process:
        os.kill(process.pid, signal.SIGSTOP)
        _until_told(told, "the supervisor is silent for 1000 ms")
        os.kill(process.pid, signal.SIGCONT)
        assert _trades(home)


def test_a_frozen_worker_is_reported_and_so_is_its_end(tmp_path: Path) -> None:
    """C15: the coordinator sees it, and the supervisor tells."""
    home, told = _alerting(tmp_path)
    with pool(home):
        victim = wait_for(home, lambda one: all(slot.ready for slot in one.slots)).slots[2]
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGSTOP)
        _until_told(told, f"worker {victim.worker} is silent")
        _until_told(told, f"{victim.worker} (process {victim.pid}) ended: killed by SIGKILL")


def test_a_halt_stands_through_the_end_of_the_whole_pool_and_is_lifted_once(
    tmp_path: Path,
) -> None:
    """C14: the next pool starts halted, also when none ran as it was typed."""
    home = tmp_path / "home"
    with pool(home) as process:
        assert tandem("halt", "night", "--home", home)[0] == 0
        assert stop(process)[0] == 0
    code, out, err = tandem("halt", "late", "--home", home)
    assert (code, out) == (3, "")
    assert "the next one starts halted" in err
    with pool(home):
        status = wait_for(home, lambda one: all(slot.ready for slot in one.slots))
        assert (status.trading, status.reason) == ("halted", "late")
        assert tandem("resume", "--home", home)[0] == 0
        assert tandem("halt", "again", "--home", home)[0] == 0
        assert tandem("halt", "and again", "--home", home)[0] == 0
        assert tandem("resume", "--home", home)[0] == 0
        assert _trades(home)


def test_a_drill_measures_a_halt_without_a_coordinator_and_trades_again(tmp_path: Path) -> None:
    """C9: on a paper pool of its own."""
    home = tmp_path / "home"
    words = ("halt", "--drill", "--kill-coordinator", "--orders", 200, "--json")
    code, out, err = tandem(*words, "--home", home)
    assert code in (0, 1), out + err
    report = json.loads(out)["report"]
    assert report["ended"] == 200
    assert (report["started_halted"], report["resumed"]) == (True, True)
    assert report["stopped_ms"] <= STOP_MS
    assert report["last_ended_ms"] <= 1_000
    code, _, err = tandem("halt", "--drill", "--orders", 1_001, "--home", home)
    assert code == 2
    assert "expected 1 to 1000" in err
    joined = tmp_path / "machine"
    (joined / "joined").mkdir(parents=True)
    code, _, err = tandem("halt", "--drill", "--home", joined)
    assert code == 2
    assert "needs a paper pool" in err


def test_a_worker_frozen_beside_a_frozen_coordinator_is_replaced_and_its_orders_go(
    tmp_path: Path,
) -> None:
    """C9 C14 F6: the halt waits for the supervisor, the new coordinator and the spare."""
    home = tmp_path / "home"
    with pool(home) as process:
        _rest(home)
        victim = wait_for(home, lambda one: all(slot.ready for slot in one.slots)).slots[4]
        assert victim.pid is not None
        os.kill(processes(process.pid)["coordinator"], signal.SIGSTOP)
        os.kill(victim.pid, signal.SIGSTOP)
        for _ in range(3):  # in its 10 s a machine that stands still replaces nobody
            code, out, err = tandem("halt", "both", "--home", home, "--json")
            if code == 0:
                break
        assert code == 0, out + err
        report = json.loads(out)["report"]
        assert victim.worker not in [one["name"] for one in report["workers"]]
        assert report["open_at_venue"][victim.account_id] == 0
        assert not is_alive(victim.pid)
        assert tandem("resume", "--home", home)[0] == 0
        wait_for(home, lambda one: all(slot.ready for slot in one.slots))
        assert _trades(home)


def test_one_symbol_is_halted_and_seen_gone_and_the_rest_trades_on(tmp_path: Path) -> None:
    """A28 C14: also through a new coordinator, until it is resumed by name."""
    home = tmp_path / "home"
    with pool(home) as process:
        _rest(home)
        code, out, err = tandem("halt", "GE", "--reason", "odd prints", "--home", home)
        assert (code, "nothing of it is open at the exchange" in out) == (0, True), out + err
        before = wait_for(home, lambda _: True)
        os.kill(processes(process.pid)["coordinator"], signal.SIGKILL)
        wait_for(home, lambda one: one.coordinator_epoch > before.coordinator_epoch)
        after = wait_for(home, lambda one: all(slot.ready for slot in one.slots))
        assert [one.symbol for one in after.halted] == ["GE"]
        code, out, _ = tandem("order", "buy", "GE", 8, "--home", home)
        assert (code, "GE is halted: odd prints" in out) == (1, True)
        assert tandem("order", "buy", "AAL", 8, "--home", home, "--wait")[0] == 0
        assert "GE is halted: odd prints" in tandem("status", "--home", home)[1]
        assert "GE is halted: odd prints" in tandem("limits", "show", "--home", home)[1]
        assert tandem("resume", "GE", "--home", home)[0] == 0
        assert tandem("order", "buy", "GE", 8, "--home", home)[0] == 0
