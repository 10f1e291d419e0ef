"""What became of a share list, by the exchange's own journal and nothing else."""

from decimal import Decimal
from pathlib import Path

import msgspec

from tandem.core.matching.state import Execution
from tandem.core.trading.share_list import parse
from tandem.domain.ids import InstrumentId, SlotId
from tandem.domain.instrument import Catalogue
from tandem.domain.order import Side
from tandem.domain.parents import Split
from tandem.wiring.home import Home
from tandem.wiring.journals import replayed_exchange
from tandem.wiring.settings import read_paper


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Lots that are missing, lots that were traded twice, and fills where our orders met."""

    fills: int
    lost: int
    repeated: int
    crossed: int
    open_orders: int

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.repeated or self.crossed or self.open_orders)


def judge(home: Path, share_list: Path, *, workers: int = 8) -> Verdict:
    """Return how what traded at the exchange differs from what the list asks for."""
    exchange = read_paper(Home(home)).exchange
    slots = [SlotId(f"w{number}") for number in range(1, len(exchange.accounts) + 1)]
    wanted: dict[tuple[InstrumentId, Side], int] = {}
    with share_list.open("rb") as source:
        for line in parse(source, Catalogue(exchange.instruments), slots):
            key = (line.instrument_id, line.side)
            lots = line.quantity * (workers if line.split is Split.EACH else 1)
            wanted[key] = wanted.get(key, 0) + lots
    traded: dict[tuple[InstrumentId, Side], int] = {}
    executions: dict[str, Execution] = {}
    prevented = open_orders = 0
    for account in replayed_exchange(Home(home)).state.accounts:
        for record in account.records.values():
            prevented += record.prevented > 0
            open_orders += record.status is None
        for one in account.executions:
            side = Side.BUY if one.lots > 0 else Side.SELL
            traded[one.instrument_id, side] = traded.get((one.instrument_id, side), 0) + abs(
                one.lots
            )
            executions[one.fill.execution_id] = one
    lost = repeated = 0
    for key in {**wanted, **traded}:
        difference = traded.get(key, 0) - wanted.get(key, 0)
        lost += max(0, -difference)
        repeated += max(0, difference)
    return Verdict(
        fills=len(executions),
        lost=lost,
        repeated=repeated,
        crossed=prevented + met(executions),
        open_orders=open_orders,
    )


def met(executions: dict[str, Execution]) -> int:
    """Count trades of which both sides are ours: two executions, one right after the other."""
    count = 0
    for execution_id, one in executions.items():
        stem, _, number = execution_id.rpartition("E")
        after = executions.get(f"{stem}E{int(number) + 1}")
        if after is None or after.instrument_id != one.instrument_id:
            continue
        is_one_trade = after.at_ns == one.at_ns and after.lots == -one.lots
        count += is_one_trade and after.cash + one.cash == Decimal(0)
    return count
