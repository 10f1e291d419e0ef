"""What every algorithm is told on the command line, and how it is asked."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from cyclopts import Parameter

from tandem.cli.calling import finish, home_of
from tandem.cli.order import AskOptions
from tandem.cli.ordering import Asking, place
from tandem.cli.typed import Choice, SelfTradeWord, until_ns
from tandem.domain.algos import WorkedSpec
from tandem.domain.commands import Command, PlaceAlgo
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade, Split

Flag = Annotated[bool, Parameter(negative="")]
SideText = Literal["buy", "sell"]
OrderId = str
Symbol = str
Quantity = str


@Parameter(name="*")
@dataclass(frozen=True)
class What:
    """What an algorithm on one side trades.

    Attributes:
        side: buy or sell.
        symbol: What is traded, such as TSLA.
        quantity: How much, in all accounts together.
    """

    side: SideText
    symbol: Symbol
    quantity: Quantity


@Parameter(name="*")
@dataclass(frozen=True)
class WorkedOptions:
    """What every algorithm on one side is told.

    Attributes:
        price: The worst price; without one it trades at the market.
        accounts: So many accounts, the first ones; all without it.
        slots: These workers, such as w1,w3.
        split: How each of its orders is divided over them.
        self_trade: What is done about an own order that it could meet.
        reduce_only: Only bring the position nearer to zero.
        strategy: What it is counted under in statements.
        flat_by: Trade back by then what it holds: a span such as 2h, or a time in UTC, 15:30.
    """

    price: str | None = None
    accounts: int | None = None
    slots: str | None = None
    split: Literal["equal", "weighted", "random"] = "equal"
    self_trade: SelfTradeWord = "reject_new"
    reduce_only: Flag = False
    strategy: str = ""
    flat_by: str | None = None


class WorkedWords(TypedDict):
    """The fields of `Worked`."""

    symbol: str
    side: Side
    quantity: Lots
    limit_price: Ticks | None
    slots: tuple[SlotId, ...]
    split: Split
    self_trade: SelfTrade
    reduce_only: bool
    strategy: str
    flat_by_ns: int | None


def moment(choice: Choice, text: str | None) -> int | None:
    """Return a moment of market time as it was typed, if it was."""
    return None if text is None else until_ns(text, market_ns=choice.market_ns)


def _words(choice: Choice, what: What, options: WorkedOptions | None) -> WorkedWords:
    """Return what was typed in the desk's words."""
    symbol = what.symbol
    chosen = options if options is not None else WorkedOptions()
    price = chosen.price
    return WorkedWords(
        symbol=symbol,
        side=Side(what.side),
        quantity=choice.quantity(symbol, text=what.quantity),
        limit_price=None if price is None else choice.price(symbol, text=price),
        slots=choice.slots(chosen.slots, chosen.accounts),
        split=Split(chosen.split),
        self_trade=SelfTrade(chosen.self_trade),
        reduce_only=chosen.reduce_only,
        strategy=chosen.strategy,
        flat_by_ns=moment(choice, chosen.flat_by),
    )


def ask_worked(
    make: Callable[[Choice, WorkedWords], WorkedSpec],
    what: What,
    options: WorkedOptions | None,
    asking: AskOptions | None,
) -> int:
    """Have an algorithm on one side begin; return the exit code.

    `make` adds what its kind needs to the words that all have.
    """
    return ask(lambda choice: PlaceAlgo(spec=make(choice, _words(choice, what, options))), asking)


def ask(make: Callable[[Choice], Command], options: AskOptions | None) -> int:
    """Have a command carried out; return the exit code."""
    chosen = options if options is not None else AskOptions()
    asking = Asking(command_id=chosen.id, as_json=chosen.json, waits=chosen.wait)
    home = home_of(chosen.home)
    return finish(lambda: place(home, make, asking, sys.stdout))
