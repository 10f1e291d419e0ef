"""`tandem orders`: what there is, one order hop by hop, a person's word, and external ones."""

import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, TextIO

from cyclopts import App, Parameter

from tandem.cli.asking import ask_desk, latest_orders, tell_desk, write_answer
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.life import show_life
from tandem.cli.main import FAILED, OK
from tandem.cli.ordering import write_orders
from tandem.cli.printing import table, write_json
from tandem.cli.typed import Choice
from tandem.domain.commands import ExplainExternal, ResolveOrder
from tandem.domain.ids import AccountId, ClientOrderId, Lots
from tandem.domain.views import (
    ExternalOrderView,
    LifeView,
    PreventionView,
    StatusView,
)
from tandem.wiring.asking import desk_line, refuse_absent
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command

app = new_app()
Account = str
Symbol = str
REFUSALS_MAX = 1_000
orders = App(
    name="orders", help="List orders; show one hop by hop; resolve one by hand; external ones."
)
app.command(orders)


@orders.default
def list_orders(*, limit: int = 20, home: HomeOption = None, json: JsonOption = False) -> int:
    """List the latest orders, oldest first.

    Args:
        limit: How many.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        view = await latest_orders(home_of(home), limit)
        return write_orders(view, sys.stdout, as_json=json)

    return finish(act)


@orders.command
def show(order_id: str, *, home: HomeOption = None, json: JsonOption = False) -> int:
    """Show the life of an order, hop by hop with times since its command.

    Args:
        order_id: Of an order, a two-sided quote, a pair, one request to the exchange, or the
            command that asked for it.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        view: LifeView = await ask_desk(home_of(home), lambda line: line.life(order_id))
        return show_life(order_id, view, sys.stdout, as_json=json)

    return finish(act)


@orders.command
def resolve(
    order_id: str,
    *,
    absent: Annotated[bool, Parameter(negative="")] = False,
    filled: str | None = None,
    price: str | None = None,
    home: HomeOption = None,
) -> int:
    """Say what became of an order that no machine can settle.

    Args:
        order_id: Of the request, as `tandem status` names it.
        absent: It never reached the exchange.
        filled: It ended there with so much traded.
        price: The average price of what traded.
        home: Where journals and sockets are.
    """
    said = (absent, filled, price)
    return finish(lambda: resolve_order(home_of(home), order_id, said, sys.stdout))


async def resolve_order(
    home: Home, order_id: str, said: tuple[bool, str | None, str | None], out: TextIO
) -> int:
    """Tell the desk a person's word on an order; return the exit code.

    Raises:
        BadInputError: what was said cannot be.
        OffGridError: a price or quantity is off its grid.
        CoordinatorUnreachableError: no pool runs here, or it does not answer.
    """
    absent, filled, price = said
    if absent is (filled is not None):
        raise BadInputError("orders resolve: expected --absent, or --filled QUANTITY --price P")
    refuse_absent(home)
    async with desk_line(home) as line:
        view = await line.life(order_id)
        if not view.parents:
            raise BadInputError(f"no order {order_id} is known (any more)")
        choice = Choice(await line.catalogue())
        symbol = view.parents[0].symbol
        lots = Lots(0)
        if filled is not None and not _is_zero(filled):
            lots = choice.quantity(symbol, text=filled)
        command = ResolveOrder(
            client_order_id=ClientOrderId(order_id),
            lived=not absent,
            cum_quantity=lots,
            price=None if price is None else choice.price(symbol, text=price),
        )
        answer = await line.command(fresh_command("resolve"), command)
    return write_answer(answer, out, as_json=False)


