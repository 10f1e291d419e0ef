"""The `tandem` command: finds the module of a command, and loads nothing else."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from cyclopts import App

COMMANDS: Final = {
    "up": ("up", "Start a pool: coordinator, workers, a spare and a paper exchange."),
    "setup": ("setup", "Answer a few questions, and make a first paper trade."),
    "session": ("session", "Run a session file: a pool and what it trades."),
    "trade": ("trade", "Trade a share list, every line split over the workers in tandem."),
    "demo": ("demo", "Run the paper's workflow demo and print its lines."),
    "order": ("order", "Buy, sell, quote both sides, trade a pair, replace, or cancel."),
    "algo": ("algo", "Work an order over time, in pieces, or once something has happened."),
    "run": ("run", "One component of a pool in the foreground, a process of its own."),
    "strategy": ("strategy", "Save strategies, let them decide, see what they want and hold."),
    "orders": ("orders", "List orders; show one hop by hop; resolve one by hand; external ones."),
    "positions": ("pool", "What every account holds, and its gains."),
    "statement": ("statement", "Gains, fees and cash from the journal: table, CSV or JSON."),
    "report": ("report", "What a run came to: orders, slippage, what was visible, inventory."),
    "workers": ("pool", "The worker processes and the accounts they drive."),
    "worker": ("worker", "Let other computers join with their workers; list, drain, remove."),
    "status": ("pool", "The pool as a whole."),
    "top": ("top", "Watch the pool: workers, leases, latencies, takeovers, what waits."),
    "halt": ("halting", "Stop all, cancel what is open, see it gone; also without coordinator."),
    "resume": ("halting", "Trade again after a halt."),
    "limits": ("limits", "Show and set what the risk gate allows; trade only to reduce."),
    "objectives": ("objectives", "When the desk stops or is flat: a profit, a loss, a time."),
    "swap": ("pool", "Replace the process of a worker's slot by the spare."),
    "paper": ("paper", "The paper exchange by itself: trade an account past the pool, for tests."),
    "feeds": ("feeds", "How old prices are, what is wrong with them; read and compare recordings."),
    "bars": ("bars", "The history of final bars: show, import recordings, export."),
    "prove-no-lookahead": ("lookahead", "Prove that a strategy sees nothing of the future."),
    "log": ("log", "Verify or show the journal."),
    "replay": ("replay", "Replay a journal and compare every effect, byte for byte."),
}
OK: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
NO_COORDINATOR: Final = 3


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        code = run(sys.argv[1:], sys.stdout, err=sys.stderr)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has seen enough; nothing more can be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)


def run(arguments: Sequence[str], out: TextIO, *, err: TextIO) -> int:
    """Run one command; return its exit code."""
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help", "help"):
        out.write(_help())
        return OK
    if name == "--version":
        from importlib.metadata import version

        out.write(f"tandem {version('tandem-trading')}\n")
        return OK
    if name not in COMMANDS:
        err.write(f"tandem: no command {name!r}; 'tandem --help' lists them\n")
        return BAD_INPUT
    from tandem.cli.calling import call

    return call(app_of(name), arguments)


def app_of(name: str) -> "App":
    """Return the application of a command, loaded now."""
    found: App = importlib.import_module(f"tandem.cli.{COMMANDS[name][0]}").app
    return found


def _help() -> str:
    lines = [f"  {name:<10} {text}\n" for name, (_, text) in COMMANDS.items()]
    return (
        "Usage: tandem COMMAND [OPTIONS]\n\n"
        "Trades one order over many accounts at once, exactly once. On paper.\n\n"
        f"{''.join(lines)}\n"
        "'tandem COMMAND --help' tells more. What needs a home takes --home DIR, where journals\n"
        "and sockets are ($XDG_DATA_HOME/tandem); those that print data take --json.\n"
        "Exit codes: 0 done, 1 refused or failed, 2 bad input, 3 no coordinator.\n"
    )
