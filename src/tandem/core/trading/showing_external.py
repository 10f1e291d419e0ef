"""What others do on our accounts, in a trader's words. Nothing is changed."""

from typing import Final

from tandem.core.trading.external import lots_text
from tandem.core.trading.external_book import ExternalOrder
from tandem.core.trading.state import DeskState, Seat
from tandem.core.trading.turn import Rules
from tandem.domain.ids import ClientOrderId, InstrumentId, Lots
from tandem.domain.money import ZERO
from tandem.domain.views import ExternalOrderView, ExternalView

ORDERS_MAX: Final = 20  # shown of one instrument
UNITS_MAX: Final = 100  # an answer must fit into one message


def external_views(state: DeskState, rules: Rules) -> tuple[ExternalView, ...]:
    """Return what is external on every account; what waits to be explained comes first."""
    views = [_view(rules, seat, unit) for seat in state.seats.values() for unit in _units(seat)]
    return tuple(sorted(views, key=lambda one: not one.waits)[:UNITS_MAX])


def _units(seat: Seat) -> list[str]:
    """Return every instrument and currency that something external is known of."""
    external = seat.external
    listed = [one.instrument_id for one in external.orders.values()]
    units = dict.fromkeys((*external.unexplained, *external.lots, *listed, *external.cash))
    return list(units)


def _view(rules: Rules, seat: Seat, unit: str) -> ExternalView:
    external = seat.external
    instrument = rules.instruments.get(InstrumentId(unit))
    known = external.unexplained.get(unit)
    if instrument is None:
        moved = f"{external.cash.get(unit, ZERO):+f}"
    else:
        moved = lots_text(instrument, external.lots.get(instrument.instrument_id, 0))
    found = [(key, one) for key, one in external.orders.items() if one.instrument_id == unit]
    return ExternalView(
        account_id=seat.account_id,
        unit=unit,
        symbol=unit if instrument is None else instrument.symbol,
        moved=moved,
        orders=tuple(_order(rules, key, one) for key, one in found[:ORDERS_MAX]),
        waits=known is not None,
        text="" if known is None else known.text,
    )


def _order(rules: Rules, key: ClientOrderId, order: ExternalOrder) -> ExternalOrderView:
    instrument = rules.instruments[order.instrument_id]
    return ExternalOrderView(
        client_order_id=key,
        side=order.side,
        quantity=instrument.quantity_text(Lots(order.leaves)),
        limit_price=None if order.price is None else instrument.price_text(order.price),
        is_ours=order.is_ours,
    )
