"""`tandem demo`: the first paper's workflow, with the lines that its programs print.

The controller stores every command, reads them back one by one and publishes each; the actors
read, execute and log them ("Distributed Retail Trading", section 8). Where the paper names Redis
and Kafka this prints what is used here: a journal, and the coordinator.
"""

import sys
from pathlib import Path
from typing import Final, TextIO

from tandem.cli.calling import BadInputError, HomeOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.pacing import Pace
from tandem.cli.share_list_run import checked_lines, pace_of, refuse_halted, send_line
from tandem.core.trading.share_list import ShareLine
from tandem.domain.commands import Refused
from tandem.domain.views import OrdersView
from tandem.wiring.asking import DeskLine
from tandem.wiring.demo_journal import DemoJournal, Step, Stored
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_name
from tandem.wiring.polling import poll
from tandem.wiring.pool import any_pool
from tandem.wiring.settings import read_settings

app = new_app()
PACE_OF_QUESTIONS: Final = 1_000_000  # what was taken before is only answered again
SHARE_LIST: Final = Path("examples/sharelist.txt")


@app.command
def demo(file: Path = SHARE_LIST, *, run: str | None = None, home: HomeOption = None) -> int:
    """Run the paper's workflow: store all commands, publish each, execute and log each.

    A demo that was interrupted goes on at the first command that was not sent.

    Args:
        file: A share list.
        run: The demo's name; without one an interrupted demo of the same list goes on, or a new
            one begins.
        home: Where journals and sockets are.
    """
    return finish(lambda: run_demo(file, run, home_of(home), (sys.stdout, sys.stderr)))


async def run_demo(file: Path, name: str | None, home: Home, streams: tuple[TextIO, TextIO]) -> int:
    """Run the demo, printing the paper's lines; return the exit code.

    Raises:
        BadInputError: the list is malformed or cannot be read; nothing was sent.
        PoolFailedError: no pool could be started.
        CoordinatorUnreachableError: an answer did not come; the same demo goes on from there.
    """
    out, err = streams
    workers = read_settings(home).workers
    lines = await checked_lines(file, home, workers)
    texts = tuple(one.text for one in lines)
    home.make()
    with DemoJournal(home) as journal:
        found = journal.unfinished(texts) if name is None else journal.run(name)
        if found is None:
            found = journal.store(name or fresh_name("demo"), texts)
        elif found.texts != texts:
            raise BadInputError(f"--run {name}: that demo had another list")
        else:
            err.write(f"demo {found.name} goes on\n")

        def say(text: str) -> None:
            err.write(f"{text}\n")

        async with any_pool(home, workers=workers, say=say) as desk:
            await refuse_halted(desk)
            await _control(journal, found, lines, desk, out)
            is_filled = await _act(journal, found, lines, desk, out)
    return OK if is_filled else FAILED


async def _control(
    journal: DemoJournal, run: Stored, lines: list[ShareLine], desk: DeskLine, out: TextIO
) -> None:
    """Be the paper's controller: all commands are stored; send those that were not yet sent."""
    for text in run.texts:
        out.write(f"{text}\n")
    out.write(f"All Commands stored into Journal {journal.folder}\n")
    out.write(f"Reading Commands From Journal {journal.folder} and Publish to Coordinator:\n")
    out.flush()
    pace = await pace_of(journal.home, desk)
    for place, line in enumerate(lines):
        if journal.has(run.name, Step.SENT, place):
            continue
        # Sent again after a crash between answer and note, it is still carried out once.
        await send_line(run.name, line, desk, pace)
        journal.note(run.name, Step.SENT, place)
        out.write("Message Sent\n")
        out.flush()


async def _act(
    journal: DemoJournal, run: Stored, lines: list[ShareLine], desk: DeskLine, out: TextIO
) -> bool:
    """Be the paper's actors: execute each command, and log it once; return whether all traded."""
    out.write("Read and Execute the Commands Published by Coordinator:\n")
    is_filled = True
    for place, line in enumerate(lines):
        # The same id again: the coordinator only says what became of it.
        answer = await send_line(run.name, line, desk, Pace(PACE_OF_QUESTIONS))
        if isinstance(answer, Refused):
            is_filled = False
        else:
            order_id = getattr(answer, "order_id", None)
            is_filled &= await _is_filled(desk, str(order_id))
        if journal.has(run.name, Step.LOGGED, place):
            continue
        out.write(f"value={line.text}\n{line.text.split()}\n")
        journal.note(run.name, Step.LOGGED, place)
        out.write("Command Logged\n")
        out.flush()
    return is_filled


async def _is_filled(desk: DeskLine, order_id: str) -> bool:
    """Wait until an order has ended; return whether all of it traded."""

    async def look() -> OrdersView:
        return await desk.orders((order_id,))

    view = await poll(look, lambda one: all(it.phase == "done" for it in one.parents))
    return all(one.outcome == "filled" for one in view.parents)
