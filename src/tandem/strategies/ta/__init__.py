"""Technical analysis: indicators for strategies and backtests.

`catalogue` has them by name; `stream` makes one that is fed bar by bar, `batch` computes whole
arrays; both give the same bits. `bind` judges parameters, `bars_needed` tells the warm-up.
"""

from tandem.strategies.ta.binding import bars_needed, bind
from tandem.strategies.ta.definition import Indicator, Input, Kind, Parameter, Reading, Running
from tandem.strategies.ta.forms import batch, stream
from tandem.strategies.ta.library import Array
from tandem.strategies.ta.listing import catalogue, find

__all__ = [
    "Array",
    "Indicator",
    "Input",
    "Kind",
    "Parameter",
    "Reading",
    "Running",
    "bars_needed",
    "batch",
    "bind",
    "catalogue",
    "find",
    "stream",
]
