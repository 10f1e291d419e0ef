"""What TA-Lib lacks, against its formulas."""

from typing import Final

import numpy as np
import pytest

from tandem.strategies import ta
from tandem.strategies.ta import Array
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.markets import market
from tests.unit.strategies.ta.plain import Case, Columns, before, highest, lowest, rma


def _middle(c: Columns, bars: int) -> Array:
    return (highest(c["high"], bars) + lowest(c["low"], bars)) / 2


def _cloud(c: Columns, *periods: int) -> tuple[Array, ...]:
    conversion, base = _middle(c, periods[0]), _middle(c, periods[1])
    late = periods[3]
    return (
        conversion,
        base,
        before((conversion + base) / 2, late),
        before(_middle(c, periods[2]), late),
    )


def _alligator(c: Columns) -> tuple[Array, ...]:
    middle = (c["high"] + c["low"]) / 2
    return before(rma(middle, 13), 8), before(rma(middle, 8), 5), before(rma(middle, 5), 3)


def _choppiness(c: Columns, bars: int) -> Array:
    height = highest(c["high"], bars) - lowest(c["low"], bars)
    way = plain.total(plain.true_range(c), bars) / height
    return np.asarray(100 * np.log10(way) / np.log10(bars), dtype=np.float64)


def _chandelier(c: Columns, bars: int, times: float) -> tuple[Array, ...]:
    away = times * rma(plain.true_range(c), bars)
    return highest(c["high"], bars) - away, lowest(c["low"], bars) + away


CASES: Final[list[Case]] = [
    ("ichimoku", (), lambda c: _cloud(c, 9, 26, 52, 26)),
    ("ichimoku", (5, 7, 6, 0), lambda c: _cloud(c, 5, 7, 6, 0)),
    ("alligator", (), _alligator),
    ("chop", (14,), lambda c: _choppiness(c, 14)),
    ("chandelier", (22, 3.0), lambda c: _chandelier(c, 22, 3.0)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_what_was_added_is_what_its_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)


def test_a_flat_window_has_no_choppiness() -> None:
    columns = market("constant", bars=60)
    assert np.isnan(ta.batch(ta.find("chop"), (), columns)[0]).all()
