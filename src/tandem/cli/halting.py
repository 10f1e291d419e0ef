"""Halting by hand, with or without a coordinator, and trading again."""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from typing import Annotated, Final, TextIO

import msgspec
from cyclopts import Parameter

from tandem.cli.asking import tell_desk, write_answer
from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import table, write_json
from tandem.domain.commands import Answer, Done, HaltTrading, Refused, ResumeTrading
from tandem.domain.errors import ConfigurationError, CoordinatorUnreachableError
from tandem.domain.ids import CommandId
from tandem.wiring.asking import DeskLine, desk_line, refuse_absent
from tandem.wiring.halt_file import clear_halt, new_halt, read_halt, write_halt
from tandem.wiring.halting import HaltReport, WorkerHalt, halt_home
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command
from tandem.wiring.polling import poll
from tandem.wiring.settings import read_paper
from tandem.wiring.venue_books import is_ours

app = new_app()
BY_HAND: Final = "by hand"
SETTLE_S: Final = 15.0


@Parameter(name="*")
@dataclass(frozen=True)
class HaltOptions:
    """How to halt.

    Attributes:
        drill: Fill a paper pool with open orders, halt it, measure, and resume.
        kill_coordinator: In a drill, kill the coordinator first.
        orders: How many orders are open in a drill.
        reason: Why a symbol is halted.
        json: Print JSON.
    """

    drill: Annotated[bool, Parameter(negative="")] = False
    kill_coordinator: Annotated[bool, Parameter(negative="")] = False
    orders: int = 1_000
    reason: str = BY_HAND
    json: JsonOption = False


@app.command
def halt(
    what: str = BY_HAND, *, options: HaltOptions | None = None, home: HomeOption = None
) -> int:
    """Stop every worker at once, cancel all open orders, and see that they are gone.

    Works without a coordinator, and stands until 'tandem resume', whatever is started anew.
    0 when everything stopped and nothing is open, else 1. A symbol that is traded here halts that
    symbol alone, by the coordinator; everything else trades on.

    Args:
        what: Why, shown to whoever asks; or a symbol, such as TSLA, to halt only that.
        options: A drill instead, why a symbol is halted, and how to print.
        home: Where journals and sockets are.
    """
    chosen = options if options is not None else HaltOptions()
    if not chosen.drill:
        place = home_of(home)
        if what in traded_symbols(place):
            return finish(lambda: _halt_symbol(place, what, chosen, sys.stdout))
        reason = what if chosen.reason == BY_HAND else chosen.reason
        return finish(lambda: _halt(place, reason, sys.stdout, as_json=chosen.json))

    async def drill() -> int:
        from tandem.cli.halt_drill import run_drill

        kills = chosen.kill_coordinator
        return await run_drill(
            home_of(home), sys.stdout, orders=chosen.orders, kills=kills, as_json=chosen.json
        )

    return finish(drill)


def traded_symbols(home: Home) -> set[str]:
    """Return what the exchange of that home lists; nothing where that cannot be told.

    What is no symbol is a reason, and halts everything: of two mistakes, the safe one.
    """
    try:
        return {one.symbol for one in read_paper(home).exchange.instruments}
    except (OSError, ConfigurationError):
        return set()


async def _halt_symbol(home: Home, symbol: str, options: HaltOptions, out: TextIO) -> int:
    """Have one symbol halted, and see at the exchange that nothing of ours is open there."""
    from tandem.cli.ordering import unseen_gone

    refuse_absent(home)
    instruments = read_paper(home).exchange.instruments
    keys = {one.instrument_id for one in instruments if one.symbol == symbol}
    async with desk_line(home) as line:
        command = HaltTrading(reason=options.reason, symbol=symbol)
        answer = await line.command(fresh_command("halt"), command)
        if isinstance(answer, Refused):
            return write_answer(answer, out, as_json=options.json)

        async def left() -> int:
            halted = (await line.status()).halted
            return sum(one.open_orders for one in halted if one.symbol == symbol)

        unseen: str | None = "the coordinator still waits for the end of some"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await poll(left, lambda count: count == 0)
            unseen = await unseen_gone(
                home, lambda order: is_ours(order) and order.instrument_id in keys
            )
    said = "nothing of it is open at the exchange" if unseen is None else f"NOT VERIFIED: {unseen}"
    done = Done(text=f"{symbol} is halted; {said}; 'tandem resume {symbol}' trades it again")
    write_answer(done, out, as_json=options.json)
    return OK if unseen is None else FAILED


