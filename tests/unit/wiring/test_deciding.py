"""The market process, as far as it can be tried without processes."""

from decimal import Decimal

import msgspec

from tandem.sim.bars import MemoryBars
from tandem.wiring.deciding import storable
from tests.unit.core.deciding.bench import COIN, OTHER


def test_an_instrument_whose_bars_are_stored_on_another_grid_is_left_out_and_it_is_said() -> None:
    """B12: the others are decided on; the process starts."""
    store = MemoryBars()
    store.list_instruments([msgspec.structs.replace(COIN, tick_size=Decimal("0.001"))])
    said: list[str] = []
    assert list(storable(store, [COIN, OTHER], said.append)) == [OTHER]
    assert said == [
        f"no strategy decides on {COIN.symbol}: {COIN.instrument_id}: "
        "bars are stored on another grid"
    ]
