"""Placing one order, and what became of it."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Final, TextIO

import msgspec

from tandem.cli.asking import write_answer
from tandem.cli.calling import BadInputError
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import amount, milliseconds, table, write_json
from tandem.cli.typed import Choice, moment_text
from tandem.domain.commands import CancelOrders, Command, Done, ReplaceOrder, Taken
from tandem.domain.errors import TandemError
from tandem.domain.ids import CommandId
from tandem.domain.order import Order
from tandem.domain.views import AlgoView, BothView, GainsView, OrdersView, ParentView
from tandem.wiring.asking import DeskLine, desk_line, refuse_absent
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command, now_ns
from tandem.wiring.polling import poll
from tandem.wiring.stopping import ENDED, open_count
from tandem.wiring.venue_books import is_ours, open_at_venue

ALGO_HEADS: Final = (
    "id",
    "kind",
    "symbol",
    "side",
    ">quantity",
    ">bought",
    ">sold",
    ">buy price",
    ">sell price",
    ">arrival",
    ">slippage",
    ">fees",
    ">open",
    "shown at most",
    "state",
)
GAINS_HEADS: Final = (">inventory", ">skew", ">realized", ">unrealized", ">fees")
PROGRESS_NS: Final = 2_000_000_000
VERIFY_S: Final = 5.0


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How a command is asked; without an id it gets a new one."""

    command_id: str | None
    as_json: bool
    waits: bool


async def place(home: Home, make: Callable[[Choice], Command], asking: Asking, out: TextIO) -> int:
    """Have a command carried out, and write what became of it; return the exit code.

    Raises:
        BadInputError: what was typed cannot be.
        OffGridError: a price or quantity is off its grid.
        CoordinatorUnreachableError: no pool runs here, or it does not answer.
    """
    refuse_absent(home)
    async with desk_line(home) as line:
        command = make(Choice(await line.catalogue()))
        command_id = CommandId(asking.command_id) if asking.command_id else fresh_command("order")
        answer = await line.command(command_id, command)
        if asking.waits and isinstance(answer, Taken) and answer.order_id is not None:
            view = await _ended(line, answer.order_id)
            return write_orders(view, out, as_json=asking.as_json)
        is_gone = True
        if asking.waits and isinstance(command, CancelOrders) and isinstance(answer, Done):
            answer, is_gone = await _seen_gone(home, line, command.order_id)
    code = write_answer(answer, out, as_json=asking.as_json, command_id=command_id)
    return code if is_gone else FAILED


async def _seen_gone(home: Home, line: DeskLine, order_id: str | None) -> tuple[Done, bool]:
    """Wait until it has ended, and see at the exchange that nothing of it is open there."""
    parents = None
    if order_id is None:
        await poll(lambda: open_count(line), lambda count: count == 0)
    else:
        parents = {order_id, *(one.parent_id for one in (await _ended(line, order_id)).parents)}

    def is_counted(order: Order) -> bool:
        parent_id = order.client_order_id.rsplit("-", 2)[0]  # behind it: child and attempt
        return is_ours(order) if parents is None else parent_id in parents

    reason = await unseen_gone(home, is_counted)
    if reason is not None:
        return Done(text=f"canceled here, and not seen to be gone at the exchange: {reason}"), False
    what = "everything" if order_id is None else order_id
    return Done(text=f"{what} is canceled; nothing of it is open at the exchange"), True


