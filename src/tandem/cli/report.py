"""`tandem report`: what a run came to, from its journals."""

import io
import shutil
import sys
from typing import Final

from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.charts import steps
from tandem.cli.main import FAILED, OK
from tandem.cli.ordering import write_algos
from tandem.cli.printing import amount, table, write_json
from tandem.cli.statement_text import time_text
from tandem.domain.money import ZERO
from tandem.domain.run_report import Inventory
from tandem.wiring.run_report import RunReport, report_of

app = new_app()
MARGIN: Final = 44
PROGRESS_RECORDS: Final = 50_000


@app.command
def report(*, limit: int = 50, home: HomeOption = None, json: JsonOption = False) -> int:
    """Say what became of every order, what others could see, what was held, and whether it adds up.

    It replays the journals, while the pool runs or after it has ended. 1 when something does not
    add up.

    Args:
        limit: How many of the latest orders are listed; JSON has all.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    def progress(count: int) -> None:
        if count % PROGRESS_RECORDS == 0:
            sys.stderr.write(f"{count} records\n")

    async def act() -> int:
        found = report_of(home_of(home), progress)
        if json:
            write_json(found, sys.stdout)
        else:
            width = shutil.get_terminal_size().columns
            sys.stdout.write(report_text(found, limit=limit, width=width))
        return OK if adds_up(found) else FAILED

    return finish(act)


def adds_up(found: RunReport) -> bool:
    """Return whether books agree and no two orders of ours met."""
    return found.balanced and not found.differences and not found.own_trades


def report_text(found: RunReport, *, limit: int, width: int) -> str:
    """Return it for people, at most so wide where it draws."""
    heads = ("id", "of", "symbol", "side", ">quantity", ">filled", ">value", ">fees", ">arrival")
    rows = [
        (
            one.order_id,
            one.owner,
            one.symbol,
            one.side.value,
            one.quantity,
            one.filled,
            amount(one.value),
            amount(one.fees),
            one.arrival,
            None if one.slippage is None else amount(one.slippage),
            one.state,
        )
        for one in found.orders[max(0, len(found.orders) - limit) :]
    ]
    parts = [table((*heads, ">slippage", "state"), rows)]
    if found.algos:
        algos = io.StringIO()
        write_algos(found.algos, algos)
        parts.append("\n" + algos.getvalue())
    shown = [(one.instrument_id, one.quantity, time_text(one.at_ns)) for one in found.most_shown]
    parts.append("\n" + table(("instrument", ">most ever visible", "at"), shown))
    parts.append("\nbought less sold, over time\n")
    parts.extend(chart(one, width=width) for one in found.inventories)
    sizes = ", ".join(f"{name} {size:,} bytes" for name, size in found.journal_bytes.items())
    parts.append(f"\njournals: {sizes}; {found.records} records of the coordinator\n")
    prevented = sum(
        count
        for name, count in found.counters.items()
        # As a command, as an algorithm's order, for what strategies want, and by the venue.
        if name.endswith("refused_self_trade") or name == "venue_refused_self_match"
    )
    parts.append(f"own orders met: {found.own_trades}; refused because they could: {prevented}\n")
    parts.append("ledger balanced\n" if found.balanced else "THE LEDGER DOES NOT BALANCE\n")
    if found.differences:
        parts.append(f"{len(found.differences)} DIFFERENCES to the exchange's books:\n")
        parts.extend(f"  {one}\n" for one in found.differences)
    else:
        parts.append("cash and positions equal the exchange's own books to the last digit\n")
    return "".join(parts)


def chart(of: Inventory, *, width: int) -> str:
    """Return one line: lowest, a bar for each span of time, highest."""
    columns = max(10, width - MARGIN)
    low, high = min(ZERO, *of.quantities), max(ZERO, *of.quantities)
    drawn = steps(of.at_ns, of.quantities, columns=columns)
    return f"{of.instrument_id:<14} {low:>12f} {drawn} {high:f}\n"
