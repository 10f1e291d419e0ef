"""What others do at the paper exchange, past the pool: another program's orders, and issuers.

The second program logs in to an account with its secret, and trades.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from tandem.domain.errors import ConfigurationError, VenueUnreachableError
from tandem.domain.exchange import ExchangeSettings
from tandem.domain.ids import AccountId, ClientOrderId, Lots
from tandem.domain.instrument import Instrument
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Rejected
from tandem.domain.value import Value
from tandem.domain.venue import (
    CorporateActed,
    CorporateAction,
    OrderFound,
    OrderNotFound,
    PlaceOrder,
    QueryOrder,
)
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command
from tandem.wiring.settings import Paper, read_paper
from tandem.wiring.venue_session import VenueSession, venue_session

ANSWER_S: Final = 5.0
AGAIN_S: Final = 0.1
_Word = Rejected | OrderFound | OrderNotFound


class OutsideTrade(Value, frozen=True, kw_only=True):
    """What became of it so far, in text on the instrument's grid."""

    client_order_id: ClientOrderId
    filled: str
    open: str
    refused: str | None


def _paper_of(home: Home) -> Paper:
    try:
        return read_paper(home)
    except FileNotFoundError as error:
        raise ConfigurationError(f"{home.folder}: no paper exchange was ever used here") from error


def outside_order(
    home: Home, symbol: str, side: Side, *, quantity: str, limit: str | None
) -> Order:
    """Return an order under an id that is none of the pool's.

    Raises:
        ConfigurationError: there is no paper exchange, or it does not list the symbol.
        OffGridError: a price or quantity is off its grid.
    """
    instrument = _listed(_paper_of(home).exchange, symbol)
    return Order(
        client_order_id=ClientOrderId(fresh_command("outside")),
        instrument_id=instrument.instrument_id,
        side=side,
        quantity=instrument.quantity(quantity),
        limit_price=None if limit is None else instrument.price(limit),
        time_in_force=TimeInForce.DAY,
    )


async def trade_outside(home: Home, account_id: AccountId, order: Order) -> OutsideTrade:
    """Have the order taken, past the pool; return what became of it at once.

    Raises:
        ConfigurationError: there is no such account.
        VenueUnreachableError: the exchange does not answer; it may or may not have the order.
    """
    exchange = _paper_of(home).exchange
    account = next((one for one in exchange.accounts if one.account_id == account_id), None)
    if account is None:
        raise ConfigurationError(f"the paper exchange has no account {account_id}")
    kinds = (Rejected, OrderFound, OrderNotFound)
    async with _answering(home), venue_session(home, account, *kinds) as session:
        found = await _placed(session, order)
    instrument = next(
        one for one in exchange.instruments if one.instrument_id == order.instrument_id
    )
    filled = 0 if isinstance(found, Rejected) else int(found.cum_quantity)
    is_over = isinstance(found, Rejected) or found.status.is_final
    return OutsideTrade(
        client_order_id=order.client_order_id,
        filled=instrument.quantity_text(Lots(filled)),
        open=instrument.quantity_text(Lots(0 if is_over else order.quantity - filled)),
        refused=found.code.value if isinstance(found, Rejected) else None,
    )


@contextlib.asynccontextmanager
async def _answering(home: Home) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except TimeoutError as error:
        raise VenueUnreachableError(f"{home.exchange_socket}: no answer") from error
    except OSError as error:
        raise VenueUnreachableError(f"{home.exchange_socket}: {error}") from error


async def _placed(session: VenueSession, order: Order) -> Rejected | OrderFound:
    """Place the order and ask for it until the exchange knows it, or has refused it."""
    question = QueryOrder(query_id=1, client_order_id=order.client_order_id)
    session.link.send(PlaceOrder(order=order))
    session.link.send(question)
    while True:
        message: _Word = await session.heard(Rejected, OrderFound, OrderNotFound)
        if isinstance(message, OrderFound):
            return message
        if isinstance(message, OrderNotFound):
            await asyncio.sleep(AGAIN_S)
            session.link.send(question)
        elif message.client_order_id == order.client_order_id:
            return message


async def act_as_issuer(home: Home, symbol: str, **action: Any) -> CorporateActed:
    """Have an instrument split, or a dividend paid on it, by the fields of `CorporateAction`.

    Raises:
        ConfigurationError: there is no paper exchange, or it does not list the symbol.
        VenueUnreachableError: the exchange does not answer; it may or may not have acted.
    """
    exchange = _paper_of(home).exchange
    asked = CorporateAction(instrument_id=_listed(exchange, symbol).instrument_id, **action)
    async with (
        _answering(home),
        venue_session(home, exchange.accounts[0], CorporateActed) as session,
    ):
        return await session.ask(asked, CorporateActed)


def _listed(exchange: ExchangeSettings, symbol: str) -> Instrument:
    found = next((one for one in exchange.instruments if one.symbol == symbol), None)
    if found is None:
        raise ConfigurationError(f"{symbol} is not listed at the paper exchange")
    return found
