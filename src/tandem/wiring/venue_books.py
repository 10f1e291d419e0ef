"""What the exchange itself says about every account, asked over its own sessions."""

import asyncio
from collections.abc import Callable
from typing import Final

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
    OpenOrder,
    OpenOrders,
    Quote,
    Quotes,
)
from tandem.wiring.home import Home
from tandem.wiring.settings import DESK_ID, read_paper
from tandem.wiring.venue_session import venue_session

ANSWER_S: Final = 5.0
PAUSE_S: Final = 0.05
KINDS: Final = (Executions, OpenOrders, Balances)


class AccountBooks(Value, frozen=True, kw_only=True):
    """One account as the exchange has it: all it knows of fills, what is open, what is held."""

    account_id: AccountId
    fills: tuple[Filled, ...]
    open_orders: tuple[OpenOrder, ...]
    balances: Balances


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
        async with venue_session(home, account, OpenOrders) as session:
            told = await session.ask(ListOpenOrders(query_id=1), OpenOrders)
        counts[account.account_id] = sum(is_counted(one.order) for one in told.orders)
    return counts


async def quotes_at_venue(home: Home) -> tuple[Quote, ...]:
    """Return the best prices of everything that has some.

    Raises:
        OSError: the exchange is not there.
        VenueUnreachableError: it hung up, or knows no price.
    """
    account = read_paper(home).exchange.accounts[0]
    async with venue_session(home, account, Quotes) as session:
        try:
            async with asyncio.timeout(ANSWER_S):
                return (await session.heard(Quotes)).quotes  # at first all that have a price
        except TimeoutError as error:
            raise VenueUnreachableError(f"{home.exchange_socket}: no price") from error


async def _books_of(home: Home, account: AccountSettings) -> AccountBooks:
    async with venue_session(home, account, *KINDS) as session:
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
