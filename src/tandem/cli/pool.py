"""The pool that runs: status, workers, positions, swap."""

import sys
from typing import TextIO

from tandem.cli.asking import ask_desk, tell_desk
from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import amount, table, write_json
from tandem.cli.screen import pool_table, summary
from tandem.domain.commands import SwapWorker
from tandem.domain.ids import SlotId
from tandem.domain.views import PositionsView, StatusView

app = new_app()


@app.command
def status(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """The pool as a whole: slots, workers, orders, what was counted. 1 when it does not trade."""

    async def show() -> int:
        view = await ask_desk(home_of(home), lambda line: line.status())
        return show_status(view, sys.stdout, as_json=json)

    return finish(show)


def show_status(view: StatusView, out: TextIO, *, as_json: bool) -> int:
    """Write the pool; return the exit code."""
    if as_json:
        write_json(view, out)
    else:
        out.write(pool_table(view))
        out.write(f"{summary(view)}, {view.records} records\n")
        for name in sorted(view.counters):
            out.write(f"  {name} {view.counters[name]}\n")
        for note in view.notes:
            out.write(f"{note}\n")
        for halt in view.halted:
            left = f"; {halt.open_orders} orders may be open there" if halt.open_orders else ""
            out.write(f"{halt.symbol} is halted: {halt.reason}{left}\n")
        for order_id in view.for_person:
            out.write(f"{order_id} waits for a person: tandem orders resolve {order_id}\n")
        for one in view.external:
            if one.waits:
                how = f"tandem orders explain {one.account_id} {one.symbol}"
                out.write(f"{one.symbol} on {one.account_id} is blocked ({one.text}): {how}\n")
    return OK if view.pool == "trading" and view.trading == "active" else FAILED


@app.command
def workers(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """The worker processes and the accounts they drive. 1 when a slot has no worker."""

    async def show() -> int:
        view = await ask_desk(home_of(home), lambda line: line.status())
        if json:
            write_json({"slots": view.slots, "workers": view.workers}, sys.stdout)
        else:
            sys.stdout.write(pool_table(view))
        return OK if all(one.ready for one in view.slots if one.active) else FAILED

    return finish(show)


@app.command
def positions(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """What every account holds, its gains, and its money. 1 when the books do not balance."""

    async def show() -> int:
        view = await ask_desk(home_of(home), lambda line: line.positions())
        return show_positions(view, sys.stdout, as_json=json)

    return finish(show)


def show_positions(view: PositionsView, out: TextIO, *, as_json: bool) -> int:
    """Write positions and cash; return the exit code."""
    if as_json:
        write_json(view, out)
    else:
        has_income = any(one.income for one in view.positions)
        rows = [
            (
                one.account_id,
                one.symbol,
                one.quantity,
                None if one.average_cost is None else f"{one.average_cost:f}",
                amount(one.realized),
                None if one.unrealized is None else amount(one.unrealized),
                amount(one.fees),
                *([amount(one.income)] if has_income else []),
            )
            for one in view.positions
        ]
        heads = ["account", "symbol", ">quantity", ">average cost", ">realized", ">unrealized"]
        heads += [">fees", ">income"] if has_income else [">fees"]
        out.write(table(heads, rows))
        cash = [(one.account_id, one.currency, amount(one.amount)) for one in view.cash]
        out.write(table(("account", "currency", ">cash"), cash))
        balance = "balance" if view.balanced else "DO NOT BALANCE"
        out.write(f"debits and credits {balance}\n")
    return OK if view.balanced else FAILED


@app.command
def swap(slot: str, *, home: HomeOption = None, json: JsonOption = False) -> int:
    """Replace the process that fills a slot by the spare.

    Args:
        slot: The slot's name, such as w3.
        home: Where journals and sockets are.
        json: Print JSON.
    """
    command = SwapWorker(slot_id=SlotId(slot))
    return finish(lambda: tell_desk(home_of(home), command, sys.stdout, as_json=json))
