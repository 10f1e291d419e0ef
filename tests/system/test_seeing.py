"""What can be seen of a pool of real processes: metrics, the trace of an order, `tandem top`."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from prometheus_client.parser import text_string_to_metric_families
from textual.pilot import Pilot
from textual.widgets import Static

from tandem.cli.top_screen import Top
from tandem.domain.desk import SECOND
from tandem.wiring.asking import desk_line
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.home import Home
from tests.system.running import (
    RUN,
    WAIT_S,
    environment,
    pool,
    processes,
    stop,
    tandem,
    wait_for,
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int, int]]:
    """One pool that serves metrics: its home, its supervisor, its port."""
    home = tmp_path_factory.mktemp("seeing") / "home"
    port = free_port()
    with pool(home, "--metrics", port) as process:
        yield home, process.pid, port


def ask(port: int, *, method: str = "GET", path: str = "/metrics") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(port: int) -> dict[tuple[str, ...], float]:
    status, page = ask(port)
    assert status == 200
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(page)
        for one in family.samples
    }


def test_a_scrape_finds_the_orders_that_were_traded(running: tuple[Path, int, int]) -> None:
    """C13."""
    home, _, port = running
    wait_for(home, lambda one: all(slot.ready for slot in one.slots))
    before = scrape(port)
    assert before["tandem_slots", "ready"] == 8
    code, out, err = tandem("order", "buy", "T", 16, "--wait", "--home", home)
    assert code == 0, out + err
    after = scrape(port)
    assert after["tandem_orders_ended_total", "filled"] == (
        before["tandem_orders_ended_total", "filled"] + 1
    )
    for span in ("begun_released", "released_sent", "released_accepted", "released_filled"):
        key = ("tandem_latency_seconds_count", span)
        assert after[key] == before[key] + 8, span
    assert 0 < after["tandem_latency_seconds_sum", "released_filled"] < 8 * WAIT_S  # no other unit
    assert tandem("swap", "w99", "--home", home)[0] == 1
    assert scrape(port)["tandem_refusals_total", "unknown_slot"] == 1


def test_only_the_page_is_served(running: tuple[Path, int, int]) -> None:
    _, _, port = running
    assert ask(port, method="HEAD") == (200, "")
    assert ask(port, path="/")[0] == 404
    assert ask(port, method="POST")[0] == 405
    with socket.create_connection(("127.0.0.1", port), timeout=10) as other:
        other.sendall(b"x" * 100_000 + b"\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_takeover_is_counted_and_timed(running: tuple[Path, int, int]) -> None:
    """A18 C13."""
    home, _, port = running
    victim = wait_for(home, lambda one: all(slot.ready for slot in one.slots)).slots[0].pid
    assert victim is not None
    takeovers = scrape(port)["tandem_latency_seconds_count", "taken_over"]
    os.kill(victim, signal.SIGKILL)
    wait_for(home, lambda one: one.slots[0].pid not in (victim, None) and one.slots[0].ready)
    found = scrape(port)
    assert found["tandem_latency_seconds_count", "taken_over"] == takeovers + 1
    assert found["tandem_workers_died_total",] >= 1


def test_without_a_coordinator_the_page_says_so_and_its_process_is_replaced_when_it_ends(
    running: tuple[Path, int, int],
) -> None:
    """C15."""
    home, supervisor, port = running
    coordinator = processes(supervisor)["coordinator"]
    os.kill(coordinator, signal.SIGSTOP)
    assert scrape(port) == {("tandem_up",): 0}
    wait_for(home, lambda one: one.pool == "trading")  # it was replaced meanwhile
    metrics = processes(supervisor)["metrics"]
    os.kill(metrics, signal.SIGSTOP)  # a page that hangs is noticed like anybody else
    wait_for(home, lambda _: processes(supervisor).get("metrics", metrics) != metrics)
    assert "metrics is silent" in (home / "log.txt").read_text(encoding="utf-8")
    for _ in range(200):
        try:
            assert scrape(port)["tandem_up",] == 1
            break
        except ConnectionRefusedError:
            wait_for(home, lambda one: one.pool == "trading")


def test_a_pool_ends_without_leaving_its_port(tmp_path: Path) -> None:
    port = free_port()
    with pool(tmp_path / "home", "--metrics", port) as process:
        assert ask(port)[0] == 200
        taken = tandem("up", "--home", tmp_path / "other", "--metrics", port)
        assert taken[0] == 2
        assert f"127.0.0.1:{port}" in taken[2]
        code, out, err = stop(process)
    assert code == 0, err
    assert f"metrics at http://127.0.0.1:{port}/metrics" in out
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_an_order_is_traced_from_its_command_to_its_fills(running: tuple[Path, int, int]) -> None:
    """A36 C13: asked by the command's id, every hop with its way and its time."""
    home, _, _ = running
    code, out, err = tandem("order", "buy", "T", 16, "--id", "trace-1", "--wait", "--home", home)
    assert code == 0, out + err
    code, out, err = tandem("orders", "show", "trace-1", "--json", "--home", home)
    assert code == 0, err
    attempts = json.loads(out)["attempts"]
    assert len(attempts) == 8
    for one in attempts:
        assert one["command_id"] == "trace-1"
        assert len(one["workers"]) == 1
        courses = [hop["course"] for hop in one["hops"]]
        assert courses[:3] == ["coordinator", "to_worker", "to_venue"]
        assert "from_venue" in courses
        times = [hop["since_command_ns"] for hop in one["hops"]]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] < WAIT_S * SECOND
    code, out, err = tandem("orders", "show", "trace-1", "--home", home)
    assert code == 0, err
    assert out.startswith("command trace-1\n")
    assert out.count("▶") == 16  # to the worker and to the exchange, for each account
    code, out, _ = tandem("swap", "w99", "--home", home)
    assert code == 1
    command_id = out.rpartition("[command ")[2].rstrip("]\n")
    code, out, _ = tandem("orders", "show", command_id, "--home", home)
    assert code == 1
    assert out.startswith(f"command {command_id} was refused: unknown_slot: ")
    code, out, err = tandem("log", "show", "--order", command_id, "--home", home)
    assert code == 0, err
    assert f"[command {command_id} refused: unknown_slot]" in out


