"""Each part as a process of its own, or all by one command: the same is traded."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from tandem.core.trading.desk import Desk
from tandem.domain.bars import Span
from tandem.domain.commands import Assign, Done, SaveStrategy
from tandem.domain.ids import CommandId, Lots, SlotId
from tandem.domain.order import Side
from tandem.domain.strategies import Assignment, AssignmentId, Fixed, Language, StrategyText
from tandem.wiring.asking import desk_line
from tandem.wiring.home import Home
from tandem.wiring.journals import desk_records
from tandem.wiring.statements import decide_again
from tests.system.running import ended_at_last, pool, start, wait_for
from tests.system.test_strategies import (
    COINBASE,
    WITH,
    decided_in,
    wait_until,
    wait_until_decided,
)

MARKET = ("--replay", COINBASE, "--speed", "60")  # a bar each second
NAME = "turns-1"
QUANTITY = 1_000_000
BARS = 12
GOOD_FOR_NS = 20 * Span.M1.ns  # nothing is dropped on a computer that is slow for a moment
TURNS = StrategyText(
    name="turns",
    language=Language.LUA,
    text="""\
-- What it wants is of this bar alone, and another thing than at the bar before.
if math.floor(bar.time / 60) % 2 == 0 then
  return "long"
else
  return "short"
end
""",
)


class Traded(NamedTuple):
    """An order that is over."""

    slots: tuple[SlotId, ...]
    side: Side
    quantity: int
    filled: int
    value: Decimal
    fees: Decimal
    ended_ns: int  # of the market


async def assign_turns(home: Home) -> None:
    assignment = Assignment(
        assignment_id=AssignmentId(NAME),
        text_hash=TURNS.text_hash,
        name=TURNS.name,
        symbol="BTCUSD",
        span=Span.M1,
        sizing=Fixed(quantity=Lots(QUANTITY)),
        good_for_ns=GOOD_FOR_NS,
    )
    async with desk_line(home) as line:
        for command in (SaveStrategy(text=TURNS), Assign(assignment=assignment)):
            answer = await line.command(CommandId(type(command).__name__), command)
            assert isinstance(answer, Done), answer


def traded_in(home: Home) -> dict[int, list[Traded]]:
    """Return the orders that are over, by the begin of the bar that they were placed for.

    Those of the latest bar that has any are left out: another account's may still come.
    """
    desk, ended_ns = Desk(), dict[str, int]()
    for record in desk_records(home):
        decide_again(desk, record)
        for parent in desk.state.parents.values():
            if parent.outcome is not None:
                ended_ns.setdefault(parent.parent_id, record.now.market_ns)
    found: dict[int, list[Traded]] = {}
    for parent in desk.state.parents.values():
        name, _, begin = parent.command_id.partition("@")
        if name == NAME:
            one = Traded(
                tuple(parent.slots),
                parent.spec.side,
                parent.quantity,
                parent.filled,
                parent.filled_value,
                parent.fees,
                ended_ns.get(parent.parent_id, 0),
            )
            found.setdefault(int(begin), []).append(one)
    over = sorted(found)[:-1]
    while over and not all(one.ended_ns for one in found[over[-1]]):
        over.pop()
    return {begin_ns: sorted(found[begin_ns]) for begin_ns in over}


@contextmanager
def parts(home: Home) -> Iterator[None]:
    """Run each component by a command of its own."""
    with ExitStack() as stack:
        for words in (
            ("exchange", *MARKET),
            ("coordinator", "--workers", 3),
            *(("worker", "--name", worker) for worker in ("a", "b", "c")),
            ("market",),
            ("evaluator", "--name", "e1"),
        ):
            part = start("run", *words, "--home", home.folder)
            stack.enter_context(ended_at_last(part))
        wait_for(home.folder, lambda one: one.pool == "trading" and one.priced > 0)
        yield


def is_quick(orders: list[Traded], begin_ns: int) -> bool:
    """Whether all were over before the bar after was, which tells other prices and wants more."""
    return all(0 < one.ended_ns < begin_ns + 2 * Span.M1.ns for one in orders)


def wanted_in(home: Home) -> dict[int, int | None]:
    return {begin_ns: one.position_ppm for begin_ns, (one,) in decided_in(home).items()}


def test_components_run_one_by_one_trade_as_the_whole_pool_does(tmp_path: Path) -> None:
    """B28: `tandem run` of each, and `tandem up`: the same is wanted, ordered and filled.

    One of them begins at a later bar, as processes start, so what both were there for is compared;
    of that, where no slow moment of this computer let orders of one bar meet those of the next.
    """
    homes = [Home(tmp_path / name) for name in ("parts", "whole")]
    with parts(homes[0]):
        asyncio.run(assign_turns(homes[0]))
        wait_until_decided(homes[0], BARS)
        wait_until(lambda: len(traded_in(homes[0])) > BARS)
    last_ns = max(traded_in(homes[0]))
    with pool(homes[1].folder, "--workers", 3, *MARKET, *WITH):
        asyncio.run(assign_turns(homes[1]))
        wait_until(lambda: max(decided_in(homes[1]), default=0) > last_ns)
        wait_until(lambda: max(traded_in(homes[1]), default=0) >= last_ns)
    wanted = [wanted_in(home) for home in homes]
    both = [begin_ns for begin_ns in sorted(wanted[0]) if begin_ns in wanted[1]]
    assert [wanted[0][one] for one in both] == [wanted[1][one] for one in both]
    traded = [traded_in(home) for home in homes]
    quick = [
        begin_ns
        for begin_ns in both
        if all(is_quick(orders.get(begin_ns, []), begin_ns) for orders in traded)
    ]
    # The order of the first bar follows from what was held before, which one of them was not.
    compared = [one for one in quick if both[0] < one <= last_ns and one - Span.M1.ns in quick]
    assert len(compared) > 3
    for begin_ns in compared:
        one, other = (
            [order._replace(ended_ns=0) for order in orders.get(begin_ns, [])] for orders in traded
        )
        assert one == other, begin_ns
        assert [order.filled for order in one] == [QUANTITY, QUANTITY]
