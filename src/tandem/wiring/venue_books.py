"""What the exchange itself says about every account, asked over its own sessions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.control import ANSWER_BYTES_MAX
from tandem.domain.errors import VenueUnreachableError
from tandem.domain.exchange import AccountSettings
from tandem.domain.ids import AccountId
from tandem.domain.order import Order
from tandem.domain.reports import Filled
from tandem.domain.value import Value
from tandem.domain.venue import (
    AskBalances,
    Balances,
    Executions,
    ListExecutions,
    ListOpenOrders,
    LoggedIn,
    Login,
    OpenOrder,
    OpenOrders,
    Quote,
    Quotes,
    VenueMessage,
    VenueRequest,
)
from tandem.shells.link import Link
from tandem.wiring.home import Home
from tandem.wiring.settings import DESK_ID, read_paper

ANSWER_S: Final = 5.0
PAUSE_S: Final = 0.05
R = TypeVar("R")


class AccountBooks(Value, frozen=True, kw_only=True):
    """One account as the exchange has it: all it knows of fills, what is open, what is held."""

    account_id: AccountId
    fills: tuple[Filled, ...]
    open_orders: tuple[OpenOrder, ...]
    balances: Balances


class _Session:
    """One login; one question at a time."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self._messages: asyncio.Queue[VenueMessage | str] = asyncio.Queue(maxsize=10_000)
        self.link: Link[VenueMessage] = Link(
            msgspec.msgpack.Decoder(list[VenueMessage]),
            self._on_messages,
            self._on_open,
            lambda _, reason: self._messages.put_nowait(reason),
        )
        self.link.bytes_max = ANSWER_BYTES_MAX
        self.quotes: tuple[Quote, ...] = ()
        self.quoted = asyncio.Event()

    def _on_open(self, link: Link[VenueMessage]) -> None:
        link.send(Login(account_id=self._account.account_id, secret=self._account.secret))

    def _on_messages(
        self, _link: Link[VenueMessage], _epoch: int, messages: Sequence[VenueMessage]
    ) -> None:
        for message in messages:
            if isinstance(message, LoggedIn | Executions | OpenOrders | Balances):
                self._messages.put_nowait(message)
            elif isinstance(message, Quotes) and not self.quoted.is_set():
                self.quotes = message.quotes  # at first all that have a price
                self.quoted.set()

    async def heard(self, kind: type[R]) -> R:
        """Return the next message, which must be of that kind."""
        message = await self._messages.get()
        if not isinstance(message, kind):
            raise VenueUnreachableError(f"{self._account.account_id}: {message}")
        return message

    async def ask(self, request: VenueRequest, kind: type[R]) -> R:
        self.link.send(request)
        return await self.heard(kind)


@contextlib.asynccontextmanager
async def _session(home: Home, account: AccountSettings) -> AsyncIterator[_Session]:
    session = _Session(account)
    make: Callable[[], asyncio.Protocol] = lambda: session.link  # noqa: E731 - a typed thunk
    await UnixNetwork().connect(home.exchange_socket, make)
    try:
        await session.heard(LoggedIn)
        yield session
    finally:
        session.link.drop("done")


def is_ours(order: Order) -> bool:
    """Return whether it is an order of this pool."""
    return order.client_order_id.startswith(f"{DESK_ID}-")


async def open_at_venue(
    home: Home, is_counted: Callable[[Order], bool] = is_ours
) -> dict[AccountId, int]:
    """Return how many such orders the exchange has open, by account.

    Raises:
        OSError: it is not there.
        VenueUnreachableError: it hung up.
    """
    counts = {}
    for account in read_paper(home).exchange.accounts:
        async with _session(home, account) as session:
            told = await session.ask(ListOpenOrders(query_id=1), OpenOrders)
        counts[account.account_id] = sum(is_counted(one.order) for one in told.orders)
    return counts


async def quotes_at_venue(home: Home) -> tuple[Quote, ...]:
    """Return the best prices of everything that has some.

    Raises:
        OSError: the exchange is not there.
        VenueUnreachableError: it hung up, or knows no price.
    """
    async with _session(home, read_paper(home).exchange.accounts[0]) as session:
        try:
            async with asyncio.timeout(ANSWER_S):
                await session.quoted.wait()
        except TimeoutError as error:
            raise VenueUnreachableError(f"{home.exchange_socket}: no price") from error
        return session.quotes


async def _books_of(home: Home, account: AccountSettings) -> AccountBooks:
    async with _session(home, account) as session:
        fills: list[Filled] = []
        cursor = 0
        while True:
            page = await session.ask(ListExecutions(query_id=1, cursor=cursor), Executions)
            fills.extend(page.fills)
            if page.cursor == cursor or not page.fills:
                break
            cursor = page.cursor
        opened = await session.ask(ListOpenOrders(query_id=2), OpenOrders)
        balances = await session.ask(AskBalances(query_id=3), Balances)
    return AccountBooks(
        account_id=account.account_id,
        fills=tuple(fills),
        open_orders=opened.orders,
        balances=balances,
    )


async def venue_books(home: Home) -> list[AccountBooks]:
    """Return the exchange's books of every account of that home.

    An exchange that is being restarted is waited for.

    Raises:
        VenueUnreachableError: it does not answer for `ANSWER_S`.
    """
    accounts = read_paper(home).exchange.accounts
    reason: object = "no answer"
    try:
        async with asyncio.timeout(ANSWER_S):
            while True:
                try:
                    return [await _books_of(home, one) for one in accounts]
                except (OSError, VenueUnreachableError) as error:
                    reason = error
                await asyncio.sleep(PAUSE_S)
    except TimeoutError as error:
        raise VenueUnreachableError(f"{home.exchange_socket}: {reason}") from error
