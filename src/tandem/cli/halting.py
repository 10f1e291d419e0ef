"""Halting by hand, with or without a coordinator, and trading again."""

import sys
from dataclasses import dataclass
from typing import Annotated, TextIO

import msgspec
from cyclopts import Parameter

from tandem.cli.asking import write_answer
from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import table, write_json
from tandem.domain.commands import Answer, ResumeTrading
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.ids import CommandId
from tandem.wiring.asking import DeskLine, desk_line, refuse_absent
from tandem.wiring.halt_file import clear_halt, new_halt, read_halt, write_halt
from tandem.wiring.halting import HaltReport, WorkerHalt, halt_home
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command

app = new_app()


@Parameter(name="*")
@dataclass(frozen=True)
class HaltOptions:
    """How to halt.

    Attributes:
        drill: Fill a paper pool with open orders, halt it, measure, and resume.
        kill_coordinator: In a drill, kill the coordinator first.
        orders: How many orders are open in a drill.
        json: Print JSON.
    """

    drill: Annotated[bool, Parameter(negative="")] = False
    kill_coordinator: Annotated[bool, Parameter(negative="")] = False
    orders: int = 1_000
    json: JsonOption = False


@app.command
def halt(
    reason: str = "by hand", *, options: HaltOptions | None = None, home: HomeOption = None
) -> int:
    """Stop every worker at once, cancel all open orders, and see that they are gone.

    Works without a coordinator, and stands until 'tandem resume', whatever is started anew.
    0 when everything stopped and nothing is open, else 1.

    Args:
        reason: Shown to whoever asks why.
        options: A drill instead, and how to print.
        home: Where journals and sockets are.
    """
    chosen = options if options is not None else HaltOptions()
    if not chosen.drill:
        return finish(lambda: _halt(home_of(home), reason, sys.stdout, as_json=chosen.json))

    async def drill() -> int:
        from tandem.cli.halt_drill import run_drill

        kills = chosen.kill_coordinator
        return await run_drill(
            home_of(home), sys.stdout, orders=chosen.orders, kills=kills, as_json=chosen.json
        )

    return finish(drill)


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
def resume(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Trade again after a halt."""

    async def act() -> int:
        found = home_of(home)
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
