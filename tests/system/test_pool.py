"""A pool that is supervised: ends, hangs, restarts, and the end of it all."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tandem.domain.views import StatusView
from tests.system.running import (
    SHARE_LIST,
    is_alive,
    pool,
    processes,
    start,
    stop,
    tandem,
    wait_for,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """One pool for the tests that leave it as they found it."""
    home = tmp_path_factory.mktemp("pool") / "home"
    with pool(home) as process:
        yield home, process.pid


def _status(home: Path) -> dict[str, object]:
    code, out, err = tandem("status", "--home", home, "--json")
    assert code in (0, 1), err
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def test_a_killed_coordinator_is_back_and_knows_its_orders(
    running: tuple[Path, int],
) -> None:
    """F19, C2: an order rests at the exchange through its coordinator's death."""
    home, supervisor = running
    code, _, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
    assert code == 0, err
    before = wait_for(home, lambda status: all(one.open_orders for one in status.slots))
    os.kill(processes(supervisor)["coordinator"], signal.SIGKILL)
    after = wait_for(home, lambda one: one.coordinator_epoch > before.coordinator_epoch)
    assert after.parents_open == 1
    assert after.pool == "trading"
    code, out, err = tandem("order", "cancel", "--all", "--wait", "--home", home)
    assert code == 0, out + err


def test_a_killed_exchange_comes_back_with_its_books(running: tuple[Path, int]) -> None:
    """F4: accounts and orders are those of before, and trading goes on."""
    home, supervisor = running
    os.kill(processes(supervisor)["exchange"], signal.SIGKILL)
    code, out, err = tandem("order", "buy", "AAL", 16, "--wait", "--home", home)
    assert code == 0, out + err
    assert "filled" in out


def test_a_killed_worker_is_replaced_and_a_new_spare_started(running: tuple[Path, int]) -> None:
    """A18, C2, F3."""
    home, _ = running
    whole = wait_for(home, lambda one: _is_whole(one.slots, one.workers))
    victim = whole.slots[0]
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    after = wait_for(
        home,
        lambda one: (
            one.slots[0].pid not in (victim.pid, None) and _is_whole(one.slots, one.workers)
        ),
    )
    assert after.slots[0].epoch == victim.epoch + 1


def _is_whole(slots: tuple[object, ...], workers: tuple[object, ...]) -> bool:
    spares = [one for one in workers if getattr(one, "slot_id", "") is None]
    ready = all(getattr(one, "ready", False) for one in slots)
    return ready and len(spares) == 1 and getattr(spares[0], "confirmed", False)


def test_a_killed_spare_is_replaced(running: tuple[Path, int]) -> None:
    home, _ = running
    whole = wait_for(home, lambda one: _is_whole(one.slots, one.workers))
    spare = next(one for one in whole.workers if one.slot_id is None)
    os.kill(spare.pid, signal.SIGKILL)
    after = wait_for(
        home,
        lambda one: (
            _is_whole(one.slots, one.workers)
            and all(worker.pid != spare.pid for worker in one.workers)
        ),
    )
    assert [one.worker for one in after.slots] == [one.worker for one in whole.slots]


def test_when_the_nursery_is_killed_everything_is_started_anew(
    running: tuple[Path, int],
) -> None:
    """Its children end with it; orders and accounts are what the journals say."""
    home, supervisor = running
    whole = wait_for(home, lambda one: _is_whole(one.slots, one.workers))
    os.kill(processes(supervisor)["nursery"], signal.SIGKILL)
    wait_for(
        home,
        lambda one: (
            one.coordinator_epoch > whole.coordinator_epoch and _is_whole(one.slots, one.workers)
        ),
    )
    code, out, err = tandem("order", "buy", "INTC", 16, "--wait", "--home", home)
    assert code == 0, out + err
    assert "filled" in out


def test_a_worker_that_hangs_is_killed_and_replaced(running: tuple[Path, int]) -> None:
    """A17, F5: it is silent beyond its alarm, and its account goes to the spare."""
    home, _ = running
    whole = wait_for(home, lambda one: _is_whole(one.slots, one.workers))
    victim = whole.slots[3]
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGSTOP)
    wait_for(home, lambda one: one.slots[3].pid not in (victim.pid, None))
    assert not is_alive(victim.pid)


