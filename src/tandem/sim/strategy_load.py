"""What a simulated trader has decided by strategies, and how he changes his mind."""

import random

from tandem.domain.algos import Leaving
from tandem.domain.bars import Span
from tandem.domain.commands import Asked, Assign, Command, SaveStrategy, Unassign
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import CommandId, Lots
from tandem.domain.strategies import Assignment, AssignmentId, Fixed
from tandem.sim.load import X_SLOTS, Y_SLOTS, Intention
from tandem.sim.machine import MARKET_START_NS
from tandem.sim.made_up_minutes import BARS, BEGIN_NS, FIRST_NS, MINUTE_NS
from tandem.sim.scripts import TEXTS
from tandem.sim.strategies import has_strategies

SAVED_NS = 3_500 * MS
ASSIGNMENTS_MAX = 6
GOOD_FOR_NS = 6 * Span.H1.ns


def strategy_intentions(seed: int, *, until_ns: int) -> list[Intention]:
    """Return what is saved, assigned, assigned anew and taken away, and when."""
    draws = random.Random(f"{seed} strategies")
    if not has_strategies(seed):
        return []
    found = [_intention(SAVED_NS, f"s-{text.name}", SaveStrategy(text=text)) for text in TEXTS]
    for number in range(draws.randint(3, ASSIGNMENTS_MAX)):
        name = AssignmentId(f"S{number}")
        at_ns = draws.randrange(SAVED_NS + MS, until_ns // 2)
        for step in range(draws.choice((1, 1, 2, 4))):
            others = _others(random.Random(f"{seed} others {name} {step}"))
            short_ns = _short_ns(random.Random(f"{seed} short {name} {step}"))
            assignment = _assignment(draws, name, others, short_ns)
            command: Command = Assign(assignment=assignment)
            if step == 2 or (step == 1 and draws.random() < 0.3):
                command = Unassign(assignment_id=name, leaving=Leaving.FLATTEN)
            found.append(_intention(at_ns, f"s-{name}-{step}", command))
            at_ns = min(until_ns, at_ns + draws.choice((draws.randint(1, 900), 9_000)) * MS)
    return found


def _others(draws: random.Random) -> tuple[str, ...]:
    """Return what one may look at besides; its own symbol is left out later."""
    return tuple(draws.sample(("AAA", "BBB", "CCC"), draws.choice((0, 0, 1, 2))))


def _short_ns(draws: random.Random) -> int:
    """Return the age of one of the bars when it is over, and a moment.

    The market is two hours behind, and nearer with each of its bars. So what is decided on those
    before is too old at once, and on this one as soon as that moment has passed.
    """
    first_ns = MARKET_START_NS + FIRST_NS - BEGIN_NS
    nearer_ns = draws.randint(8, BARS - 12) * (Span.M1.ns - MINUTE_NS)
    return first_ns - nearer_ns + draws.randint(800, 12_000) * MS


def _assignment(
    draws: random.Random, name: AssignmentId, others: tuple[str, ...], short_ns: int
) -> Assignment:
    symbol = draws.choice(("AAA", "BBB", "BBB", "CCC"))
    slots = {"BBB": X_SLOTS, "CCC": Y_SLOTS}.get(symbol, Y_SLOTS)
    some = draws.random() < 0.6
    text = draws.choice((*TEXTS, TEXTS[0], TEXTS[0]))
    return Assignment(
        assignment_id=name,
        text_hash=text.text_hash,
        name=text.name,
        symbol=symbol,
        span=draws.choice((Span.M1, Span.M1, Span.M1, Span.M3, Span.M5)),
        slots=tuple(draws.sample(slots, draws.randint(1, 3))) if some else slots,
        sizing=Fixed(quantity=Lots(draws.choice((1, 4, 8, 13)))),
        parameters={"fast": draws.randint(1, 3)},
        others=tuple(one for one in others if one != symbol),
        good_for_ns=draws.choice((GOOD_FOR_NS, GOOD_FOR_NS, short_ns, short_ns)),
    )


def _intention(at_ns: int, key: str, command: Command) -> Intention:
    assert at_ns < 60 * SECOND, "it is wanted while faults rage"
    return Intention(at_ns, Asked(command_id=CommandId(key), command=command))
