"""A second program on an account of the paper exchange: it logs in with the secret and trades."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.errors import ConfigurationError, VenueUnreachableError
from tandem.domain.exchange import AccountSettings
from tandem.domain.ids import AccountId, ClientOrderId, Lots
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Rejected
from tandem.domain.value import Value
from tandem.domain.venue import (
    LoggedIn,
    Login,
    OrderFound,
    OrderNotFound,
    PlaceOrder,
    QueryOrder,
    VenueMessage,
)
from tandem.shells.link import Link
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command
from tandem.wiring.settings import Paper, read_paper

ANSWER_S: Final = 5.0
AGAIN_S: Final = 0.1


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
    instruments = _paper_of(home).exchange.instruments
    instrument = next((one for one in instruments if one.symbol == symbol), None)
    if instrument is None:
        raise ConfigurationError(f"{symbol} is not listed at the paper exchange")
    return Order(
        client_order_id=ClientOrderId(fresh_command("outside")),
        instrument_id=instrument.instrument_id,
        side=side,
        quantity=instrument.quantity(quantity),
        limit_price=None if limit is None else instrument.price(limit),
        time_in_force=TimeInForce.DAY,
    )


class _Session:
    """One login of another program."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self.heard: asyncio.Queue[VenueMessage | str] = asyncio.Queue(maxsize=10_000)
        self.link: Link[VenueMessage] = Link(
            msgspec.msgpack.Decoder(list[VenueMessage]),
            self._on_messages,
            self._on_open,
            lambda _, reason: self.heard.put_nowait(reason),
        )

    def _on_open(self, link: Link[VenueMessage]) -> None:
        link.send(Login(account_id=self._account.account_id, secret=self._account.secret))

    def _on_messages(
        self, _link: Link[VenueMessage], _epoch: int, messages: Sequence[VenueMessage]
    ) -> None:
        for message in messages:
            if isinstance(message, LoggedIn | Rejected | OrderFound | OrderNotFound):
                self.heard.put_nowait(message)


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
    session = _Session(account)
    make: Callable[[], asyncio.Protocol] = lambda: session.link  # noqa: E731 - a typed thunk
    try:
        async with asyncio.timeout(ANSWER_S):
            await UnixNetwork().connect(home.exchange_socket, make)
            found = await _placed(session, order)
    except TimeoutError as error:
        raise VenueUnreachableError(f"{home.exchange_socket}: no answer") from error
    except OSError as error:
        raise VenueUnreachableError(f"{home.exchange_socket}: {error}") from error
    finally:
        session.link.drop("done")
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


async def _placed(session: _Session, order: Order) -> Rejected | OrderFound:
    """Place the order and ask for it until the exchange knows it, or has refused it."""
    question = QueryOrder(query_id=1, client_order_id=order.client_order_id)
    while True:
        message = await session.heard.get()
        if isinstance(message, str):
            raise VenueUnreachableError(message)
        if isinstance(message, LoggedIn):
            session.link.send(PlaceOrder(order=order))
            session.link.send(question)
        elif isinstance(message, OrderFound):
            return message
        elif isinstance(message, Rejected):
            if message.client_order_id == order.client_order_id:
                return message
        else:
            await asyncio.sleep(AGAIN_S)
            session.link.send(question)
