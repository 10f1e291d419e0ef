"""The paper's share list with real processes."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tandem.wiring.home import SOCKETS
from tests.system.running import (
    SHARE_LIST,
    ended_at_last,
    is_alive,
    longer_list,
    processes,
    start,
    tandem,
    wait_for,
)
from tests.system.verdict import judge

ROUNDS = 12


def _files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


def test_a_share_list_trades_whole_while_a_worker_is_killed(tmp_path: Path) -> None:
    """A3, A5, A10, A18, A31, C2, C4: all filled, once, sums equal to the exchange's own books."""
    home = tmp_path / "home"
    code, out, err = tandem("trade", SHARE_LIST, "--home", home, "--drill", "--run", "first")
    assert code == 0, out + err
    assert "9 workers configured: 8 trade, 1 spare" in err
    assert out.count(" filled\n") == 20
    assert "equal to the last digit" in out
    assert "drives A" in out
    assert "coordinator journal whole" in out
    verdict = judge(home, SHARE_LIST)
    assert verdict.is_good, verdict
    assert verdict.fills >= 160
    assert not [name for name in _files(home) if name.endswith((".new", *SOCKETS))]


def test_the_same_run_typed_again_trades_nothing_twice(tmp_path: Path) -> None:
    """A10, I1: the earlier result is shown again, and the exchange has nothing new."""
    home = tmp_path / "home"
    arguments = ("trade", SHARE_LIST, "--home", home, "--run", "same", "--json")
    code, first, err = tandem(*arguments)
    assert code == 0, err
    code, second, err = tandem(*arguments)
    assert code == 0, err
    assert "20 orders had been taken before" in err
    once, again = json.loads(first), json.loads(second)
    assert again["orders"] == once["orders"]
    assert again["books"] == once["books"]
    assert judge(home, SHARE_LIST).is_good


def test_a_run_goes_on_where_it_stood_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """A18, F2, F3, F19: the pool ends with its supervisor, and the same command continues."""
    home = tmp_path / "home"
    longer = longer_list(tmp_path, ROUNDS)
    arguments = ("trade", longer, "--home", home, "--run", "killed")
    with ended_at_last(start(*arguments)) as process:
        wait_for(home, lambda status: status.parents_open + status.parents_done >= 5)
        pool = processes(process.pid)
        assert {"nursery", "coordinator", "exchange"} <= set(pool)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _until_gone(pool)
    code, out, err = tandem(*arguments)
    assert code == 0, out + err
    assert "orders had been taken before" in err
    assert judge(home, longer).is_good


def _until_gone(pool: dict[str, int]) -> None:
    """The kernel ends the children within moments; it is waited for at most ten seconds."""
    end = time.monotonic() + 10
    while alive := [name for name, pid in pool.items() if is_alive(pid)]:
        assert time.monotonic() < end, f"{alive} outlive their supervisor"


def test_ctrl_c_while_a_list_is_traded_leaves_nothing_running(tmp_path: Path) -> None:
    """A11: and the run can be continued."""
    home = tmp_path / "home"
    longer = longer_list(tmp_path, ROUNDS)
    arguments = ("trade", longer, "--home", home, "--run", "interrupted")
    with ended_at_last(start(*arguments)) as process:
        wait_for(home, lambda status: status.parents_open + status.parents_done >= 2)
        pool = processes(process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert not [name for name, pid in pool.items() if is_alive(pid)]
    assert not list((home / "run").iterdir())
    tandem(*arguments)
    verdict = judge(home, longer)
    # What Ctrl-C canceled stays canceled: it may be missing, but nothing is there twice.
    assert (verdict.repeated, verdict.crossed, verdict.open_orders) == (0, 0, 0)


def test_the_list_trades_on_a_pool_that_runs_already(tmp_path: Path) -> None:
    home = tmp_path / "home"
    few = tmp_path / "few.txt"
    few.write_text("TSLA buy 3 EACH\nGE sell 8 w1,w3\n", encoding="utf-8")
    with ended_at_last(start("up", "--home", home, "--plain", "--workers", 5)) as process:
        wait_for(home, lambda status: status.pool == "trading" and status.priced > 0)
        code, out, err = tandem("trade", few, "--home", home, "--json")
        assert code == 0, out + err
        assert f"as process {process.pid}" in err
    found = json.loads(out)
    assert [one["order"]["children"] for one in found["orders"]] == [4, 2]
    assert judge(home, few, workers=4).is_good


@pytest.mark.parametrize("wrong", ["9 lives", "-x", "a" * 65])
def test_a_run_has_a_name_that_can_be_typed_again(tmp_path: Path, wrong: str) -> None:
    code, out, err = tandem("trade", SHARE_LIST, "--home", tmp_path / "home", f"--run={wrong}")
    assert (code, out) == (2, "")
    assert "--run" in err