def test_a_swap_puts_the_spare_on_the_slot(running: tuple[Path, int]) -> None:
    """A18."""
    home, _ = running
    whole = wait_for(home, lambda one: _is_whole(one.slots, one.workers))
    code, out, err = tandem("swap", "w5", "--home", home)
    assert code == 0, err
    assert "is being replaced" in out
    wait_for(home, lambda one: one.slots[4].worker not in (whole.slots[4].worker, None))
    code, out, _ = tandem("swap", "w99", "--home", home)
    assert code == 1
    assert "refused" in out


def test_a_halt_refuses_orders_until_resumed(running: tuple[Path, int]) -> None:
    home, _ = running
    assert tandem("halt", "lunch", "--home", home)[0] == 0
    code, out, _ = tandem("order", "buy", "GE", 8, "--home", home)
    assert code == 1
    assert "halted: lunch" in out
    assert tandem("status", "--home", home)[0] == 1
    code, out, err = tandem("trade", SHARE_LIST, "--home", home, "--run", "halted")
    assert (code, out) == (1, "")
    assert "tandem resume" in err
    assert tandem("resume", "--home", home)[0] == 0
    assert tandem("status", "--home", home)[0] == 0


def test_an_own_order_is_never_met_and_the_refusal_names_it(running: tuple[Path, int]) -> None:
    """A11, C1."""
    home, _ = running
    code, out, err = tandem("order", "buy", "BAC", 8, "--price", "41.00", "--home", home, "--json")
    assert code == 0, err
    order_id = json.loads(out)["says"]["order_id"]
    code, out, _ = tandem("order", "sell", "BAC", 8, "--price", "40.00", "--home", home)
    assert code == 1
    assert f"self_trade): it could meet your own order {order_id}-" in out
    assert tandem("order", "cancel", order_id, "--wait", "--home", home)[0] == 0


def test_an_order_is_shown_hop_by_hop(running: tuple[Path, int]) -> None:
    """A36."""
    home, _ = running
    code, out, err = tandem("order", "buy", "T", 16, "--wait", "--json", "--home", home)
    assert code == 0, err
    order_id = json.loads(out)["parents"][0]["parent_id"]
    code, out, err = tandem("orders", "show", order_id, "--json", "--home", home)
    assert code == 0, err
    attempts = json.loads(out)["attempts"]
    assert len(attempts) == 8
    for one in attempts:
        whats = [hop["what"].split()[0] for hop in one["hops"]]
        assert whats[:3] == ["planned", "released", "sent"]
        assert "filled" in whats
        times = [hop["at_ns"] for hop in one["hops"]]
        assert times == sorted(times)
    assert tandem("orders", "show", "nothing", "--home", home)[0] == 1


def test_the_same_command_id_is_done_once(running: tuple[Path, int]) -> None:
    """F9: the same content gets the same answer, other content is refused."""
    home, _ = running
    first = tandem("order", "buy", "F", 8, "--id", "mine-1", "--home", home)
    assert first[0] == 0
    assert tandem("order", "buy", "F", 8, "--id", "mine-1", "--home", home) == first
    code, out, _ = tandem("order", "buy", "F", 16, "--id", "mine-1", "--home", home)
    assert code == 1
    assert "other content" in out


def test_a_second_pool_in_one_home_is_refused_by_name(running: tuple[Path, int]) -> None:
    home, supervisor = running
    code, out, err = tandem("up", "--home", home)
    assert (code, out) == (2, "")
    assert f"process {supervisor}" in err


def test_what_cannot_be_is_refused_with_what_was_expected(running: tuple[Path, int]) -> None:
    """A7."""
    home, _ = running
    for words, expected in (
        (("buy", "NOPE", "8"), "no symbol 'NOPE'"),
        (("buy", "GE", "8.5"), "positive multiple of 1"),
        (("buy", "GE", "-8"), ""),
        (("buy", "GE", "8", "--price", "1.001"), "positive multiple of 0.01"),
        (("buy", "GE", "8", "--slots", "w77"), "no slot 'w77'"),
        (("cancel",), "--all"),
        (("both", "GE", "8", "--buy", "1", "--sell", "2", "--for", "soon"), "duration"),
    ):
        code, _, err = tandem("order", *words, "--home", home)
        assert code == 2, words
        assert expected in err


