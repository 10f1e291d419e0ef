"""How often the decider asks what is assigned: B13."""

import asyncio
import itertools

import pytest

from tandem.core.deciding.decider import Decider
from tandem.shells.deciding import DecidingShell
from tandem.sim.bars import MemoryBars
from tests.unit.shells.test_dialer import Dialed
from tests.unit.shells.test_recording import Hand, Paper
from tests.unit.shells.wire import in_simulated_time

WATCHED_S = 10


def test_what_is_assigned_is_asked_for_so_often_that_a_change_counts_within_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """B13: at most half a second lies between two looks; the rest is for questions and answers."""
    looks: list[float] = []

    async def body() -> None:
        shell = DecidingShell(
            Decider(),
            Paper(),
            clock=Hand(),
            network=Dialed(),
            control="there",
            store=MemoryBars(),
            submit=lambda *_: None,
            run="r",
        )
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(shell.roster, "look", lambda: looks.append(loop.time()))
        began_s = loop.time()
        running = asyncio.create_task(shell.run())
        await asyncio.sleep(WATCHED_S)
        running.cancel()
        looks.insert(0, began_s)
        looks.append(loop.time())

    in_simulated_time(body)
    gaps = [after - before for before, after in itertools.pairwise(looks)]
    assert len(looks) > WATCHED_S
    assert max(gaps) <= 0.5
