"""The two forms of every indicator: fed bar by bar, and over whole arrays. They agree bit for bit.

Both begin with the first bar of what they are given, so the same bars from the same first bar give
the same bits, wherever the history ends at which a stream was begun.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tandem.strategies.ta import library
from tandem.strategies.ta.binding import bind
from tandem.strategies.ta.definition import Bound, Indicator, Own, Running, Scalar
from tandem.strategies.ta.library import Array, LibraryStream


def stream(
    indicator: Indicator, parameters: Sequence[Scalar], columns: Mapping[str, Array]
) -> Running:
    """Return it after the bars of `columns`; its `value` is that of the last of them.

    Args:
        indicator: from the catalogue.
        parameters: in their order; what is left out has its default.
        columns: float64 arrays of one length under the names of `Input`, oldest first; they
            hold at least its inputs, may be empty and hold no NaN.

    Raises:
        ConfigurationError: a parameter is wrong, see `bind`.
    """
    bound = bind(indicator, parameters)
    inputs = _inputs(indicator, columns)
    if indicator.own is None:
        return LibraryStream(indicator.name.upper(), bound, inputs)
    return _fed(indicator.own, bound, inputs)[0]


def batch(
    indicator: Indicator, parameters: Sequence[Scalar], columns: Mapping[str, Array]
) -> tuple[Array, ...]:
    """Return its outputs for every bar of `columns`, NaN before the first value.

    Raises:
        ConfigurationError: a parameter is wrong, see `bind`.
    """
    bound = bind(indicator, parameters)
    inputs = _inputs(indicator, columns)
    if indicator.own is None:
        return library.arrays(indicator.name.upper(), bound, inputs)
    rows = _fed(indicator.own, bound, inputs)[1]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(indicator.outputs))
    return tuple(np.ascontiguousarray(column) for column in table.T)


def _inputs(indicator: Indicator, columns: Mapping[str, Array]) -> list[Array]:
    return [columns[one] for one in indicator.inputs]


def _fed(own: Own, bound: Bound, inputs: Sequence[Array]) -> tuple[Running, list[object]]:
    running = own.make(*bound)
    bars = zip(*(column.tolist() for column in inputs), strict=True)
    return running, [running.update(*bar) for bar in bars]
