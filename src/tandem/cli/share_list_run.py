"""A run of a share list: check it, send it line by line, wait for its end, compare the books."""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, TextIO

import msgspec

from tandem.cli.calling import BadInputError, RefusedError
from tandem.cli.comparing import compare, opening_text, totals_text
from tandem.cli.drill import Drill
from tandem.cli.following import Following
from tandem.cli.main import FAILED, OK
from tandem.cli.pacing import Pace
from tandem.cli.printing import milliseconds, table, write_json
from tandem.core.trading.share_list import ShareLine, parse
from tandem.domain.commands import Answer, PlaceParent, Refused, Taken
from tandem.domain.errors import ShareListError
from tandem.domain.ids import CommandId, SlotId
from tandem.domain.instrument import Catalogue
from tandem.domain.parents import ParentSpec
from tandem.domain.views import ParentView
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home
from tandem.wiring.journals import verify_journals
from tandem.wiring.names import now_ns
from tandem.wiring.pool import any_pool
from tandem.wiring.settings import new_paper, read_paper, read_settings

ENDS_S: Final = 120.0
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a list; its name is the stem of its command ids."""

    file: Path
    name: str
    workers: int | None
    drill: bool
    as_json: bool


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line; `order` is None when it was refused or is not known any more."""

    line_number: int
    text: str
    refused: str | None
    order: ParentView | None


async def trade_list(run: Run, home: Home, out: TextIO, *, err: TextIO) -> int:
    """Trade a list and print what became of it; return the exit code.

    Raises:
        ShareListError: the list is malformed; nothing was sent.
        BadInputError: it cannot be read.
        PoolFailedError: no pool could be started.
        CoordinatorUnreachableError: an answer did not come. The same run goes on from there.
    """
    if not NAME.fullmatch(run.name):
        raise BadInputError(
            f"--run {run.name!r}: expected up to 64 letters, digits, '.', '_' or '-'"
        )
    workers = run.workers if run.workers is not None else read_settings(home).workers
    lines = await checked_lines(run.file, home, workers)

    def say(text: str) -> None:
        err.write(f"{text}\n")
        err.flush()

    say(f"run {run.name}: {len(lines)} orders in {run.file}; --run {run.name} continues it")
    async with any_pool(home, workers=workers, say=say) as line:
        await refuse_halted(line)
        repeated = await _repeated(line)
        drill = Drill(line, after=max(1, len(lines) // 3)) if run.drill else None
        following = Following(line)
        pace = await pace_of(home, line)
        answers = await _send_all(_Sending(run.name, line, pace, following), lines, drill)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_S):
                await following.until_ended(err)
        traded = [
            _traded(one, answer, following) for one, answer in zip(lines, answers, strict=True)
        ]
        earlier = await _repeated(line) - repeated
        if earlier:
            say(f"{earlier} orders had been taken before: nothing of them was sent again")
        comparison = await compare(home, line, [one.order for one in traded if one.order])
    verified = verify_journals(home)
    if run.as_json:
        found = {"run": run.name, "orders": traded, "books": comparison, "journals": verified}
        write_json(found | ({"drill": drill.told} if drill else {}), out)
    else:
        _print(run, home, traded, out)
        if drill is not None:
            out.write(f"drill: {drill.told}\n")
        out.write(totals_text(comparison))
        for name, one in verified.items():
            out.write(f"{name} journal whole: {one.records} records, {one.batches} batches\n")
    return OK if comparison.agrees and all(map(_is_filled, traded)) else FAILED


async def refuse_halted(line: DeskLine) -> None:
    """See that the desk takes orders: a refusal would stand under that run's name for ever.

    Raises:
        RefusedError: trading is halted; nothing was sent.
    """
    status = await line.status()
    if status.trading == "halted":
        raise RefusedError(f"trading is halted ({status.reason}): 'tandem resume' ends that")


async def checked_lines(file: Path, home: Home, workers: int) -> list[ShareLine]:
    """Return the orders of a list, all of them checked; a new pool would have so many workers.

    Raises:
        ShareListError: the list is malformed; names file, line and column.
        BadInputError: it cannot be read.
    """
    catalogue, slots = await _catalogue(home, workers)
    try:
        with file.open("rb") as source:
            return parse(source, catalogue, slots)
    except ShareListError as error:
        raise BadInputError(f"{file}: {error}") from error
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror}") from error


