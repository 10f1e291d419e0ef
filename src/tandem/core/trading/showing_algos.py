"""Algorithms, and what two-sided orders gained, in a trader's words."""

from decimal import Decimal
from typing import Final

from tandem.core.trading.algos.kinds import name_of
from tandem.core.trading.algos.memos import BracketMemo, StopMemo
from tandem.core.trading.state import Algo, AlgoPhase, DeskState
from tandem.core.trading.tally import CENT, Tally, percent_of
from tandem.core.trading.turn import Rules
from tandem.core.trading.two_sided import count_part
from tandem.domain.algos import Bracket, MakeMarket, Momentum, Stop, Trigger
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import multiply, subtract
from tandem.domain.views import AlgoView, GainsView, ShownView

PARTS_MAX: Final = 50


def algo_view(state: DeskState, rules: Rules, algo: Algo) -> AlgoView:
    """Return what is shown of one algorithm; what its open parts have traded is counted."""
    spec = algo.spec
    instrument = rules.catalogue.on_symbol(spec.symbol)[0]
    tally = _tally(state, rules, algo, instrument)
    return AlgoView(
        order_id=algo.algo_id,
        command_id=algo.command_id,
        kind=name_of(spec),
        symbol=spec.symbol,
        side=None if isinstance(spec, MakeMarket | Momentum) else spec.side,
        quantity=instrument.quantity_text(spec.quantity),
        phase=algo.phase.value,
        text="; ".join(filter(None, (_standing(algo, instrument), algo.text))),
        bought=instrument.quantity_text(Lots(tally.bought)),
        sold=instrument.quantity_text(Lots(tally.sold)),
        buy_average=_average(instrument, tally.paid, tally.bought),
        sell_average=_average(instrument, tally.received, tally.sold),
        fees=tally.fees,
        arrival=_arrival(instrument, algo.arrival),
        slippage=_slippage(instrument, algo.arrival, tally),
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
        gains=gains_view(
            tally,
            instrument,
            mark_of(state, instrument),
            most=spec.inventory_limit if isinstance(spec, MakeMarket) else None,
        ),
    )


def _tally(state: DeskState, rules: Rules, algo: Algo, instrument: Instrument) -> Tally:
    tally = Tally(
        bought=algo.bought,
        sold=algo.sold,
        paid=multiply(instrument.step_value, algo.bought_value),
        received=multiply(instrument.step_value, algo.sold_value),
        fees=algo.fees,
    )
    for part in algo.open:
        count_part(state, rules, tally, state.parents[part.parent_id])
    return tally


def _standing(algo: Algo, instrument: Instrument) -> str:
    """Return what the desk holds for it, of which the venue knows nothing."""
    memo, spec = algo.memo, algo.spec
    if algo.phase not in (AlgoPhase.WORKING, AlgoPhase.PAUSED):
        return ""
    if isinstance(spec, Stop) and isinstance(memo, StopMemo):
        return _stop_text(memo.hit_at_ns, memo.stop_price, spec.trigger, instrument)
    if isinstance(spec, Bracket) and isinstance(memo, BracketMemo) and spec.stop_price is not None:
        return _stop_text(memo.hit_at_ns, spec.stop_price, spec.trigger, instrument)
    return ""


def _stop_text(
    hit_at_ns: int | None, price: Ticks | None, trigger: Trigger, instrument: Instrument
) -> str:
    if hit_at_ns is not None:
        return ""
    where = "behind the first price" if price is None else f"at {instrument.price_text(price)}"
    return f"stop {where} by {trigger}, held here: it needs the coordinator alive"


def gains_view(
    tally: Tally, instrument: Instrument, mark: Decimal | None, *, most: int | None
) -> GainsView:
    """Return what both sides have come to; `mark` is what one lot is worth now."""
    return GainsView(
        inventory=instrument.quantity_text(Lots(tally.inventory)),
        skew_percent=None if most is None else percent_of(tally.inventory, most=most),
        realized=tally.realized(),
        unrealized=tally.unrealized(mark),
        fees=tally.fees,
    )


def mark_of(state: DeskState, instrument: Instrument) -> Decimal | None:
    """Return what one lot is worth at the middle of its market, or at its last price."""
    quote = state.quotes.get(instrument.instrument_id)
    if quote is None:
        return None
    if quote.bid is not None and quote.ask is not None:
        return multiply(instrument.step_value, Decimal(quote.bid + quote.ask) / 2)
    return None if quote.last is None else multiply(instrument.step_value, quote.last)


def _slippage(instrument: Instrument, arrival: int | None, tally: Tally) -> Decimal | None:
    if arrival is None:
        return None
    even = multiply(instrument.step_value, multiply(Decimal(arrival) / 2, tally.inventory))
    return subtract(subtract(tally.paid, tally.received), even)


def _arrival(instrument: Instrument, doubled: int | None) -> Decimal | None:
    return None if doubled is None else multiply(instrument.tick_size, Decimal(doubled) / 2)


def _average(instrument: Instrument, money: Decimal, lots: int) -> Decimal | None:
    if not lots:
        return None
    return (money / multiply(instrument.lot_size, lots)).quantize(CENT).normalize()
