"""`tandem order`: buy, sell, both sides, a pair, replace and cancel."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import App, Parameter

from tandem.cli import ordering
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.ordering import Asking, Changes, place
from tandem.cli.typed import Choice, SelfTradeWord, duration_ns, until_ns
from tandem.domain.commands import (
    CancelOrders,
    ExitRule,
    LegPolicy,
    PlaceBoth,
    PlacePair,
    PlaceParent,
)
from tandem.domain.ids import Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade, Split

app = new_app()
order = App(name="order", help="Buy, sell, quote both sides, trade a pair, replace, or cancel.")
app.command(order)
Flag = Annotated[bool, Parameter(negative="")]
Symbol = str
Quantity = str


@Parameter(name="*")
@dataclass(frozen=True)
class AskOptions:
    """How it is asked.

    Attributes:
        home: Where journals and sockets are ($XDG_DATA_HOME/tandem).
        json: Print JSON.
        id: The command's own id: typed again with it after a lost answer, nothing is done twice.
        wait: Wait for the end, and show what traded.
    """

    home: HomeOption = None
    json: JsonOption = False
    id: str | None = None
    wait: Flag = False


@Parameter(name="*")
@dataclass(frozen=True)
class SingleOptions:
    """One side.

    Attributes:
        price: The limit; without one it is a market order.
        tif: How long it may rest; day without it.
        post_only: Never take liquidity.
        stop: Wait at the exchange until the market trades there: a sell below it, a buy above.
        trail: Let the stop follow the market at this distance.
        until: Good till then: a span such as 90s or 2h, or a time in UTC such as 15:30.
        reduce_only: Only bring each account's position nearer to zero.
        accounts: So many accounts, the first ones; all without it.
        slots: These workers, such as w1,w3.
        split: How the quantity is divided: each gives the whole to everyone.
        self_trade: What is done about an own order that it could meet.
        strategy: Whose it is: statements count by it, and net_internally nets between two.
    """

    price: str | None = None
    tif: Literal["day", "gtc", "ioc", "fok"] | None = None
    post_only: Flag = False
    stop: str | None = None
    trail: str | None = None
    until: str | None = None
    reduce_only: Flag = False
    accounts: int | None = None
    slots: str | None = None
    split: Literal["equal", "weighted", "random", "each"] = "equal"
    self_trade: SelfTradeWord = "reject_new"
    strategy: str = ""


@order.command
def buy(
    symbol: Symbol,
    quantity: Quantity,
    *,
    options: SingleOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Buy, split over the accounts and released together.

    Args:
        symbol: What is traded, such as TSLA.
        quantity: How much, in all accounts together.
        options: How it is traded.
        asking: How it is asked.
    """
    return _single(Side.BUY, (symbol, quantity), options, asking)