async def test_top_shows_a_takeover_as_it_happens(running: tuple[Path, int, int]) -> None:
    """A18 C13: driven without a terminal, on the pool's own control socket."""
    home, _, _ = running
    async with desk_line(Home(home)) as line:
        app = Top(lambda: line.status(5.0), lambda: ask_evaluators(Home(home)))
        async with app.run_test(size=(140, 60)) as pilot:
            await _until(pilot, lambda: "ready" in _pane(app, "slots").splitlines()[1])
            before = await line.status()
            victim = before.slots[0]
            assert victim.pid is not None
            assert victim.worker is not None
            os.kill(victim.pid, signal.SIGKILL)
            await _until(pilot, lambda: victim.worker not in _pane(app, "slots").split())
            takeovers = before.counters.get("takeovers", 0) + 1
            await _until(pilot, lambda: f"takeovers {takeovers}" in _pane(app, "counters"))
            await _until(pilot, lambda: _count_of(app, "takeover") == takeovers)
            assert "release → first fill" in _pane(app, "latencies")
            await pilot.press("q")
    assert app.return_code == 0


def _pane(app: Top, name: str) -> str:
    return str(app.query_one(f"#{name}", Static).content)


def _count_of(app: Top, span: str) -> int:
    line = next(one for one in _pane(app, "latencies").splitlines() if one.startswith(span))
    return next(int(word) for word in line.split() if word.isdecimal())


async def _until(pilot: Pilot[None], is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await pilot.pause(0.05)


def test_top_draws_on_a_terminal_and_q_ends_it(running: tuple[Path, int, int]) -> None:
    """C13."""
    home, _, _ = running
    with pexpect.spawn(
        sys.executable,
        ["-c", RUN, "top", "--home", str(home)],
        env={**environment(), "TERM": "xterm-256color"},
        dimensions=(50, 140),
        timeout=WAIT_S,
    ) as terminal:
        terminal.expect("pool trading")
        terminal.expect("how long things took")
        terminal.send("q")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0


def test_top_without_a_terminal_says_what_to_do(running: tuple[Path, int, int]) -> None:
    home, _, _ = running
    code, _, err = tandem("top", "--home", home)
    assert code == 2
    assert "tandem status --json" in err


def test_a_pool_trades_on_when_its_metrics_cannot_be_served(tmp_path: Path) -> None:
    """C13: whoever watches ends nothing."""
    home, port = tmp_path / "home", free_port()
    with pool(home, "--metrics", port) as process:
        assert ask(port)[0] == 200
        found = processes(process.pid)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            os.kill(found["nursery"], signal.SIGSTOP)  # nothing is forked meanwhile
            os.kill(found["metrics"], signal.SIGKILL)
            _until_free(other, port)
            other.listen()
            os.kill(found["nursery"], signal.SIGCONT)
            log = home / "log.txt"
            wait_for(home, lambda _: "trading goes on without" in log.read_text("utf-8"))
        code, out, err = tandem("order", "buy", "T", 16, "--wait", "--home", home)
        assert code == 0, out + err
        assert "metrics" not in processes(process.pid)
        code, _, err = stop(process)
    assert code == 0, err


def _until_free(other: socket.socket, port: int) -> None:
    """Take the port as soon as the process that had it is gone."""
    for _ in range(100_000):
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            continue
        return
    raise AssertionError(f"{port} is still taken")


def test_no_process_that_trades_loads_what_only_screens_need() -> None:
    """C13: nor do the other commands."""
    code = (
        "import sys, tandem.wiring.nursery, tandem.cli.main, tandem.cli.pool, tandem.cli.up, "
        "tandem.cli.top, tandem.cli.orders\n"
        "print([one for one in ('textual', 'rich', 'prometheus_client') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_halt_asks_nothing_of_the_process_that_serves_metrics(
    running: tuple[Path, int, int],
) -> None:
    """C9 C14: only workers are halted, and the page goes on."""
    home, _, port = running
    code, out, err = tandem("halt", "lunch", "--home", home)
    assert code == 0, out + err
    assert "metrics" not in out
    assert scrape(port)["tandem_trading",] == 0
    assert tandem("resume", "--home", home)[0] == 0
    assert scrape(port)["tandem_trading",] == 1