async def unseen_gone(home: Home, is_counted: Callable[[Order], bool]) -> str | None:
    """Wait until the exchange itself says that no such order is open; return why that is unseen."""

    async def open_there() -> int:
        return sum((await open_at_venue(home, is_counted)).values())

    try:
        async with asyncio.timeout(VERIFY_S):
            await poll(open_there, lambda count: count == 0)
    except (OSError, TimeoutError, TandemError) as error:
        return "orders are open there" if isinstance(error, TimeoutError) else str(error)
    return None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order is to be another, as it was typed; None stays as it is."""

    quantity: str | None
    price: str | None


async def replace(home: Home, order_id: str, changes: Changes, asking: Asking, out: TextIO) -> int:
    """Have an order or an algorithm replaced, and write what was said; return the exit code.

    Raises:
        BadInputError: there is no such order, or nothing is to be changed.
        OffGridError: a price or quantity is off its grid.
        CoordinatorUnreachableError: no pool runs here, or it does not answer.
    """
    if changes.quantity is None and changes.price is None:
        raise BadInputError("order replace: expected --quantity, --price or both")
    refuse_absent(home)
    async with desk_line(home) as line:
        view = await line.orders((order_id,))
        symbols = [*(one.symbol for one in view.parents), *(one.symbol for one in view.algos)]
        if not symbols:
            text = (
                f"{order_id} is no single order: cancel it" if view.both else f"no order {order_id}"
            )
            raise BadInputError(text)
        choice, symbol = Choice(await line.catalogue()), symbols[0]
        quantity, price = changes.quantity, changes.price
        command = ReplaceOrder(
            order_id=order_id,
            quantity=None if quantity is None else choice.quantity(symbol, text=quantity),
            limit_price=None if price is None else choice.price(symbol, text=price),
        )
        command_id = CommandId(asking.command_id) if asking.command_id else fresh_command("order")
        answer = await line.command(command_id, command)
        if asking.waits and isinstance(answer, Done):
            return write_orders(await _ended(line, order_id), out, as_json=asking.as_json)
    return write_answer(answer, out, as_json=asking.as_json, command_id=command_id)


async def _ended(line: DeskLine, order_id: str) -> OrdersView:
    """Wait until an order has ended, saying so now and then; return it, with its parts."""
    told_ns = now_ns()

    async def look() -> OrdersView:
        view = await line.orders((order_id,))
        owners = [*(one.parts for one in view.both), *(one.parts for one in view.algos)]
        parts = [part for one in owners for part in one]
        return await line.orders((order_id, *parts)) if parts else view

    def is_ended(view: OrdersView) -> bool:
        nonlocal told_ns
        if now_ns() - told_ns > PROGRESS_NS:
            told_ns = now_ns()
            parts = (f"{one.symbol} {one.filled} of {one.quantity}" for one in view.parents[-2:])
            sys.stderr.write(f"{order_id}: {', '.join(parts)} traded\n")
        phases = [
            *(one.phase for one in view.parents),
            *(one.phase for one in view.both),
            *(one.phase for one in view.algos),
        ]
        return all(phase in ENDED for phase in phases)

    return await poll(look, is_ended)


def write_orders(view: OrdersView, out: TextIO, *, as_json: bool) -> int:
    """Write orders; return the exit code."""
    if as_json:
        write_json(view, out)
        return OK
    heads = ("id", "symbol", "side", ">quantity", ">limit", ">filled", ">average price")
    rest = (">value", ">fees", ">children", ">fills", ">skew", "state")
    out.write(table((*heads, *rest), [_row(one) for one in view.parents]))
    if view.both:
        rows = [_both_row(one) for one in view.both]
        names = ("id", "kind", ">bought", ">sold", *GAINS_HEADS, "parts", "state")
        out.write(table(names, rows))
    if view.algos:
        write_algos(view.algos, out)
    return OK


def write_algos(algos: Sequence[AlgoView], out: TextIO) -> None:
    """Write algorithms as a table."""
    out.write(table(ALGO_HEADS, [_algo_row(one) for one in algos]))
    both = [one for one in algos if one.side is None]
    if both:
        rows = [(one.order_id, one.kind, *_gains(one.gains)) for one in both]
        out.write(table(("id", "both sides", *GAINS_HEADS), rows))


def _row(one: ParentView) -> tuple[object, ...]:
    return (
        one.parent_id,
        one.symbol,
        one.side.value,
        one.quantity,
        _price(one),
        one.filled,
        None if one.average_price is None else f"{one.average_price:f}",
        amount(one.value),
        amount(one.fees),
        one.children,
        one.fills,
        milliseconds(one.skew_ns),
        " ".join(filter(None, (one.outcome or one.phase, one.text))),
    )


def _price(one: ParentView) -> str:
    """Return the limit, and what it waits for or is bound to."""
    words = [one.limit_price or "market"]
    if one.stop_price is not None:
        words.append(f"stop {one.stop_price}")
    if one.trail is not None:
        words.append(f"trail {one.trail}")
    if one.good_till_ns is not None:
        words.append(f"until {moment_text(one.good_till_ns)}")
    if one.reduce_only:
        words.append("reduce-only")
    return ", ".join(words)


def _algo_row(one: AlgoView) -> tuple[object, ...]:
    state = " ".join(filter(None, (one.phase, one.text)))
    sums = (one.buy_average, one.sell_average, one.arrival, one.slippage)
    return (
        one.order_id,
        one.kind,
        one.symbol,
        one.side.value if one.side is not None else "both",
        one.quantity,
        one.bought,
        one.sold,
        *(None if each is None else amount(each) for each in sums),
        amount(one.fees),
        one.open_parts,
        _shown(one),
        state,
    )


def _shown(one: AlgoView) -> str:
    """Return the most that others could ever see of it, and when and where, in market time."""
    places = [f"{each.venue_id} {each.quantity} {_time(each.market_ns)}" for each in one.shown]
    return f"{one.shown_max} ({', '.join(places)})" if places else "nothing"


def _time(market_ns: int) -> str:
    return moment_text(market_ns).partition(" ")[2]


def _both_row(one: BothView) -> tuple[object, ...]:
    state = " ".join(filter(None, (one.phase, one.text)))
    parts = " ".join(one.parts)
    return (one.order_id, one.kind, one.bought, one.sold, *_gains(one.gains), parts, state)


def _gains(one: GainsView | None) -> tuple[object, ...]:
    if one is None:
        return ("-",) * len(GAINS_HEADS)
    skew = "-" if one.skew_percent is None else f"{one.skew_percent} %"
    unrealized = None if one.unrealized is None else amount(one.unrealized)
    return (one.inventory, skew, amount(one.realized), unrealized, amount(one.fees))
