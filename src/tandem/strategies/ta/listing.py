"""Every indicator, by name."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from tandem.domain.errors import ConfigurationError
from tandem.strategies.ta.added import ADDED
from tandem.strategies.ta.averages import AVERAGES_AND_BANDS
from tandem.strategies.ta.candles import CANDLES
from tandem.strategies.ta.definition import Indicator
from tandem.strategies.ta.momentum import CHANGES
from tandem.strategies.ta.oscillators import OSCILLATORS
from tandem.strategies.ta.ranges import RANGES
from tandem.strategies.ta.statistic import CYCLES, PRICES, STATISTICS
from tandem.strategies.ta.volumes import VOLUMES

GROUPS: Final[Mapping[str, tuple[Indicator, ...]]] = MappingProxyType(
    {
        "Averages and bands": AVERAGES_AND_BANDS,
        "Momentum": CHANGES,
        "Oscillators": OSCILLATORS,
        "Volatility": RANGES,
        "Volume": VOLUMES,
        "Statistics": STATISTICS,
        "Prices": PRICES,
        "Cycles": CYCLES,
        "What TA-Lib lacks": ADDED,
        "Candle patterns": CANDLES,
    }
)
# Under its name and its other names.
catalogue: Final[Mapping[str, Indicator]] = MappingProxyType(
    {name: one for group in GROUPS.values() for one in group for name in (one.name, *one.also)}
)


def find(name: str) -> Indicator:
    """Return the indicator of this name.

    Raises:
        ConfigurationError: there is none; says which come near.
    """
    found = catalogue.get(name)
    if found is None:
        near = " or ".join(get_close_matches(name, catalogue, n=2))
        meant = f", expected {near}" if near else ", expected one of docs/indicators.md"
        raise ConfigurationError(f"ta.{name}: there is no such indicator{meant}")
    return found
