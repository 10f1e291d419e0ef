"""A person who halts every worker by its own control socket, and resumes later.

Only in some seeds. Whoever was reached must hand nothing new to a venue until the desk, which has
heard of that halt from the worker or will hear of it, lifts it.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress

from tandem.domain.desk import SECOND
from tandem.domain.errors import ProcessUnreachableError
from tandem.domain.halting import HaltWorker
from tandem.domain.ids import HaltId
from tandem.shells.own_control import OwnLine
from tandem.sim.cluster import Cluster, own_control_at
from tandem.sim.load import Trader
from tandem.sim.process import SimProcess

CHANCE = 0.25
ANSWER_S = 0.5
RESUME_S = (2.0, 8.0)


class Person:
    """Halts once, at a moment of the faults, and asks the trader to resume after a while."""

    def __init__(self, cluster: Cluster, trader: Trader, seed: int) -> None:
        # A stream of its own, so that everything else of a seed stays what it was.
        self._draws = random.Random(f"{seed} person")
        self._cluster = cluster
        self._trader = trader
        self.done: Counter[str] = Counter()
        self.halts = self._draws.random() < CHANCE
        self.at_ns = self._draws.randrange(10 * SECOND, 50 * SECOND)
        self._resume_s = self._draws.uniform(*RESUME_S)

    def start(self) -> None:
        """Wait for the moment."""
        if self.halts:
            self._cluster.world.after(self.at_ns, self._begin)

    def _begin(self) -> None:
        self._cluster.world.spawn("person", "home", self.run)

    async def run(self, process: SimProcess) -> None:
        """Be the process: tell everybody at once, then wait, then resume."""
        self.done["halts by hand"] += 1
        tellings = [self._tell(process, name) for name in self._cluster.worker_names]
        await asyncio.gather(*tellings)
        await asyncio.sleep(self._resume_s)
        self._trader.resume()

    async def _tell(self, process: SimProcess, name: str) -> None:
        line = OwnLine(process.network, own_control_at(name))
        with suppress(OSError, ProcessUnreachableError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await line.open()
                await line.ask(HaltWorker(halt_id=HaltId("by-hand"), reason="a drill"))
                self.done["workers halted by hand"] += 1
        line.close()
