"""How user strategies are evaluated beside a pool, and where; nothing heavy is loaded here."""

import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.wiring.home import Home

NEEDED: Final = ("lupa", "numpy", "talib", "zmq")
EVALUATORS_MAX: Final = 64
MESSAGING: Final = "messaging"  # names the file of a joined computer's key for its evaluators


class StrategiesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How user strategies are evaluated; `run` names this start of the pool."""

    run: str
    evaluators: int = 1
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
    evaluators: int | None, *, may_be_elsewhere: bool = False
) -> StrategiesPlan | None:
    """Return how strategies are evaluated; None when they are not.

    Without a number there is one evaluator where all is installed that it needs, else none. None
    here is enough where those of other computers `may_be_elsewhere`.

    Raises:
        ConfigurationError: the number cannot be, or something is not installed.
    """
    missing = [one for one in NEEDED if find_spec(one) is None]
    if evaluators is None:
        if missing:
            return None
        evaluators = 1
    if not 0 <= evaluators <= EVALUATORS_MAX:
        raise ConfigurationError(f"{evaluators} evaluators: expected 0 to {EVALUATORS_MAX}")
    if evaluators == 0 and not may_be_elsewhere:
        return None
    require_strategies()
    return StrategiesPlan(run=secrets.token_hex(4), evaluators=evaluators)