@order.command
def sell(
    symbol: Symbol,
    quantity: Quantity,
    *,
    options: SingleOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Sell, split over the accounts and released together.

    Args:
        symbol: What is traded, such as TSLA.
        quantity: How much, in all accounts together.
        options: How it is traded.
        asking: How it is asked.
    """
    return _single(Side.SELL, (symbol, quantity), options, asking)


def _single(
    side: Side,
    what: tuple[str, str],
    options: SingleOptions | None,
    asking: AskOptions | None,
) -> int:
    symbol, quantity = what
    chosen = options if options is not None else SingleOptions()

    def make(choice: Choice) -> PlaceParent:
        def price(text: str | None) -> Ticks | None:
            return None if text is None else choice.price(symbol, text=text)

        good_till_ns = None
        if chosen.until is not None:
            good_till_ns = until_ns(chosen.until, market_ns=choice.market_ns)
        return PlaceParent(
            spec=ParentSpec(
                symbol=symbol,
                side=side,
                quantity=choice.quantity(symbol, text=quantity),
                limit_price=price(chosen.price),
                time_in_force=_time_in_force(chosen),
                post_only=chosen.post_only,
                stop_price=price(chosen.stop),
                trail=price(chosen.trail),
                good_till_ns=good_till_ns,
                reduce_only=chosen.reduce_only,
                slots=choice.slots(chosen.slots, chosen.accounts),
                split=Split(chosen.split),
                self_trade=SelfTrade(chosen.self_trade),
                strategy=chosen.strategy,
            )
        )

    return _place(make, asking)


def _time_in_force(chosen: SingleOptions) -> TimeInForce:
    if chosen.until is None:
        return TimeInForce(chosen.tif or "day")
    if chosen.tif is not None:
        raise BadInputError("--until and --tif: give one of them")
    return TimeInForce.GOOD_TILL_DATE


def _place(
    make: Callable[[Choice], PlaceParent | PlaceBoth | PlacePair | CancelOrders],
    options: AskOptions | None,
) -> int:
    chosen = options if options is not None else AskOptions()
    asking = Asking(command_id=chosen.id, as_json=chosen.json, waits=chosen.wait)
    home = home_of(chosen.home)
    return finish(lambda: place(home, make, asking, sys.stdout))


@Parameter(name="*")
@dataclass(frozen=True)
class BothOptions:
    """Both sides.

    Attributes:
        buy: The price at which to buy.
        sell: The price at which to sell, above it.
        accounts: So many accounts, the first ones; all without it.
        slots: These workers, such as w1,w3.
        inventory_limit: The most that bought may be ahead of sold, or behind; the quantity without
            it.
        refreshes: How often a side that is done is quoted anew.
        lifetime: How long, such as 30s; then both sides are canceled.
        exit: What is left at the end: cancel keeps the inventory, flatten trades it back.
    """

    buy: str
    sell: str
    accounts: int | None = None
    slots: str | None = None
    inventory_limit: str | None = None
    refreshes: int = 0
    lifetime: Annotated[str, Parameter(name="--for")] = "60s"
    exit: Literal["cancel", "flatten"] = "cancel"


@order.command
def both(
    symbol: Symbol, quantity: Quantity, *, options: BothOptions, asking: AskOptions | None = None
) -> int:
    """Quote both sides of one market over several accounts: buy below, sell above.

    Args:
        symbol: What is quoted, such as TSLA.
        quantity: How much on each side.
        options: At which prices, and for how long.
        asking: How it is asked.
    """

    def make(choice: Choice) -> PlaceBoth:
        limit = options.inventory_limit
        return PlaceBoth(
            symbol=symbol,
            quantity=choice.quantity(symbol, text=quantity),
            buy_price=choice.price(symbol, text=options.buy),
            sell_price=choice.price(symbol, text=options.sell),
            slots=choice.slots(options.slots, options.accounts),
            inventory_limit=choice.quantity(symbol, text=quantity if limit is None else limit),
            refreshes=options.refreshes,
            lifetime_ns=duration_ns(options.lifetime),
            exit_rule=ExitRule(options.exit),
        )

    return _place(make, asking)


@Parameter(name="*")
@dataclass(frozen=True)
class PairOptions:
    """Two legs.

    Attributes:
        buy: The price at which to buy the first.
        sell: The price at which to sell the second.
        slices: In how many slices of that quantity.
        buy_slots: Who buys, such as w1,w2; the first half of all without it.
        sell_slots: Who sells; the second half without it.
        policy: What is done when one leg trades more than the other.
    """

    buy: str
    sell: str
    slices: int = 1
    buy_slots: str | None = None
    sell_slots: str | None = None
    policy: Literal["hedge", "unwind", "halt"] = "hedge"


@order.command
def pair(
    symbols: tuple[str, str],
    quantity: str,
    *,
    options: PairOptions,
    asking: AskOptions | None = None,
) -> int:
    """Buy one symbol and sell another, slice by slice, both legs of a slice together.

    Args:
        symbols: What to buy, and what to sell.
        quantity: How much of each in one slice.
        options: At which prices, and what if a leg fails.
        asking: How it is asked.
    """
    buys, sells = symbols

    def make(choice: Choice) -> PlacePair:
        half = len(choice.all_slots) // 2
        return PlacePair(
            buy_symbol=buys,
            sell_symbol=sells,
            buy_price=choice.price(buys, text=options.buy),
            sell_price=choice.price(sells, text=options.sell),
            slice_quantity=choice.quantity(buys, text=quantity),
            slices=options.slices,
            buy_slots=choice.slots(options.buy_slots, None) or choice.all_slots[:half],
            sell_slots=choice.slots(options.sell_slots, None) or choice.all_slots[half:],
            policy=LegPolicy(options.policy),
        )

    return _place(make, asking)


@order.command
def replace(
    order_id: str,
    *,
    quantity: str | None = None,
    price: str | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Change an open order's quantity, limit price or both; an algorithm's likewise.

    A lower quantity keeps the order's place in the queue. More, or another price, loses it: the
    order is canceled, and what is left placed anew once the exchange has confirmed that.

    Args:
        order_id: Its id, such as d1-7.
        quantity: The new quantity, what has traded included.
        price: The new limit.
        asking: How it is asked; with --wait until the order has ended.
    """
    chosen = asking if asking is not None else AskOptions()
    said = Asking(command_id=chosen.id, as_json=chosen.json, waits=chosen.wait)
    changes, home = Changes(quantity=quantity, price=price), home_of(chosen.home)
    return finish(lambda: ordering.replace(home, order_id, changes, said, sys.stdout))


@order.command
def cancel(
    order_id: str | None = None,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    asking: AskOptions | None = None,
) -> int:
    """Cancel an order, a two-sided quote or a pair; or all of them.

    Args:
        order_id: Its id, such as d1-7.
        all_: Cancel everything that is open.
        asking: How it is asked.
    """

    def make(_: Choice) -> CancelOrders:
        if (order_id is None) is not all_:
            raise BadInputError("order cancel: expected an order's id, or --all")
        return CancelOrders(order_id=order_id)

    return _place(make, asking)
