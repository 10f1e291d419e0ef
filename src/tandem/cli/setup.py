"""`tandem setup`: a conversation that ends with a session file, and a first trade if wanted."""

import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from tandem.cli.calling import HomeOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.session import run_session
from tandem.cli.wizard import Talk, converse
from tandem.domain.instrument import Catalogue
from tandem.wiring.home import Home
from tandem.wiring.session_file import read_session, write_session
from tandem.wiring.settings import new_paper, read_settings

app = new_app()
FILE: Final = Path("session.toml")


@app.command
def setup(
    *,
    file: Path = FILE,
    home: HomeOption = None,
    no_run: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Answer a few questions, Enter for what is usual, and make a first paper trade.

    What was answered is saved as a session file, which 'tandem session run' trades again without
    a question.

    Args:
        file: Where it is saved.
        home: Where journals and sockets are.
        no_run: Only save.
    """
    return finish(lambda: set_up(file, home_of(home), no_run=no_run))


async def set_up(file: Path, home: Home, *, no_run: bool) -> int:
    """Ask, save, and trade if the person wants to; return the exit code.

    Raises:
        BadInputError: the input ended before the last answer; nothing was saved.
    """
    if not _is_agreed(Talk(sys.stdin, out=sys.stdout), file, home, no_run=no_run):
        return OK
    return await run_session(read_session(file), file, home)


def _is_agreed(talk: Talk, file: Path, home: Home, *, no_run: bool) -> bool:
    """Hold the conversation and save what was said; return whether to trade it now."""
    exchange = new_paper(read_settings(home), None).exchange
    catalogue = Catalogue(exchange.instruments)
    prices = {}
    for book in exchange.synthetic.books if exchange.synthetic is not None else ():
        instrument = catalogue[book.instrument_id]
        prices[instrument.symbol] = instrument.price_text(book.reference)
    talk.say("A first trade on paper. Enter takes what stands in brackets.")
    session = converse(talk, catalogue, prices)
    if file.exists() and not talk.whether(f"{file} exists; write over it", default=True):
        talk.say("nothing was saved")
        return False
    write_session(file, session)
    talk.say(f"saved as {file}; 'tandem session run {file}' trades it again")
    return not no_run and talk.whether("Trade it now", default=True)
