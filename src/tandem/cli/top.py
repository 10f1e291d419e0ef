"""`tandem top`: the pool on a whole screen, drawn twice a second."""

import sys
from importlib.util import find_spec

from tandem.cli.calling import BadInputError, HomeOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.domain.errors import ConfigurationError
from tandem.wiring.asking import desk_line, refuse_absent
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.home import Home

app = new_app()
STATUS_S = 2.0


@app.command
def top(*, home: HomeOption = None) -> int:
    """Watch the pool: slots, workers, evaluators, latencies, what waits. q quits, p pauses.

    Args:
        home: Where journals and sockets are.
    """
    return finish(lambda: run_top(home_of(home)))


async def run_top(home: Home) -> int:
    """Show the pool until the person has seen enough; return the exit code.

    Raises:
        ConfigurationError: what draws the screen is not installed.
        BadInputError: this is no terminal.
        CoordinatorUnreachableError: no pool runs here.
    """
    if find_spec("textual") is None:
        raise ConfigurationError("tandem top needs pip install 'tandem-trading[top]'")
    if not sys.stdout.isatty():
        raise BadInputError("top: draws on a terminal; tandem status --json is for programs")
    refuse_absent(home)
    # Half a second to load, which no other command should wait for.
    from tandem.cli.top_screen import Top

    async with desk_line(home) as line:
        screen = Top(lambda: line.status(STATUS_S), lambda: ask_evaluators(home))
        await screen.run_async()
    return OK if screen.return_code is None else screen.return_code
