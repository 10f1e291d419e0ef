"""When a pool of evaluators grows and shrinks: examples, and the law that it does not flap.

B15, B23.
"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.evaluating.elastic import Elastic, ElasticLimits, PoolSeen
from tandem.domain.instant import Instant

MS = 1_000_000
SECOND = 1_000 * MS
LOOK = 50 * MS
LIMITS = ElasticLimits(fewest=1, most=8)


class Pool:
    """A pool that is as wished after a while, and what it was wished to be."""

    def __init__(self, limits: ElasticLimits = LIMITS, *, here: int = 1, speed: int = 1) -> None:
        self.elastic = Elastic(limits)
        self.here = here
        self.elsewhere = 0
        self.busy = 0
        self.now_ns = 0
        self.speed = speed
        self.wishes: list[tuple[int, int]] = []
        self.tasks = 0

    @property
    def now(self) -> Instant:
        return Instant(self.now_ns, self.now_ns * self.speed)

    def look(self) -> int | None:
        seen = PoolSeen(here=self.here, elsewhere=self.elsewhere, busy=self.busy)
        wanted = self.elastic.on_seen(seen, self.now)
        if wanted is not None and (not self.wishes or self.wishes[-1][1] != wanted):
            self.wishes.append((self.now_ns, wanted))
        return wanted

    def obey(self) -> None:
        if self.elastic.wanted is not None:
            self.here = self.elastic.wanted

    def stand(self, seconds: float, *, every_ns: int = LOOK) -> int | None:
        """Let time pass; the pool becomes what it is wished to be."""
        end_ns = self.now_ns + int(seconds * SECOND)
        while self.now_ns < end_ns:
            self.now_ns += every_ns
            self.look()
            self.obey()
        return self.elastic.wanted

    def give(self, *keys: str) -> None:
        for key in keys:
            self.tasks += 1
            self.elastic.on_given(self.tasks, key, self.now)

    def end_all(self) -> None:
        for number in range(1, self.tasks + 1):
            self.elastic.on_ended(number, self.now)
        self.busy = 0

    def late(self, *keys: str, after_ms: int = 100) -> int | None:
        """Give these, let everybody be busy for so long, and look."""
        self.give(*keys)
        self.busy = self.here + self.elsewhere
        self.now_ns += after_ms * MS
        return self.look()


def settled(limits: ElasticLimits = LIMITS, *, here: int = 1, speed: int = 1) -> Pool:
    pool = Pool(limits, here=here, speed=speed)
    assert pool.stand(6.2) == here
    return pool


def test_nothing_is_wished_until_the_pool_was_seen_standing() -> None:
    pool = Pool(here=3)
    assert pool.stand(2.9) is None
    pool.here = 4  # one more has found its way
    assert pool.stand(2.9) is None
    assert pool.stand(0.3) == 4


@pytest.mark.parametrize(("here", "wanted"), [(0, 1), (1, 1), (8, 8), (9, 8)])
def test_the_first_wish_is_the_pool_as_it_is_within_its_bounds(here: int, wanted: int) -> None:
    pool = Pool(here=here)
    assert pool.stand(3.1) == wanted


def test_it_grows_when_a_task_is_late_and_everybody_has_work() -> None:
    pool = settled()
    assert pool.late("a", "b", after_ms=99) == 1
    assert pool.elastic.open_tasks == 2
    assert pool.elastic.oldest_ns(pool.now) == 99 * MS
    pool.now_ns += MS
    assert pool.look() == 2


def test_it_doubles_when_a_task_is_twice_as_late() -> None:
    pool = settled(here=3)
    assert pool.late("a", "b", "c", "d", after_ms=199) == 4
    pool = settled(here=3)
    assert pool.late("a", "b", "c", "d", after_ms=200) == 6
    pool = settled(here=7)
    assert pool.late(*"abcdefgh", after_ms=200) == 8  # the most
    pool = settled(here=8)
    assert pool.late(*"abcdefghi", after_ms=200) == 8


def test_it_does_not_grow_where_one_more_would_be_of_no_use() -> None:
    """One series is done in order; somebody has nothing to do; nobody is there at all."""
    pool = settled()
    assert pool.late("a", "a", "a", after_ms=1_000) == 1
    pool = settled(here=2)
    pool.give("a", "b", "c")
    pool.busy = 1
    pool.now_ns += SECOND
    assert pool.look() == 2
    pool = settled(LIMITS, here=1)
    pool.here = 0
    pool.give("a", "b")
    assert pool.stand(0.0) == 1
    pool = Pool(ElasticLimits(fewest=0, most=2), here=0)
    pool.stand(3.1)
    pool.give("a", "b")
    assert pool.stand(10) == 0


def test_after_a_growth_it_waits_until_the_new_one_has_stood_a_while() -> None:
    pool = settled()
    assert pool.late("a", "b", "c", "d") == 2
    for _ in range(200):  # the second one takes ten seconds to come
        pool.now_ns += LOOK
        assert pool.look() == 2
    pool.obey()
    pool.busy = 2
    pool.look()
    began_ns = pool.now_ns
    while pool.look() == 2:
        pool.now_ns += LOOK
    assert pool.now_ns - began_ns == LIMITS.settle_ns


def test_it_shrinks_by_one_after_each_quiet_time() -> None:
    pool = settled(here=3)
    pool.stand(1_000)
    # Each time: it stands, and three minutes are over.
    assert [wanted for _, wanted in pool.wishes] == [3, 2, 1]
    assert all(later - sooner >= 180 * SECOND for (sooner, _), (later, _) in pairs(pool))


def test_quiet_is_the_markets_and_some_of_ours() -> None:
    pool = settled(here=2, speed=120)
    pool.stand(6.7)
    assert pool.elastic.wanted == 2
    pool.stand(0.3)
    assert pool.elastic.wanted == 1


def test_it_does_not_shrink_while_one_fewer_would_be_too_slow() -> None:
    """With three a task may take 33 ms: it would be 50 with two."""
    for wait_ms, wanted in ((33, 2), (34, 3)):
        pool = settled(here=3)
        for _ in range(20):
            pool.give("a")
            pool.now_ns += wait_ms * MS
            pool.end_all()
            pool.stand(10)
        assert pool.elastic.wanted == wanted


def test_a_few_slow_tasks_are_no_need() -> None:
    for slow, wanted in ((2, 2), (3, 3)):
        pool = settled(here=3)
        for number in range(100):
            pool.give("a")
            pool.now_ns += 300 * MS if number < slow else MS
            pool.end_all()
        pool.stand(180)
        assert pool.elastic.wanted == wanted


def test_it_does_not_shrink_amid_work() -> None:
    """Those that are left would be busy for more than 70 % of the time; a task waits."""
    for busy, wanted in ((1, 2), (2, 3)):
        pool = settled(here=3)
        pool.busy = busy
        pool.stand(176)
        assert pool.elastic.wanted == 3
        pool.stand(5)
        assert pool.elastic.wanted == wanted
    pool = settled(here=3)
    pool.stand(176)
    pool.give("a")
    pool.stand(20)
    assert pool.elastic.wanted == 3


def test_evaluators_elsewhere_serve_too_but_are_not_wished_for() -> None:
    pool = Pool(here=1)
    pool.elsewhere = 2
    pool.stand(6.2)
    assert pool.late("a", "b", "c") == 1  # there are three
    pool.end_all()
    assert pool.late("a", "b", "c", "d") == 2
    pool.end_all()
    pool.obey()
    pool.stand(400)
    assert pool.elastic.wanted == 1
    pool.stand(400)
    assert pool.elastic.wanted == 1


def test_what_is_late_because_one_was_killed_is_no_need() -> None:
    pool = settled(here=2)
    pool.here = 1
    assert pool.late("a", "b", "c", after_ms=400) == 2
    pool.here = pool.busy = 2
    assert pool.look() == 2  # it has just come back
    pool.end_all()
    assert pool.stand(4) == 2


def test_an_outcome_of_a_task_that_is_not_known_changes_nothing() -> None:
    pool = Pool()
    pool.elastic.on_ended(7, pool.now)
    pool.give("a")
    pool.elastic.on_ended(1, pool.now)  # before anything was seen
    assert pool.elastic.open_tasks == 0
    assert pool.elastic.oldest_ns(pool.now) == 0


def test_a_shrinking_that_is_taken_back_is_not_tried_again_soon() -> None:
    """What was expected is wrong here: two are calm, and one is late. It goes ever more rarely."""
    pool = settled(here=2)
    hours = 12
    while pool.now_ns < hours * 3_600 * SECOND:
        if pool.here == 1:
            pool.late("a", "b")
            pool.end_all()
            pool.obey()
        pool.stand(30, every_ns=2 * SECOND)
    shrinks = [at for (_, one), (at, two) in pairs(pool) if two < one]
    gaps_s = [(later - sooner) // SECOND for sooner, later in pairwise(shrinks)]
    assert [round(one / 180) for one in gaps_s[:5]] == [2, 4, 8, 16, 16]


def test_a_second_shrinking_in_a_row_makes_it_less_careful_again() -> None:
    pool = settled(here=2)
    pool.stand(181)
    assert pool.elastic.wanted == 1
    pool.stand(4)
    pool.late("a", "b", "c", after_ms=200)
    pool.end_all()
    assert pool.elastic.wanted == 2
    pool.obey()
    pool.stand(4)
    pool.late("a", "b", "c", after_ms=200)
    pool.end_all()
    assert pool.elastic.wanted == 4
    pool.obey()
    pool.wishes.clear()
    pool.stand(2_000)
    (first_ns, first), (second_ns, second), (third_ns, third) = pool.wishes[-3:]
    assert (first, second, third) == (3, 2, 1)
    assert (second_ns - first_ns) // SECOND in range(360, 370)
    assert (third_ns - second_ns) // SECOND in range(180, 190)


def pairs(pool: Pool) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(pairwise(pool.wishes))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3_000), st.integers(1, 40), st.integers(2, 6))
def test_a_steady_load_is_met_and_does_not_make_it_flap(work_ms: int, keys: int, most: int) -> None:
    """Bursts of the same work each minute, done by all evaluators at once, for an hour.

    Judged by plain arithmetic: the wish stays in its bounds, each change comes after its time,
    and of turns up after a turn down there are few, since each doubles the quiet time.
    """
    limits = ElasticLimits(fewest=1, most=most)
    pool = Pool(limits)
    pool.stand(7)
    names = [f"k{number}" for number in range(keys)]
    for _ in range(60):
        pool.give(*names)
        burst_ns = work_ms * MS // min(pool.here, keys)
        end_ns = pool.now_ns + burst_ns
        pool.busy = min(pool.here, keys)
        while pool.now_ns + LOOK < end_ns:
            pool.now_ns += LOOK
            pool.look()
        pool.now_ns = end_ns
        pool.end_all()
        pool.obey()
        pool.stand(0.2)
        for _ in range(15):
            pool.now_ns += 4 * SECOND
            pool.look()
            pool.obey()
    assert all(1 <= wanted <= most for _, wanted in pool.wishes)
    for (sooner_ns, one), (later_ns, two) in pairs(pool):
        apart_ns = later_ns - sooner_ns
        assert apart_ns >= (limits.quiet_ns if two < one else limits.settle_ns)
    ups = [two > one for (_, one), (_, two) in pairs(pool)]
    turns = sum(later and not sooner for sooner, later in pairwise(ups))
    assert turns <= 5  # of 60 minutes: 3, 6, 12 and 24 are quiet times
    if work_ms // min(most, keys) > 150 and keys > most:
        assert pool.here == most
