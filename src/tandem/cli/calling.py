"""From a command line to a plain function, and from errors to exit codes."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TextIO

from cyclopts import App, CycloptsError, Parameter

from tandem.cli.main import BAD_INPUT, FAILED, NO_COORDINATOR
from tandem.domain.errors import (
    ConfigurationError,
    CoordinatorUnreachableError,
    MarketFileError,
    OffGridError,
    ShareListError,
    TandemError,
)
from tandem.wiring.home import Home, default_folder

INTERRUPTED = 130
HomeOption = Annotated[
    Path | None,
    Parameter(name="--home", help="Where journals and sockets are ($XDG_DATA_HOME/tandem)."),
]
JsonOption = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


class BadInputError(TandemError):
    """What was typed cannot be; says what was expected."""


class RefusedError(TandemError):
    """The coordinator refused; says why."""


def new_app(text: str = "") -> App:
    """Return an application for one command or a group of them."""
    return App(name="tandem", help=text, version_flags=[], result_action="return_value")


def call(app: App, arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        sys.stderr.write(f"tandem: {error}\n")
        return BAD_INPUT
    return code if isinstance(code, int) else 0


def home_of(folder: Path | None) -> Home:
    """Return the home that was named, or the usual one."""
    return Home(folder.absolute() if folder is not None else default_folder())


def finish(action: Callable[[], Awaitable[int]], err: TextIO | None = None) -> int:
    """Run `action` on a loop and return its exit code; an error is written as one line."""
    err = err if err is not None else sys.stderr

    async def act() -> int:
        task = asyncio.ensure_future(action())
        loop = asyncio.get_running_loop()
        # What was started is ended cleanly, whichever way we are told to.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(act())
    except asyncio.CancelledError:
        err.write("interrupted\n")
        return INTERRUPTED
    except TandemError as error:
        err.write(f"tandem: {error}\n")
        return exit_code(error)


def attempt(action: Callable[[], int]) -> int:
    """Return the exit code of an action that needs no loop; an error is written as one line."""
    try:
        return action()
    except TandemError as error:
        sys.stderr.write(f"tandem: {error}\n")
        return exit_code(error)


def exit_code(error: TandemError) -> int:
    """Return the exit code that tells a script what kind of error it was."""
    if isinstance(error, CoordinatorUnreachableError):
        return NO_COORDINATOR
    bad_input = BadInputError | ConfigurationError | MarketFileError | OffGridError | ShareListError
    return BAD_INPUT if isinstance(error, bad_input) else FAILED
