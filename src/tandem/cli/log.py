"""`tandem log`: the journals, verified or shown."""

import sys
from collections.abc import Sequence
from typing import Annotated, Literal, TextIO

import msgspec
from cyclopts import App, Parameter

from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.printing import plain, write_json
from tandem.domain.commands import Refused
from tandem.domain.desk import Commanded, Tell
from tandem.domain.exchange import Due as ExchangeDue
from tandem.domain.exchange import MarketEvents
from tandem.wiring.home import Home
from tandem.wiring.journals import records, verify_journals

app = new_app()
log = App(name="log", help="Verify or show the journal.")
app.command(log)
JournalOption = Annotated[
    Literal["coordinator", "exchange", "decisions"], Parameter(name="--journal")
]


@log.command
def verify(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Check every byte of all journals: lengths, sums, and the chain of hashes."""

    async def check() -> int:
        return verify_log(home_of(home), sys.stdout, as_json=json)

    return finish(check)


def verify_log(home: Home, out: TextIO, *, as_json: bool) -> int:
    """Write what the journals hold; return the exit code.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
    """

    def progress(*numbers: int) -> None:
        segment, last = numbers
        if segment > 1:  # the first takes well below a second
            sys.stderr.write(f"segment {segment} of {last}\n")

    verified = verify_journals(home, progress)
    if as_json:
        write_json(verified, out)
        return OK
    for name, one in verified.items():
        out.write(
            f"{name}: whole; {one.records} records in {one.batches} batches, "
            f"{one.size_bytes} bytes, head {one.head_hash.hex()[:16]}\n"
        )
    return OK


@log.command
def show(
    *,
    order: str | None = None,
    journal: JournalOption = "coordinator",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the records of a journal, one line each: number, time, event, effects.

    Args:
        order: Only records that name this order, or one of its parts.
        journal: Whose journal.
        home: Where journals and sockets are.
        json: Print JSON, one object a line.
    """

    async def write() -> int:
        return show_log(home_of(home), (journal, order), sys.stdout, as_json=json)

    return finish(write)


def show_log(home: Home, chosen: tuple[str, str | None], out: TextIO, *, as_json: bool) -> int:
    """Write the records of a journal; return the exit code.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
    """
    name, order = chosen
    for record in records(home, name):
        is_market = isinstance(record.event, ExchangeDue | MarketEvents)
        if order is None and is_market and not record.effects:
            continue  # the market moved, and nobody was told
        said = msgspec.json.encode([plain(record.event), plain(record.effects)]).decode()
        if order is not None and not _names(said, order=order):
            continue
        kind = type(record.event).__name__
        if as_json:
            entry = {
                "record": record.number,
                "now_ns": record.now.now_ns,
                "market_ns": record.now.market_ns,
                "kind": kind,
                "event": plain(record.event),
                "effects": [
                    {"kind": type(one).__name__, "effect": plain(one)} for one in record.effects
                ],
            }
            out.write(msgspec.json.encode(entry).decode() + "\n")
        else:
            effects = ", ".join(type(one).__name__ for one in record.effects)
            line = f"{record.number:>7} {record.now.now_ns / 1e9:>16.6f} {kind:<14} {effects}"
            about = commands_of(record.event, record.effects)
            out.write(f"{line} [{about}]\n" if about else f"{line}\n")
    return OK


def commands_of(event: object, effects: Sequence[object]) -> str:
    """Return the ids of the commands that were asked or answered, and which were refused."""
    said: dict[str, str] = {}
    if isinstance(event, Commanded):
        said[event.asked.command_id] = ""
    for one in effects:
        if isinstance(one, Tell):
            answer = one.answer
            how = f" refused: {answer.reason}" if isinstance(answer, Refused) else ""
            said[one.command_id] = how
    return ", ".join(f"command {command_id}{how}" for command_id, how in said.items())


def _names(said: str, *, order: str) -> bool:
    """Whether the text names the order itself, or a part: an id and a dash."""
    return f'"{order}"' in said or f'"{order}-' in said