@orders.command
def external(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """List what others did and have open on our accounts. 1 when something waits for your word.

    Args:
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        view: StatusView = await ask_desk(home_of(home), lambda line: line.status())
        return show_external(view, sys.stdout, as_json=json)

    return finish(act)


def show_external(view: StatusView, out: TextIO, *, as_json: bool) -> int:
    """Write what is external; return the exit code."""
    if as_json:
        write_json({"external": view.external}, out)
    else:
        rows = [
            (
                one.account_id,
                one.symbol,
                one.moved,
                ", ".join(map(_external_order, one.orders)) or None,
                "waits for your word" if one.waits else "explained",
                one.text or None,
            )
            for one in view.external
        ]
        out.write(table(("account", "symbol", ">moved", "open", "state", "latest"), rows))
    return FAILED if any(one.waits for one in view.external) else OK


def _external_order(order: ExternalOrderView) -> str:
    price = "at the market" if order.limit_price is None else f"at {order.limit_price}"
    ours = " (ours, being canceled)" if order.is_ours else ""
    return f"{order.client_order_id}: {order.side.value} {order.quantity} {price}{ours}"


@orders.command
def refusals(*, limit: int = 20, home: HomeOption = None, json: JsonOption = False) -> int:
    """List orders that were refused because they could meet an own one, newest first.

    Beside each stands the order that it would have met; below, what the exchange itself ended or
    refused for that reason, and what was netted instead.

    Args:
        limit: How many.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        if not 1 <= limit <= REFUSALS_MAX:
            raise BadInputError(f"--limit {limit}: expected 1 to {REFUSALS_MAX}")
        view: PreventionView = await ask_desk(home_of(home), lambda line: line.refusals(limit))
        return show_refusals(view, sys.stdout, as_json=json)

    return finish(act)


def show_refusals(view: PreventionView, out: TextIO, *, as_json: bool) -> int:
    """Write what self-trade prevention refused and netted; return the exit code."""
    if as_json:
        write_json(view, out)
        return OK
    rows = [
        (
            _moment(one.market_ns),
            one.owner or one.command_id,
            f"{one.side.value} {one.quantity} {one.symbol} {_at(one.limit_price)}",
            one.mode,
            one.met,
            one.met_parent or "another program's",
        )
        for one in view.refusals
    ]
    out.write(table(("when", "asked by", "order", "mode", "would have met", "of"), rows))
    if view.flags:
        flagged = [
            (
                _moment(one.market_ns),
                one.client_order_id,
                one.account_id,
                f"{one.side.value} {one.quantity} {one.symbol} {_at(one.limit_price)}",
                one.what,
            )
            for one in view.flags
        ]
        rule = "by the exchange's self-match rule"
        out.write("\n" + table(("when", "request", "account", "order", rule), flagged))
    if view.nettings:
        netted = [
            (
                _moment(one.market_ns),
                one.account_id,
                one.symbol,
                one.quantity,
                one.price,
                one.buyer,
                one.seller,
            )
            for one in view.nettings
        ]
        heads = ("when", "account", "symbol", ">netted", ">price", "buyer", "seller")
        out.write("\n" + table(heads, netted))
        held = [
            (one.strategy or "-", one.instrument_id, one.lots, one.cost) for one in view.internal
        ]
        out.write("\n" + table(("strategy", "instrument", ">lots taken over", ">cost"), held))
    return OK


def _moment(market_ns: int) -> str:
    return f"{datetime.fromtimestamp(market_ns // 10**9, UTC):%Y-%m-%d %H:%M:%S}"


def _at(price: str | None) -> str:
    return "at the market" if price is None else f"at {price}"


@orders.command
def explain(
    account: Account, symbol: Symbol, *, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Trade again what others have traded on one of our accounts: you know about it.

    Args:
        account: Such as A1.
        symbol: As `tandem orders external` names it; a currency where money came or went.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        place = home_of(home)
        view: StatusView = await ask_desk(place, lambda line: line.status())
        found = [one for one in view.external if (one.account_id, one.symbol) == (account, symbol)]
        if not found:
            raise BadInputError(f"nothing external is known of {symbol} on {account}")
        command = ExplainExternal(account_id=AccountId(account), unit=found[0].unit)
        return await tell_desk(place, command, sys.stdout, as_json=json)

    return finish(act)


def _is_zero(text: str) -> bool:
    try:
        return Decimal(text) == 0
    except InvalidOperation:
        return False


__all__ = [
    "app",
    "explain",
    "external",
    "list_orders",
    "refusals",
    "resolve",
    "resolve_order",
    "show",
    "show_external",
    "show_refusals",
]
