"""How user strategies are evaluated beside a pool, and where; nothing heavy is loaded here."""

import os
import re
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.wiring.home import Home

NEEDED: Final = ("lupa", "numpy", "talib", "zmq")
EVALUATORS_MAX: Final = 64
_NUMBER: Final = re.compile("[0-9]{1,4}")
MESSAGING: Final = "messaging"  # names the file of a joined computer's key for its evaluators


class StrategiesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How user strategies are evaluated; `run` names this start of the pool.

    So many `evaluators` are started, and at most `evaluators_most` are run when bars wait.
    """

    run: str
    evaluators: int = 1
    evaluators_most: int = 1
    jailed: bool = True


def candles_place(home: Home) -> str:
    """Return where the exchange publishes its candles."""
    return f"ipc://{home.run / 'candles.ipc'}"


def tasks_place(home: Home) -> str:
    """Return where evaluators get their tasks."""
    return f"ipc://{home.run / 'tasks.ipc'}"


def bars_file(home: Home, *, is_replay: bool) -> Path:
    """Return where bars are kept; those of a market with a clock of its own for one run only."""
    return home.market / "replay.sqlite" if is_replay else home.bars_file


def is_installed() -> bool:
    """Return whether strategies can be run here."""
    return all(find_spec(one) is not None for one in NEEDED)


def require_strategies() -> None:
    """Pass when all is installed that strategies need.

    Raises:
        ConfigurationError: something is not; says what.
    """
    missing = [one for one in NEEDED if find_spec(one) is None]
    if missing:
        raise ConfigurationError(
            f"strategies need {', '.join(missing)}: pip install 'tandem-trading[strategies]'"
        )


def plan_strategies(
    evaluators: str | None, *, may_be_elsewhere: bool = False
) -> StrategiesPlan | None:
    """Return how strategies are evaluated; None when they are not.

    `evaluators` is a number, or the fewest and the most: `1-4`. Unless given it is as many as this
    computer is good for, where all is installed that they need, else none. None here is enough
    where those of other computers `may_be_elsewhere`.

    Raises:
        ConfigurationError: the numbers cannot be, or something is not installed.
    """
    if evaluators is None:
        if not is_installed():
            return None
        fewest, most = 1, most_here(len(os.sched_getaffinity(0)))
    else:
        fewest, most = bounds_of(evaluators)
    if most == 0 and not may_be_elsewhere:
        return None
    require_strategies()
    return StrategiesPlan(run=secrets.token_hex(4), evaluators=fewest, evaluators_most=most)


def most_here(processors: int) -> int:
    """Return how many evaluators a computer is good for: one processor is for the rest.

    Of two, which most of the time have little to do, both.
    """
    return min(processors, max(processors - 1, 2), EVALUATORS_MAX)


def bounds_of(text: str) -> tuple[int, int]:
    """Return the fewest and the most evaluators of `3`, `0` or `1-4`.

    Raises:
        ConfigurationError: it is neither a number nor two that can be.
    """
    low, hyphen, high = text.partition("-")
    if _NUMBER.fullmatch(low) and (_NUMBER.fullmatch(high) or not hyphen):
        fewest, most = int(low), int(high or low)
        if fewest <= most <= EVALUATORS_MAX and (fewest > 0 or not hyphen):
            return fewest, most
    raise ConfigurationError(
        f"{text} evaluators: expected 0 to {EVALUATORS_MAX}, or the fewest and the most of them, "
        "such as 1-4"
    )
