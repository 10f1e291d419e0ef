"""Own orders that would have met, in a trader's words. Nothing is changed."""

from itertools import islice
from typing import Final

from tandem.core.trading.prevention import Netting, Refusal, VenueFlag
from tandem.core.trading.state import DeskState
from tandem.core.trading.turn import Rules
from tandem.domain.ids import Lots
from tandem.domain.money import multiply
from tandem.domain.views import (
    InternalView,
    NettingView,
    PreventionView,
    RefusalView,
    VenueFlagView,
)

SHOWN_MAX: Final = 1_000


def prevention_view(state: DeskState, rules: Rules, limit: int) -> PreventionView:
    """Return the latest `limit` refusals and nettings, newest first, and internal positions."""
    prevention, most = state.prevention, max(0, min(limit, SHOWN_MAX))
    return PreventionView(
        refusals=tuple(_refusal(rules, one) for one in islice(reversed(prevention.refusals), most)),
        nettings=tuple(_netting(rules, one) for one in islice(reversed(prevention.nettings), most)),
        internal=tuple(
            InternalView(
                strategy=strategy,
                instrument_id=instrument_id,
                lots=held.lots,
                cost=multiply(rules.instruments[instrument_id].step_value, held.value),
            )
            for strategy, by_instrument in prevention.internal.items()
            for instrument_id, held in by_instrument.items()
        ),
        flags=tuple(_flag(rules, one) for one in islice(reversed(prevention.flags), most)),
    )


def _flag(rules: Rules, flag: VenueFlag) -> VenueFlagView:
    instrument, price = rules.instruments[flag.instrument_id], flag.limit_price
    return VenueFlagView(
        market_ns=flag.market_ns,
        client_order_id=flag.client_order_id,
        account_id=flag.account_id,
        symbol=instrument.symbol,
        side=flag.side,
        quantity=instrument.quantity_text(Lots(flag.quantity)),
        limit_price=None if price is None else instrument.price_text(price),
        what=flag.what,
    )


def _refusal(rules: Rules, refusal: Refusal) -> RefusalView:
    instrument = rules.instruments[refusal.instrument_id]
    price = refusal.limit_price
    return RefusalView(
        market_ns=refusal.market_ns,
        command_id=refusal.command_id,
        owner=refusal.owner,
        symbol=instrument.symbol,
        side=refusal.side,
        quantity=instrument.quantity_text(Lots(refusal.quantity)),
        limit_price=None if price is None else instrument.price_text(price),
        mode=refusal.mode,
        met=refusal.met,
        met_parent=refusal.met_parent,
        text=refusal.text,
    )


def _netting(rules: Rules, netting: Netting) -> NettingView:
    instrument = rules.instruments[netting.instrument_id]
    return NettingView(
        market_ns=netting.market_ns,
        account_id=netting.account_id,
        symbol=instrument.symbol,
        quantity=instrument.quantity_text(Lots(netting.quantity)),
        price=instrument.price_text(netting.price),
        buyer=netting.buyer,
        seller=netting.seller,
    )
