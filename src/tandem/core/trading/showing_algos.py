"""Algorithms in a trader's words."""

from decimal import Decimal
from typing import Final

from tandem.core.trading.algos.driver import value_of
from tandem.core.trading.algos.kinds import name_of
from tandem.core.trading.state import Algo, DeskState
from tandem.core.trading.turn import Rules
from tandem.domain.algos import MakeMarket, Momentum
from tandem.domain.ids import Lots
from tandem.domain.instrument import Instrument
from tandem.domain.money import add, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.views import AlgoView, ShownView

CENT: Final = Decimal("0.00000001")
PARTS_MAX: Final = 50


def algo_view(state: DeskState, rules: Rules, algo: Algo) -> AlgoView:
    """Return what is shown of one algorithm; what its open parts have traded is counted."""
    spec = algo.spec
    instrument = rules.catalogue.on_symbol(spec.symbol)[0]
    bought, sold = algo.bought, algo.sold
    bought_value, sold_value, fees = algo.bought_value, algo.sold_value, algo.fees
    for part in algo.open:
        parent = state.parents[part.parent_id]
        fees = add(fees, parent.fees)
        if parent.spec.side is Side.BUY:
            bought += parent.filled + parent.netted
            bought_value = add(bought_value, value_of(parent))
        else:
            sold += parent.filled + parent.netted
            sold_value = add(sold_value, value_of(parent))
    slippage = None
    if algo.arrival is not None:
        paid = subtract(bought_value, sold_value)
        even = multiply(Decimal(algo.arrival) / 2, bought - sold)
        slippage = multiply(instrument.step_value, subtract(paid, even))
    return AlgoView(
        order_id=algo.algo_id,
        command_id=algo.command_id,
        kind=name_of(spec),
        symbol=spec.symbol,
        side=None if isinstance(spec, MakeMarket | Momentum) else spec.side,
        quantity=instrument.quantity_text(spec.quantity),
        phase=algo.phase.value,
        text=algo.text,
        bought=instrument.quantity_text(Lots(bought)),
        sold=instrument.quantity_text(Lots(sold)),
        buy_average=_average(instrument, bought_value, bought),
        sell_average=_average(instrument, sold_value, sold),
        fees=fees,
        arrival=_arrival(instrument, algo.arrival),
        slippage=slippage,
        shown_max=instrument.quantity_text(Lots(algo.shown_max)),
        refusals=algo.refusals,
        open_parts=len(algo.open),
        parts=tuple(algo.parts[-PARTS_MAX:]),
        shown=tuple(
            ShownView(
                venue_id=venue_id,
                quantity=instrument.quantity_text(Lots(one.lots)),
                market_ns=one.market_ns,
            )
            for venue_id, one in algo.shown.items()
        ),
    )


def _arrival(instrument: Instrument, doubled: int | None) -> Decimal | None:
    return None if doubled is None else multiply(instrument.tick_size, Decimal(doubled) / 2)


def _average(instrument: Instrument, value: Decimal, lots: int) -> Decimal | None:
    if not lots:
        return None
    return (value * instrument.tick_size / lots).quantize(CENT).normalize()
