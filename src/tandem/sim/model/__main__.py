"""`python -m tandem.sim.model`: search every fence class to its end, and see the planted bugs."""

import argparse
import sys

from tandem.core.trading.lease import MARGIN_NS
from tandem.domain.order import FenceClass
from tandem.sim.model.parts import Fixed
from tandem.sim.model.planted import BUGS, planted
from tandem.sim.model.search import Budget, Found, Search

HEADING = "class  pauses losses delays restarts     states  transitions  depth  seconds  violations"
SINGLE = (
    Budget(pauses=1, losses=0),
    Budget(pauses=0, losses=1),
    Budget(pauses=0, losses=0, delays=1),
    Budget(pauses=0, losses=0, restarts=1),
)
BUDGETS = (
    Budget(pauses=1, losses=1),
    Budget(pauses=1, losses=0, restarts=1),
    Budget(pauses=0, losses=1, restarts=1),
    Budget(pauses=0, losses=0, delays=1),
)


def main() -> int:
    """Search; return 1 if something was found that must not be, or a bug was not."""
    parser = argparse.ArgumentParser(prog="python -m tandem.sim.model", description=__doc__)
    parser.add_argument("--states", type=int, help="stop each search at so many states")
    parser.add_argument("--short", action="store_true", help="one fault at a time")
    parser.add_argument("--planted", action="store_true", help="only the planted bugs")
    chosen = parser.parse_args()
    budgets = SINGLE if chosen.short else BUDGETS
    good = True
    if not chosen.planted:
        _say(HEADING)
        for fence_class in FenceClass:
            for budget in budgets:
                good &= _search(fence_class, budget, chosen.states)
    _say("planted bug                                              class     states  seen as")
    for bug in BUGS:
        good &= _see(bug.name)
    return 0 if good else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _search(fence_class: FenceClass, budget: Budget, states_max: int | None) -> bool:
    search = Search(Fixed(fence_class), budget, margin_ns=MARGIN_NS, states_max=states_max)
    found = search.run()
    count = len(found.violations) + (1 if found.stuck else 0)
    _say(
        f"{fence_class.value:5} {budget.pauses:7} {budget.losses:6} {budget.delays:6} "
        f"{budget.restarts:8} "
        f"{found.states:10,} {found.transitions:12,} {found.depth:6} {found.seconds:8.1f} "
        f"{count:11}" + ("" if found.is_whole else "  (not the whole space)")
    )
    _tell(found)
    return not count and found.is_whole


def _tell(found: Found) -> None:
    for what, way in found.violations.items():
        _say(f"  {what}, by {way}")
    if found.stuck:
        _say(f"  {found.stuck} states lead to no end; one of them by {found.stuck_at}")


def _see(name: str) -> bool:
    bug = next(one for one in BUGS if one.name == name)
    budget = Budget(pauses=bug.pauses, losses=bug.losses, delays=bug.delays, restarts=bug.restarts)
    with planted(bug):
        search = Search(Fixed(bug.fence_class), budget, margin_ns=bug.margin_ns)
        found = search.run(until_violation=True)
    seen = next(iter(found.violations), "some states lead to no end" if found.stuck else "")
    _say(f"{name:56} {bug.fence_class.value:5} {found.states:10,}  {seen or 'NOT SEEN'}")
    return bool(seen)


if __name__ == "__main__":
    sys.exit(main())
