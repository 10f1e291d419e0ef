"""Strategies evaluated by other computers: killed, replaced, out of reach, removed.

All are this computer, with a home each; they share TCP ports. A recorded market is played on one
computer only, so gate and market process are started by hand here, with a LAN beside it.
"""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from tandem.domain.bars import Span
from tandem.messaging.places import Connect
from tandem.messaging.worker import Worker
from tandem.wiring.components import Stage
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.gate import open_lan
from tandem.wiring.home import Home
from tandem.wiring.polling import poll
from tandem.wiring.roles import Plan, Role
from tandem.wiring.settings import LanPlan
from tandem.wiring.strategies import tasks_place
from tests.system.lan_running import HERE, free_ports, lines_until, machine, token_of
from tests.system.running import WAIT_S, ended_at_last, environment, pool, start, tandem, wait_for
from tests.system.test_strategies import (
    MARKET,
    assign_paper,
    decided_in,
    wait_until_decided,
)

RUN = """
import msgspec, sys
from tandem.wiring.roles import Plan, run_role
sys.exit(run_role(msgspec.json.decode(sys.argv[1], type=Plan)))
"""


@contextmanager
def role(home: Home, name: Role, lan: LanPlan) -> Iterator[subprocess.Popen[str]]:
    """Yield a process of a pool on a LAN."""
    stage = msgspec.json.decode(home.stage_file.read_bytes(), type=Stage)
    plan = Plan(
        role=name,
        name=name.value,
        folder=str(home.folder),
        venue_id=stage.venue_id,
        replay=stage.replay,
        lan=lan,
        strategies=stage.strategies,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, msgspec.json.encode(plan).decode()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with ended_at_last(process):
        yield process


def go_on(home: Home) -> None:
    """See that bars are decided on."""
    wait_until_decided(home, len(decided_in(home)) + 3)


def test_strategies_are_evaluated_by_other_computers(tmp_path: Path) -> None:
    """A42, B15, B16: with no evaluator beside the market process.

    A computer that evaluates is killed and another goes on, which comes back by itself after the
    market process was killed; once it is removed it evaluates no more.
    """
    home, lan = Home(tmp_path / "tower"), LanPlan(host=HERE, port=free_ports(), announce=False)
    with ExitStack() as stack:

        def run(*words: object) -> None:
            part = start("run", *words, "--home", home.folder)
            stack.enter_context(ended_at_last(part))

        def join(name: str) -> subprocess.Popen[str]:
            arguments = (f"{HERE}:{lan.port}", "--token", token_of(home.folder), "--name", name)
            found = machine(tmp_path / name, *arguments, "--evaluators", 1)
            process = stack.enter_context(found)
            lines_until(process, f"{name}-e1: evaluates for the pool")
            return process

        run("exchange", *MARKET)
        run("coordinator", "--workers", 3)
        for worker in ("a", "b", "c"):
            run("worker", "--name", worker)
        wait_for(home.folder, lambda one: one.pool == "trading" and one.priced > 0)
        open_lan(home.lan, lan)
        stack.enter_context(role(home, Role.GATE, lan))
        market = stack.enter_context(role(home, Role.MARKET, lan))
        laptop = join("laptop")
        asyncio.run(assign_paper(home))
        wait_until_decided(home, 4)
        laptop.kill()  # with everything on it, and without a word
        attic = join("attic")
        go_on(home)
        market.kill()
        market.wait(WAIT_S)
        lines_until(attic, "attic-e1: waiting for the market")
        stack.enter_context(role(home, Role.MARKET, lan))
        lines_until(attic, "attic-e1: evaluates for the pool")
        go_on(home)
        code, out, err = tandem("worker", "remove", "attic", "--force", "--home", home.folder)
        assert code == 0, out + err
        lines_until(attic, "attic-e1: waiting for the market")
        run("evaluator", "--name", "e1")
        go_on(home)
    decided = decided_in(home)
    assert Counter(map(len, decided.values())) == {1: len(decided)}
    begins = sorted(decided)
    assert begins == list(range(begins[0], begins[-1] + 1, Span.M1.ns)), "a bar is missing"


def test_who_does_not_hold_what_it_was_given_gets_no_work_and_that_is_an_alert(
    tmp_path: Path,
) -> None:
    """B16: as with workers, the hash of the set-up counts."""
    home = Home(tmp_path / "home")
    worked: list[bytes] = []

    def work(payload: bytes) -> bytes:
        worked.append(payload)
        return payload

    async def forget(_given: bytes) -> bytes:
        return b"nothing"

    async def log() -> str:
        return home.log_file.read_text()

    async def be_evaluator() -> None:
        worker = Worker(Connect(tasks_place(home)), work, name="forgetful", hold=forget)
        async with asyncio.timeout(WAIT_S):
            await poll(log, lambda text: "alert: evaluator forgetful does not hold" in text)
            view = await poll(
                lambda: ask_evaluators(home), lambda one: one is not None and bool(one.evaluators)
            )
        assert view is not None
        assert [one.name for one in view.evaluators] == ["e1"]
        worker.close()

    with pool(home.folder, "--workers", 3, *MARKET, "--evaluators", 1):
        asyncio.run(assign_paper(home))
        asyncio.run(be_evaluator())
        wait_until_decided(home, 2)
    assert worked == []
