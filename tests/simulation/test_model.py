"""The small pool, searched to the end with one fault at a time; `make model` lets two strike."""

import pytest

from tandem.core.trading.lease import MARGIN_NS
from tandem.domain.order import FenceClass
from tandem.sim.model.keys import key_of
from tandem.sim.model.parts import Fixed, Pool
from tandem.sim.model.planted import BUGS, Planted, planted
from tandem.sim.model.search import Budget, Search
from tandem.sim.model.steps import steps_of, take

ONE_PAUSE = Budget(pauses=1, losses=0)
ONE_LOSS = Budget(pauses=0, losses=1)
ONE_DELAY = Budget(pauses=0, losses=0, delays=1)
ONE_RESTART = Budget(pauses=0, losses=0, restarts=1)


@pytest.mark.parametrize(
    ("fence_class", "budget"),
    [
        *((one, ONE_RESTART) for one in FenceClass),
        *((one, ONE_PAUSE) for one in FenceClass),
        *((one, ONE_LOSS) for one in FenceClass),
        (FenceClass.EXPIRES, ONE_DELAY),
    ],
)
def test_no_run_of_a_small_pool_does_what_must_never_be_and_each_can_end(
    fence_class: FenceClass, budget: Budget
) -> None:
    """C2 C9 F8 I1 I3: the whole space."""
    found = Search(Fixed(fence_class), budget, margin_ns=MARGIN_NS).run()
    assert found.is_whole
    assert found.violations == {}
    assert found.stuck == 0, found.stuck_at
    assert 0 < found.settled < found.states < found.transitions


QUICK = [one for one in BUGS if one.pauses + one.losses + one.delays + one.restarts == 1]


@pytest.mark.parametrize("bug", QUICK, ids=[one.name for one in QUICK])
def test_a_mechanism_that_is_missing_is_seen(bug: Planted) -> None:
    budget = Budget(pauses=bug.pauses, losses=bug.losses, delays=bug.delays, restarts=bug.restarts)
    with planted(bug):
        search = Search(Fixed(bug.fence_class), budget, margin_ns=bug.margin_ns)
        found = search.run(until_violation=True)
    assert found.violations


def test_a_copy_of_a_moment_goes_on_as_the_moment_does() -> None:
    fixed = Fixed(FenceClass.UNIQUE)
    search = Search(fixed, ONE_PAUSE, margin_ns=MARGIN_NS)
    pool = search.first()
    for _ in range(30):
        twin = Pool.thaw(pool.freeze(), fixed)
        steps = steps_of(pool)
        assert steps == steps_of(twin)
        take(pool, steps[0])
        take(twin, steps[0])
        assert key_of(pool) == key_of(twin)
        if not steps_of(pool):
            return
    raise AssertionError("no end in sight")


def test_the_bound_of_a_search_is_said() -> None:
    found = Search(Fixed(FenceClass.EXPIRES), ONE_PAUSE, margin_ns=MARGIN_NS, states_max=20).run()
    assert not found.is_whole
