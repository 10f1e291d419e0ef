"""Strategies that come with Tandem, to be used as they are or changed.

Each is a Lua text in this folder. Its first line says in one sentence what it does.
"""

from importlib import resources
from typing import Final

from tandem.domain.strategies import Language, StrategyText

NAMES: Final = ("breakout", "mean_reversion", "momentum", "sma_ema_cross", "trend_forecast")


def shipped() -> dict[str, StrategyText]:
    """Return them by name."""
    folder = resources.files(__name__)
    return {
        name: StrategyText(
            name=name,
            language=Language.LUA,
            text=folder.joinpath(f"{name}.lua").read_text("utf-8"),
        )
        for name in NAMES
    }


def sentence(text: StrategyText) -> str:
    """Return what a shipped strategy does, in its own words."""
    return text.text.partition("\n")[0].removeprefix("--").strip()