def test_both_journals_replay_to_the_same_effects(running: tuple[Path, int]) -> None:
    """C6: while they are being written."""
    home, _ = running
    code, out, err = tandem("replay", "--home", home)
    assert code == 0, err
    assert out.count("gave the same effects, byte for byte") == 2
    assert tandem("log", "verify", "--home", home)[0] == 0


def test_positions_are_shown_and_balance(running: tuple[Path, int]) -> None:
    home, _ = running
    code, out, err = tandem("positions", "--home", home, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["balanced"] is True
    assert len(found["cash"]) == 16


def _with_an_open_order(home: Path, process: subprocess.Popen[str]) -> dict[str, int]:
    code, out, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
    assert code == 0, out + err
    wait_for(home, lambda status: all(one.open_orders for one in status.slots))
    return processes(process.pid)


def test_the_end_cancels_open_orders_and_leaves_nothing(tmp_path: Path) -> None:
    """A11, I2: no process, socket or half file; the exchange has no open order."""
    home = tmp_path / "home"
    with pool(home) as process:
        named = _with_an_open_order(home, process)
        code, out, err = stop(process)
    assert code == 0, err
    assert "none is open at the exchange" in out
    assert not [name for name, pid in named.items() if is_alive(pid)]
    left = sorted(path.name for path in home.rglob("*") if path.is_file())
    assert left == [
        ".lock",
        ".lock",
        "log.txt",
        "paper.json",
        "reserve",
        "reserve",
        "segment-00000001",
        "segment-00000001",
        "supervisor.lock",
    ]


def test_orders_that_are_kept_are_there_at_the_next_start(tmp_path: Path) -> None:
    """I2: nobody forgets them, and the next pool can cancel them."""
    home = tmp_path / "home"
    with pool(home, "--on-exit", "keep") as process:
        _with_an_open_order(home, process)
        code, out, _ = stop(process)
    assert code == 0
    assert "stay open" in out
    with pool(home) as process:
        status = wait_for(home, lambda one: all(slot.ready for slot in one.slots))
        assert status.parents_open == 1
        code, out, err = stop(process)
    assert code == 0, out + err
    assert "none is open at the exchange" in out


def test_a_damaged_journal_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    """F12: the pool gives up with a reason instead of trying for ever."""
    home = tmp_path / "home"
    with pool(home) as process:
        stop(process)
    segment = home / "coordinator" / "segment-00000001"
    content = bytearray(segment.read_bytes())
    content[200] ^= 1
    segment.write_bytes(content)
    process = start("up", "--home", home, "--plain")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1, out
    assert "JournalCorruptError" in err
    assert "segment-00000001" in err
    code, _, err = tandem("log", "verify", "--home", home)
    assert code == 1
    assert "segment-00000001" in err


def test_a_coordinator_that_ends_three_times_in_a_row_starts_halted(tmp_path: Path) -> None:
    """F19: and one that ends three times more is given up."""
    home = tmp_path / "home"
    with pool(home) as process:
        for epoch in (2, 3, 4):
            os.kill(processes(process.pid)["coordinator"], signal.SIGTERM)
            status = wait_for(home, _has_started(epoch))
        assert status.trading == "halted"
        assert "ended 3 times in a row" in status.reason
        for epoch in (5, 6):
            os.kill(processes(process.pid)["coordinator"], signal.SIGTERM)
            wait_for(home, _has_started(epoch))
        named = processes(process.pid)
        os.kill(named["coordinator"], signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1, out
    assert "starting halted" in out
    assert "again and again" in err
    assert not [name for name, pid in named.items() if is_alive(pid)]


def _has_started(times: int) -> Callable[[StatusView], bool]:
    return lambda status: status.coordinator_epoch >= times


def test_without_a_pool_there_is_no_coordinator(tmp_path: Path) -> None:
    for words in (
        ("status",),
        ("orders",),
        ("positions",),
        ("halt",),
        ("order", "cancel", "--all"),
    ):
        code, out, err = tandem(*words, "--home", tmp_path / "home")
        assert (code, out) == (3, ""), words
        assert "no pool runs here" in err
