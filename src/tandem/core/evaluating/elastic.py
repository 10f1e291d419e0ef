"""How many evaluators this computer should have: more while bars wait, fewer when all is calm.

The wish changes only while the pool is as it was wished last and has been so for `settle_ns`, so
that nothing is judged by processes that are still starting, or by what a killed one left behind.

It grows when more would have helped: a task is late, everybody has work, and more series wait
than there are evaluators. (The tasks of one series are done one after the other: a second
evaluator is of no use to them.) It grows by one, or doubles where a task waits twice as long.

It shrinks by one after a quiet time, when the pool would have been fast enough with one fewer,
with half of the lateness to spare. A task that took t with n evaluators is expected to take
t * n / (n - 1) with n - 1, and so are the shares of the time in which they have work.

Bars come in bursts, once a minute of the market, so quiet is counted on the market's clock, and
not below `breath_ns` of ours. Expectations can be wrong. So each growth that takes a shrinking
back doubles the quiet time, up to `PATIENCE_MAX` times; a second shrinking in a row halves it.
Under a load that stays the same the pool therefore goes up and down ever more rarely.

Evaluators of other computers count as part of what serves. They come and go by themselves.
"""

from typing import Final

import msgspec

from tandem.domain.instant import Instant
from tandem.domain.value import Value

PATIENCE_MAX: Final = 16
_MS: Final = 1_000_000
_SECOND: Final = 1_000 * _MS
_SLOW_PER_CENT: Final = 2  # of the tasks, that may be slow in a calm time: cold ones, and hangs
_BUSY_PER_CENT: Final = 70  # of the time in which fewer evaluators may be expected to have work


class ElasticLimits(Value, frozen=True, kw_only=True):
    """Between which numbers the evaluators of this computer are, and what is late.

    All times but `quiet_ns`, which is the market's, are CLOCK_BOOTTIME.
    """

    fewest: int
    most: int
    late_ns: int = 100 * _MS
    settle_ns: int = 3 * _SECOND
    quiet_ns: int = 180 * _SECOND
    breath_ns: int = 10 * _SECOND


class PoolSeen(Value, frozen=True, kw_only=True):
    """Who takes tasks now: evaluators `here` and `elsewhere`; `busy` of both have one."""

    here: int
    elsewhere: int
    busy: int

    @property
    def serving(self) -> int:
        """All of them."""
        return self.here + self.elsewhere


class _Given(msgspec.Struct, frozen=True, gc=False):
    key: str
    at_ns: int


class _Watch(msgspec.Struct):
    """What was seen since the pool was last changed, or judged."""

    began: Instant
    seen_ns: int
    tasks: int = 0
    slow: int = 0
    busy_ns: int = 0  # of all evaluators together


class Elastic:
    """The wish of one market process, which hears of every task and looks at the pool often."""

    def __init__(self, limits: ElasticLimits) -> None:
        self.limits = limits
        self._wanted: int | None = None
        self._open: dict[int, _Given] = {}  # in the order of their giving
        self._serving = 0
        self._watch: _Watch | None = None
        self._patience = 1
        self._has_shrunk = False  # with its last change

    @property
    def wanted(self) -> int | None:
        """How many evaluators this computer should have; None until the pool was seen standing."""
        return self._wanted

    @property
    def open_tasks(self) -> int:
        """How many tasks wait for their outcome."""
        return len(self._open)

    def oldest_ns(self, now: Instant) -> int:
        """Return how long the oldest task has waited; 0 when none does."""
        first = next(iter(self._open.values()), None)
        return 0 if first is None else now.now_ns - first.at_ns

    def on_given(self, task: int, key: str, now: Instant) -> None:
        """A task of this series was given."""
        self._open[task] = _Given(key, now.now_ns)

    def on_ended(self, task: int, now: Instant) -> None:
        """It has its outcome, or will have none."""
        given = self._open.pop(task, None)
        if given is None or self._watch is None:
            return
        self._watch.tasks += 1
        self._watch.slow += self._is_slow(now.now_ns - given.at_ns)

    def on_seen(self, seen: PoolSeen, now: Instant) -> int | None:
        """Return how many evaluators this computer should have from now on."""
        watch = self._watch
        is_as_wanted = self._wanted is None or seen.here == self._wanted
        if watch is None or not is_as_wanted or seen.serving != self._serving:
            self._begin(seen, now)
            return self._wanted
        watch.busy_ns += seen.busy * (now.now_ns - watch.seen_ns)
        watch.seen_ns = now.now_ns
        if now.now_ns - watch.began.now_ns < self.limits.settle_ns:
            return self._wanted
        if self._wanted is None:
            self._wanted = min(max(seen.here, self.limits.fewest), self.limits.most)
            self._begin(seen, now)
        elif self._is_late(seen, now):
            self._grow(seen, now)
        elif self._is_quiet_over(watch, now):
            self._judge(watch, seen, now)
        return self._wanted

    def _begin(self, seen: PoolSeen, now: Instant) -> None:
        self._serving = seen.serving
        self._watch = _Watch(began=now, seen_ns=now.now_ns)

    def _is_late(self, seen: PoolSeen, now: Instant) -> bool:
        if self.oldest_ns(now) < self.limits.late_ns or not 0 < seen.serving <= seen.busy:
            return False
        return len({one.key for one in self._open.values()}) > seen.serving

    def _grow(self, seen: PoolSeen, now: Instant) -> None:
        assert self._wanted is not None, "nothing is late before the pool was seen"
        is_very_late = self.oldest_ns(now) >= 2 * self.limits.late_ns
        grown = min(self._wanted + (seen.serving if is_very_late else 1), self.limits.most)
        if grown == self._wanted:
            return
        if self._has_shrunk:
            self._patience = min(2 * self._patience, PATIENCE_MAX)
        self._has_shrunk = False
        self._wanted = grown
        self._begin(seen, now)

    def _is_quiet_over(self, watch: _Watch, now: Instant) -> bool:
        market_ns = now.market_ns - watch.began.market_ns
        return (
            market_ns >= self._patience * self.limits.quiet_ns
            and now.now_ns - watch.began.now_ns >= self._patience * self.limits.breath_ns
        )

    def _judge(self, watch: _Watch, seen: PoolSeen, now: Instant) -> None:
        """The quiet time is over: was it calm enough for one fewer?"""
        assert self._wanted is not None, "nothing is judged before the pool was seen"
        passed_ns = now.now_ns - watch.began.now_ns
        is_calm = (
            not self._is_slow(self.oldest_ns(now))
            and watch.slow * 100 <= watch.tasks * _SLOW_PER_CENT
            and watch.busy_ns * 100 <= (seen.serving - 1) * passed_ns * _BUSY_PER_CENT
        )
        if is_calm and self._wanted > self.limits.fewest:
            if self._has_shrunk:
                self._patience = max(self._patience // 2, 1)
            self._has_shrunk = True
            self._wanted -= 1
        self._begin(seen, now)

    def _is_slow(self, waited_ns: int) -> bool:
        """Whether a task that waited so long would be half as late with one evaluator fewer."""
        return 2 * waited_ns * self._serving > self.limits.late_ns * (self._serving - 1)
