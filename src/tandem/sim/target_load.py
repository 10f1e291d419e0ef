"""What strategies decide in a simulated world, as a decider that insists would tell it.

Decisions come late, twice and out of turn. Their bars are given in time since the trader began;
when one is first told, the moments of the market are put for them, and the assignment's number.
"""

import random
from typing import Final

import msgspec

from tandem.domain.bars import Span
from tandem.domain.commands import (
    Asked,
    Assign,
    Command,
    SaveStrategy,
    SetTargets,
    SuspendStrategy,
    Unassign,
)
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import CommandId, Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import (
    FULL_PPM,
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    StrategyText,
    Target,
    WantedOrder,
)
from tandem.sim.load import PRICE, X_SLOTS, Y_SLOTS, Intention

TEXT: Final = StrategyText(name="drawn", language=Language.LUA, text="return nil")
ONE_IN: Final = 4  # seeds; the stories of the others stay what they were
ASSIGNMENTS_MAX: Final = 6


def target_intentions(seed: int, *, until_ns: int) -> list[Intention]:
    """Return what is saved, assigned and decided, and when."""
    draws = random.Random(f"{seed} targets")
    if seed % ONE_IN != 1:
        return []
    found = [_intention(4 * SECOND, "save", SaveStrategy(text=TEXT))]
    for number in range(draws.randint(2, ASSIGNMENTS_MAX)):
        key = AssignmentId(f"s{number}")
        began_ns = draws.randrange(5 * SECOND, 20 * SECOND)
        assign = Assign(assignment=_assignment(draws, key))
        found.append(_intention(began_ns, f"{key}-assign", assign))
        found += _decisions(draws, key, began_ns + SECOND, until_ns)
        found += _changes(draws, assign.assignment, began_ns, until_ns)
    return found + _rests_and_takes(seed, until_ns)


def _rests_and_takes(seed: int, until_ns: int) -> list[Intention]:
    """Let one bid again and again, and another sell at the market, on one account or on two."""
    draws = random.Random(f"{seed} rests and takes")
    found = []
    for key, slots in (("rests", X_SLOTS[:1]), ("takes", X_SLOTS[: draws.randint(1, 2)])):
        one = msgspec.structs.replace(
            _assignment(draws, AssignmentId(key)), symbol="BBB", slots=slots, name=key
        )
        end_ns = 5 * SECOND
        found.append(_intention(end_ns, f"{key}-assign", Assign(assignment=one)))
        while (end_ns := end_ns + draws.randint(1_000, 4_000) * MS) < until_ns:
            target = Target(
                assignment_id=one.assignment_id,
                number=0,
                begin_ns=end_ns - SECOND,
                end_ns=end_ns,
                position_ppm=draws.choice((0, FULL_PPM)) if key == "takes" else None,
                orders=() if key == "takes" else (_bid(draws),),
            )
            found.append(_intention(end_ns, f"{key}-{end_ns}", SetTargets(targets=(target,))))
    return found


def _bid(draws: random.Random) -> WantedOrder:
    price = Ticks(PRICE - draws.randint(1, 6))
    return WantedOrder(side=Side.BUY, quantity=Lots(draws.randint(1, 4)), limit_price=price)


def _intention(at_ns: int, key: str, command: Command) -> Intention:
    return Intention(at_ns, Asked(command_id=CommandId(f"t-{key}"), command=command))


def _assignment(draws: random.Random, key: AssignmentId) -> Assignment:
    symbol = draws.choice(("AAA", "BBB", "BBB", "CCC"))
    pool = {"BBB": X_SLOTS, "CCC": Y_SLOTS}.get(symbol, draws.choice((X_SLOTS, Y_SLOTS)))
    # Few accounts, so that assignments share them.
    slots: tuple[SlotId, ...] = pool[: draws.randint(1, 2)]
    return Assignment(
        assignment_id=key,
        text_hash=TEXT.text_hash,
        name=draws.choice(("one", "two")),
        symbol=symbol,
        span=Span.M1,
        slots=slots,
        sizing=Fixed(quantity=Lots(draws.randint(1, 12))),
        good_for_ns=draws.randint(1, 20) * SECOND,
    )


def _decisions(
    draws: random.Random, key: AssignmentId, began_ns: int, until_ns: int
) -> list[Intention]:
    """Return a decision for each bar; some come twice, and some after later ones."""
    found = []
    end_ns, number = began_ns, 0
    while end_ns < until_ns:
        target = _target(draws, key, end_ns)
        at_ns = end_ns + draws.choice((0, 0, 100, 2_000, 8_000)) * MS
        for copy in range(draws.choice((1, 1, 1, 2))):
            told = _intention(at_ns, f"{key}-{number}-{copy}", SetTargets(targets=(target,)))
            found.append(told)
            at_ns += draws.randint(0, 5_000) * MS
        end_ns += draws.randint(500, 5_000) * MS
        number += 1
    return found


def _target(draws: random.Random, key: AssignmentId, end_ns: int) -> Target:
    kind = draws.random()
    orders: tuple[WantedOrder, ...] = ()
    position = draws.choice((0, 0, FULL_PPM // 2, FULL_PPM, FULL_PPM, -FULL_PPM))
    if kind < 0.15:
        orders = (_order(draws),)
    return Target(
        assignment_id=key,
        number=0,
        begin_ns=end_ns - SECOND,
        end_ns=end_ns,
        position_ppm=None if kind < 0.3 else position,
        stop_price=Ticks(PRICE - draws.randint(1, 4)) if kind > 0.7 else None,
        target_price=Ticks(PRICE + draws.randint(1, 6)) if kind > 0.8 else None,
        orders=orders,
    )


def _order(draws: random.Random) -> WantedOrder:
    if draws.random() < 0.5:
        return WantedOrder(
            side=draws.choice((Side.BUY, Side.SELL)),
            quantity=Lots(draws.randint(1, 6)),
            limit_price=Ticks(PRICE + draws.randint(-4, 4)),
        )
    return WantedOrder(
        side=Side.BUY,
        quantity=Lots(draws.randint(1, 6)),
        stop_price=Ticks(PRICE - draws.randint(2, 6)),
        target_price=Ticks(PRICE + draws.randint(2, 6)) if draws.random() < 0.5 else None,
    )


def _changes(
    draws: random.Random, before: Assignment, began_ns: int, until_ns: int
) -> list[Intention]:
    """Return how a person changes it on the way."""
    key, at_ns = before.assignment_id, draws.randrange(began_ns, until_ns)
    again = Assign(assignment=_assignment(draws, key))
    courses: tuple[list[Command], ...] = (
        [],
        [],
        [again],
        [Unassign(assignment_id=key)],
        [Unassign(assignment_id=key), again],
        [SuspendStrategy(assignment_id=key, number=0, reason="drawn"), again],
    )
    found = []
    for step, command in enumerate(draws.choice(courses)):
        found.append(_intention(at_ns, f"{key}-change-{step}", command))
        at_ns += draws.randint(500, 6_000) * MS
    return found