async def _catalogue(home: Home, workers: int) -> tuple[Catalogue, Sequence[SlotId]]:
    """Return what can be traded here: as the running pool says, or as a new one would."""
    if home.running_pid() is not None:
        async with desk_line(home) as line:
            view = await line.catalogue()
        if view.slots:
            return Catalogue(view.instruments), view.slots
    try:
        paper = read_paper(home)
    except FileNotFoundError:
        paper = new_paper(read_settings(home), None)
    exchange = paper.exchange
    # An even number of workers trade, each on an account of its own.
    trading = min(workers, len(exchange.accounts)) // 2 * 2
    slots = [SlotId(f"w{number}") for number in range(1, trading + 1)]
    return Catalogue(exchange.instruments), slots


async def _repeated(line: DeskLine) -> int:
    return (await line.status()).counters.get("commands_repeated", 0)


async def pace_of(home: Home, desk: DeskLine) -> Pace:
    """Return how fast the pool of this home may be sent orders."""
    slots = len((await desk.catalogue()).slots)
    return Pace(read_settings(home).gate.max_orders_per_second, slots=slots)


async def send_line(name: str, line: ShareLine, desk: DeskLine, pace: Pace) -> Answer:
    """Send one line of the run of that name, when the pace allows; return the answer."""
    orders = len(line.slots) or pace.slots
    if wait_ns := pace.wait_ns(orders, now_ns=now_ns()):
        await asyncio.sleep(wait_ns / 1e9)
    pace.note(orders, now_ns=now_ns())
    command_id = CommandId(f"{name}:{line.line_number}")
    return await desk.command(command_id, PlaceParent(spec=spec_of(line)))


class _Sending(NamedTuple):
    name: str
    desk: DeskLine
    pace: Pace
    following: Following


async def _send_all(sending: _Sending, lines: list[ShareLine], drill: Drill | None) -> list[Answer]:
    """Send every line in order, each after the one before it was taken."""
    answers = []
    async with contextlib.AsyncExitStack() as stack:
        if drill is not None:
            await stack.enter_async_context(drill)
        for line in lines:
            answer = await send_line(sending.name, line, sending.desk, sending.pace)
            answers.append(answer)
            if isinstance(answer, Taken) and answer.order_id is not None:
                await sending.following.add(answer.order_id)
            if drill is not None:
                await drill.on_line(line.line_number)
    return answers


def spec_of(line: ShareLine) -> ParentSpec:
    """Return what a line of a share list asks for."""
    return ParentSpec(
        symbol=line.symbol,
        side=line.side,
        quantity=line.quantity,
        slots=line.slots,
        split=line.split,
    )


def _traded(line: ShareLine, answer: Answer, following: Following) -> Traded:
    refused = f"{answer.reason.value}: {answer.text}" if isinstance(answer, Refused) else None
    order = None
    if isinstance(answer, Taken) and answer.order_id is not None:
        order = following.views.get(answer.order_id)
    return Traded(line_number=line.line_number, text=line.text, refused=refused, order=order)


def _is_filled(traded: Traded) -> bool:
    return traded.order is not None and traded.order.outcome == "filled"


def _print(run: Run, home: Home, traded: list[Traded], out: TextIO) -> None:
    out.write(f"run {run.name}\n{opening_text(home)}")
    heads = (">line", "order", "parent", ">children", ">fills", ">filled", ">average price")
    rows = [_row(one) for one in traded]
    out.write(table((*heads, ">skew", "outcome"), rows))


def _row(traded: Traded) -> tuple[object, ...]:
    one = traded.order
    if one is None:
        outcome = traded.refused or "not known any more"
        return (traded.line_number, traded.text, None, None, None, None, None, None, outcome)
    average = f"{one.average_price:f}" if one.average_price is not None else None
    counts = (one.children, one.fills, f"{one.filled} of {one.quantity}", average)
    outcome = " ".join(filter(None, (one.outcome or one.phase, one.text)))
    return (
        traded.line_number,
        traded.text,
        one.parent_id,
        *counts,
        milliseconds(one.skew_ns),
        outcome,
    )
