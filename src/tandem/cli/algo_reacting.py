"""`tandem algo stop`, `bracket` and `quote`: what answers the market."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from tandem.cli.algo_words import (
    Quantity,
    Symbol,
    What,
    WorkedOptions,
    WorkedWords,
    ask,
    ask_worked,
    moment,
)
from tandem.cli.order import AskOptions
from tandem.cli.typed import Choice, duration_ns
from tandem.domain.algos import Bracket, Leaving, MakeMarket, Stop, Trigger
from tandem.domain.commands import PlaceAlgo
from tandem.domain.ids import Ticks

TriggerText = Literal["last", "quote"]


@Parameter(name="*")
@dataclass(frozen=True)
class StopOptions:
    """When it goes out.

    Attributes:
        stop: The price to wait for: a sell until the market has fallen to it, a buy until it has
            risen to it.
        trail: Let the stop follow the market at this distance; it never turns back.
        trigger: By the last trade, or by the quote that it would trade at.
    """

    stop: str | None = None
    trail: str | None = None
    trigger: TriggerText = "last"


def stop(
    what: What,
    *,
    options: StopOptions | None = None,
    worked_options: WorkedOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Hold an order until the market has reached its stop, while the coordinator lives.

    Args:
        what: What is traded.
        options: When it goes out; --stop, --trail or both.
        worked_options: How it is traded; with a price it rests there, once it is hit.
        asking: How it is asked.
    """
    chosen = options if options is not None else StopOptions()

    def make(choice: Choice, words: WorkedWords) -> Stop:
        def price(text: str | None) -> Ticks | None:
            return None if text is None else choice.price(what.symbol, text=text)

        return Stop(
            **words,
            stop_price=price(chosen.stop),
            trail=price(chosen.trail),
            trigger=Trigger(chosen.trigger),
        )

    return ask_worked(make, what, worked_options, asking)


@Parameter(name="*")
@dataclass(frozen=True)
class BracketOptions:
    """Where it gets out.

    Attributes:
        target: Where to take the profit: an order that rests there.
        stop: Where to get out at the market; held by the desk, while the coordinator lives.
        trigger: By the last trade, or by the quote that the stop would trade at.
        enter_within: How long the entry may wait, such as 30s; for ever without it, and 10s at the
            market.
    """

    target: str
    stop: str
    trigger: TriggerText = "last"
    enter_within: str | None = None


def bracket(
    what: What,
    *,
    options: BracketOptions,
    worked_options: WorkedOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Enter, then get out at a target or a stop, of which one cancels the other.

    Args:
        what: What is entered.
        options: Where it gets out.
        worked_options: How it enters: at --price, or at the market without one.
        asking: How it is asked.
    """

    def make(choice: Choice, words: WorkedWords) -> Bracket:
        within = options.enter_within
        return Bracket(
            **words,
            target_price=choice.price(what.symbol, text=options.target),
            stop_price=choice.price(what.symbol, text=options.stop),
            trigger=Trigger(options.trigger),
            entry_ns=None if within is None else duration_ns(within),
        )

    return ask_worked(make, what, worked_options, asking)


@Parameter(name="*")
@dataclass(frozen=True)
class QuoteOptions:
    """Where it quotes, and how far it goes.

    Attributes:
        half_spread: How far from the middle of the market each side is quoted.
        lasts: How long, such as 30s or 5m, in market time.
        inventory_limit: The most that bought may be ahead of sold, or behind; the quantity without
            it.
        skew: How far both prices move against the inventory, for each quantity of it.
        tolerance: How far a quote may be off before it is moved; half of the half spread without
            it.
        refresh: How long a quote stays at least.
        leave: What becomes of the inventory at the end: flatten it, or keep it.
        accounts: So many accounts, the first ones; all without it.
        slots: These workers, such as w1,w3: of each two one buys and one sells.
        strategy: What it is counted under in statements.
        flat_by: Be flat by then: a span such as 2h, or a time in UTC such as 15:30.
    """

    half_spread: str
    lasts: Annotated[str, Parameter(name="--for")]
    inventory_limit: str | None = None
    skew: str | None = None
    tolerance: str | None = None
    refresh: str = "1s"
    leave: Literal["flatten", "keep"] = "flatten"
    accounts: int | None = None
    slots: str | None = None
    strategy: str = ""
    flat_by: str | None = None


def quote(
    symbol: Symbol,
    quantity: Quantity,
    *,
    options: QuoteOptions,
    asking: AskOptions | None = None,
) -> int:
    """Quote both sides around the middle of the market, over several accounts.

    Args:
        symbol: What is quoted, such as TSLA.
        quantity: How much on each side.
        options: Where it quotes.
        asking: How it is asked.
    """
    return ask(lambda choice: _quoting(choice, symbol, quantity, options), asking)


def _quoting(
    choice: Choice, symbol: Symbol, quantity: Quantity, options: QuoteOptions
) -> PlaceAlgo:
    half_spread = choice.price(symbol, text=options.half_spread)
    tolerance, limit = options.tolerance, options.inventory_limit
    return PlaceAlgo(
        spec=MakeMarket(
            symbol=symbol,
            quantity=choice.quantity(symbol, text=quantity),
            half_spread=half_spread,
            skew=0 if options.skew is None else choice.price(symbol, text=options.skew),
            inventory_limit=choice.quantity(symbol, text=quantity if limit is None else limit),
            tolerance=(
                Ticks(max(1, half_spread // 2))
                if tolerance is None
                else choice.price(symbol, text=tolerance)
            ),
            refresh_ns=duration_ns(options.refresh),
            duration_ns=duration_ns(options.lasts),
            leaving=Leaving(options.leave),
            slots=choice.slots(options.slots, options.accounts),
            strategy=options.strategy,
            flat_by_ns=moment(choice, options.flat_by),
        )
    )
