"""One question to the coordinator, or one command, and its answer on the screen."""

from collections.abc import Awaitable, Callable
from typing import Final, TextIO, TypeVar

from tandem.cli.calling import BadInputError
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import write_json
from tandem.domain.commands import Answer, Command, Done, Refused, Taken, TargetsTaken
from tandem.domain.ids import CommandId
from tandem.domain.views import OrdersView
from tandem.wiring.asking import DeskLine, desk_line, refuse_absent
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command

LIMIT_MAX: Final = 150  # more orders do not fit into an answer
T = TypeVar("T")


async def ask_desk(home: Home, question: Callable[[DeskLine], Awaitable[T]]) -> T:
    """Return the answer to one question.

    Raises:
        CoordinatorUnreachableError: no pool runs here, or it does not answer.
    """
    refuse_absent(home)
    async with desk_line(home) as line:
        return await question(line)


async def latest_orders(home: Home, limit: int) -> OrdersView:
    """Return the latest `limit` orders, with the algorithms among them.

    Raises:
        BadInputError: so many do not fit into an answer.
        CoordinatorUnreachableError: no pool runs here, or it does not answer.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise BadInputError(f"--limit {limit}: expected 1 to {LIMIT_MAX}")
    return await ask_desk(home, lambda line: line.orders(limit=limit))


async def tell_desk(home: Home, command: Command, out: TextIO, *, as_json: bool) -> int:
    """Have one command carried out, and write its answer; return the exit code.

    Raises:
        CoordinatorUnreachableError: no pool runs here, or it does not answer.
    """
    command_id = fresh_command(type(command).__name__.lower())
    answer = await ask_desk(home, lambda line: line.command(command_id, command))
    return write_answer(answer, out, as_json=as_json, command_id=command_id)


def write_answer(
    answer: Answer, out: TextIO, *, as_json: bool, command_id: CommandId | None = None
) -> int:
    """Write an answer, with the command's id when it leads to more; return the exit code."""
    if as_json:
        named = {} if command_id is None else {"command_id": command_id}
        write_json({"answer": type(answer).__name__.lower(), "says": answer} | named, out)
    else:
        match answer:
            case Refused():
                trace = f" [command {command_id}]" if command_id is not None else ""
                out.write(f"refused ({answer.reason.value}): {answer.text}{trace}\n")
            case Taken():
                out.write(f"taken: {answer.order_id}\n")
            case Done():
                out.write(f"{answer.text or 'done'}\n")
            case TargetsTaken():
                out.write(f"{answer.taken} decisions taken, {len(answer.dropped)} dropped\n")
    return FAILED if isinstance(answer, Refused) else OK
