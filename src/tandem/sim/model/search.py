"""The search: every moment that can be reached, each once, the nearest first."""

import time
from array import array
from collections import deque

import msgspec

from tandem.sim.model.acts import opened
from tandem.sim.model.keys import key_of
from tandem.sim.model.parts import Fixed, Pool
from tandem.sim.model.steps import Step, is_settled, steps_of, take


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How often each fault may strike."""

    pauses: int = 1
    losses: int = 1
    delays: int = 0
    restarts: int = 0


class Found(msgspec.Struct, kw_only=True):
    """What a search found.

    `violations` are the first of each kind, with the steps that lead there. `stuck` counts states
    from which no settled one can be reached; `stuck_at` leads to one of them.
    """

    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    settled: int = 0
    violations: dict[str, list[Step]] = {}
    stuck: int = 0
    stuck_at: list[Step] = []
    is_whole: bool = True


class Search:
    """One search over one fence class."""

    def __init__(
        self, fixed: Fixed, budget: Budget, *, margin_ns: int, states_max: int | None = None
    ) -> None:
        self.fixed = fixed
        self.found = Found()
        self._states_max = states_max
        self._numbers: dict[bytes, int] = {}
        self._parents = array("l")
        self._taken: list[Step | None] = []
        self._depths = array("H")
        self._sources = array("l")
        self._targets = array("l")
        self._settled: list[int] = []
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._budget, self._margin_ns = budget, margin_ns
        first = self.first()
        self._reach(first, came_from=-1, step=None)

    def first(self) -> Pool:
        """Return the moment that the search begins at."""
        budget = self._budget
        pool = Pool(
            self.fixed,
            pauses=budget.pauses,
            losses=budget.losses,
            delays=budget.delays,
            restarts=budget.restarts,
        )
        return opened(pool, margin_ns=self._margin_ns)

    def run(self, *, until_violation: bool = False) -> Found:
        """Search to the end, or to the first violation."""
        began = time.perf_counter()
        found = self.found
        while self._waiting:
            number, content = self._waiting.popleft()
            pool = Pool.thaw(content, self.fixed)
            steps = steps_of(pool)
            for at, step in enumerate(steps):
                if at:
                    pool = Pool.thaw(content, self.fixed)
                take(pool, step)
                found.transitions += 1
                self._reach(pool, came_from=number, step=step)
            if until_violation and found.violations:
                break
            if self._states_max is not None and len(self._numbers) >= self._states_max:
                break
        found.states = len(self._numbers)
        found.is_whole = not self._waiting
        found.depth = max(self._depths)
        found.settled = len(self._settled)
        if found.is_whole:
            self._look_for_stuck()
        found.seconds = time.perf_counter() - began
        return found

    def _reach(self, pool: Pool, *, came_from: int, step: Step | None) -> None:
        key = key_of(pool)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            self._parents.append(came_from)
            self._taken.append(step)
            self._depths.append(self._depths[came_from] + 1 if came_from >= 0 else 0)
            if pool.wrong:
                kind = pool.wrong
                self.found.violations.setdefault(kind, self._way_to(number))
            else:
                self._waiting.append((number, pool.freeze()))
            if is_settled(pool):
                self._settled.append(number)
        if came_from >= 0:
            self._sources.append(came_from)
            self._targets.append(number)

    def _way_to(self, number: int) -> list[Step]:
        way: list[Step] = []
        while number > 0:
            step = self._taken[number]
            assert step is not None, "only the first state was not reached by a step"
            way.append(step)
            number = self._parents[number]
        return way[::-1]

    def _look_for_stuck(self) -> None:
        """Go back from every settled state; who is not met is stuck."""
        count = len(self._numbers)
        before: list[list[int]] = [[] for _ in range(count)]
        for source, target in zip(self._sources, self._targets, strict=True):
            before[target].append(source)
        met = bytearray(count)
        waiting = list(self._settled)
        for number in waiting:
            met[number] = 1
        while waiting:
            for source in before[waiting.pop()]:
                if not met[source]:
                    met[source] = 1
                    waiting.append(source)
        stuck = [one for one in range(count) if not met[one]]
        self.found.stuck = len(stuck)
        if stuck:
            self.found.stuck_at = self._way_to(stuck[0])