async def _halt(home: Home, reason: str, out: TextIO, *, as_json: bool) -> int:
    found = new_halt(reason)
    if home.running_pid() is None:
        if home.folder.is_dir() and not home.is_machine:
            write_halt(home, found)
            raise CoordinatorUnreachableError(
                f"{home.folder}: no pool runs here; the next one starts halted"
            )
        refuse_absent(home)
    report = await halt_home(home, found)
    return show_report(report, out, as_json=as_json)


def show_report(report: HaltReport, out: TextIO, *, as_json: bool) -> int:
    """Write what became of a halt; return the exit code."""
    if as_json:
        write_json({"verified": report.is_verified, "report": msgspec.to_builtins(report)}, out)
    else:
        out.write(report_text(report))
    return OK if report.is_verified else FAILED


def report_text(report: HaltReport) -> str:
    """Return what became of a halt, for people; times are ms after it began."""
    heads = ("process", "account", ">stopped", ">cancels", ">all sent", ">verified gone", "")
    lines = [table(heads, [_cells(one) for one in report.workers])]
    if report.machine:
        lines.append("the workers tell their coordinator, which halts the whole pool\n")
    elif report.coordinator_ms is not None:
        lines.append(f"the coordinator took note after {_ms(report.coordinator_ms)} ms\n")
    else:
        lines.append("no coordinator took note; the next one starts halted\n")
    if report.durable_ms is None and not report.machine:
        lines.append("the halt is NOT durable: its file could not be written\n")
    if report.open_at_venue is not None:
        count = sum(report.open_at_venue.values())
        when = f"none open since {_ms(report.clear_ms)} ms" if count == 0 else f"{count} ARE OPEN"
        lines.append(f"the exchange itself says: {when}\n")
    if report.is_verified:
        lines.append("halted: nothing new leaves, nothing is open; 'tandem resume' trades again\n")
    else:
        lines.append("HALTED, BUT NOT VERIFIED: look at the lines above, and halt again\n")
    return "".join(lines)


def _cells(row: WorkerHalt) -> tuple[object, ...]:
    times = (_ms(row.stopped_ms), row.cancels, _ms(row.cancels_sent_ms), _ms(row.verified_ms))
    return (row.name, row.account_id, *times, row.text)


def _ms(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


@app.command
def resume(symbol: str | None = None, *, home: HomeOption = None, json: JsonOption = False) -> int:
    """Trade again after a halt; symbols that were halted by name stay so until named here.

    Args:
        symbol: Only this one, which was halted by name.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        found = home_of(home)
        if symbol is not None:
            command = ResumeTrading(symbol=symbol)
            return await tell_desk(found, command, sys.stdout, as_json=json)
        refuse_absent(found)
        async with desk_line(found) as line:
            return write_answer(await resume_home(found, line), sys.stdout, as_json=json)

    return finish(act)


async def resume_home(home: Home, line: DeskLine) -> Answer:
    """Lift the halt of a home, and return what the coordinator says.

    Workers that were halted by hand trade again only when the coordinator has heard of that halt,
    so it is told first. Its journal then holds the halt, and the file can go.

    Raises:
        CoordinatorUnreachableError: it does not answer; the halt stands.
    """
    found = read_halt(home)
    if found is not None:
        await line.command(CommandId(found.halt_id), found.command)
        clear_halt(home)
    return await line.command(fresh_command("resume"), ResumeTrading())
