"""`tandem algo`: orders that place orders over time, or once something has happened."""

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import App, Parameter

from tandem.cli.algo_reacting import bracket, quote, stop
from tandem.cli.algo_words import (
    Flag,
    Quantity,
    Symbol,
    What,
    WorkedOptions,
    WorkedWords,
    ask,
    ask_worked,
    moment,
)
from tandem.cli.asking import latest_orders
from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.order import AskOptions
from tandem.cli.ordering import write_algos
from tandem.cli.printing import write_json
from tandem.cli.typed import Choice, duration_ns
from tandem.domain.algos import AtEnd, Iceberg, Leaving, Momentum, Participate, Twap
from tandem.domain.commands import PauseOrder, PlaceAlgo, ResumeOrder

app = new_app()
algo = App(name="algo", help="Work an order over time, in pieces, or once something has happened.")
app.command(algo)
for one in (stop, bracket, quote):
    algo.command(one)
SAMPLE_NS = 1_000_000_000


@Parameter(name="*")
@dataclass(frozen=True)
class TwapOptions:
    """Over how long, and how regularly.

    Attributes:
        lasts: How long, such as 30s or 5m, in market time.
        slices: In how many orders.
        jitter: By how many per cent sizes and moments vary at random.
        at_end: What becomes of the rest: leave it, or take it at the market.
    """

    lasts: Annotated[str, Parameter(name="--for")]
    slices: int = 10
    jitter: int = 0
    at_end: Literal["leave", "take"] = "leave"


@algo.command
def twap(
    what: What,
    *,
    options: TwapOptions,
    worked_options: WorkedOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Trade evenly over a span of time.

    Args:
        what: What is traded.
        options: Over how long.
        worked_options: How it is traded.
        asking: How it is asked.
    """

    def make(_: Choice, words: WorkedWords) -> Twap:
        return Twap(
            **words,
            duration_ns=duration_ns(options.lasts),
            slices=options.slices,
            jitter_percent=options.jitter,
            at_end=AtEnd(options.at_end),
        )

    return ask_worked(make, what, worked_options, asking)


@algo.command
def iceberg(
    what: What,
    *,
    visible: str,
    jitter: int = 0,
    worked_options: WorkedOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Rest at a price and show only a piece of it at a time, all accounts together.

    Args:
        what: What is traded.
        visible: The most that is ever shown.
        jitter: By how many per cent the pieces are smaller at random.
        worked_options: How it is traded; a price is needed.
        asking: How it is asked.
    """

    def make(choice: Choice, words: WorkedWords) -> Iceberg:
        shown = choice.quantity(what.symbol, text=visible)
        return Iceberg(**words, visible=shown, jitter_percent=jitter)

    return ask_worked(make, what, worked_options, asking)


@Parameter(name="*")
@dataclass(frozen=True)
class ParticipateOptions:
    """Which share, and over how long.

    Attributes:
        percent: The share of all that trades there, our own trades included.
        lasts: How long, such as 30s or 5m, in market time.
        every: How often the market's volume is looked at.
        at_end: What becomes of the rest: leave it, or take it at the market, beyond the share.
    """

    percent: int
    lasts: Annotated[str, Parameter(name="--for")]
    every: str = "1s"
    at_end: Literal["leave", "take"] = "leave"


@algo.command
def participate(
    what: What,
    *,
    options: ParticipateOptions,
    worked_options: WorkedOptions | None = None,
    asking: AskOptions | None = None,
) -> int:
    """Trade a share of what the market trades, never more; at most the quantity.

    Args:
        what: What is traded.
        options: Which share, and over how long.
        worked_options: How it is traded.
        asking: How it is asked.
    """

    def make(_: Choice, words: WorkedWords) -> Participate:
        return Participate(
            **words,
            percent=options.percent,
            duration_ns=duration_ns(options.lasts),
            interval_ns=duration_ns(options.every),
            at_end=AtEnd(options.at_end),
        )

    return ask_worked(make, what, worked_options, asking)


@Parameter(name="*")
@dataclass(frozen=True)
class MomentumOptions:
    """What counts as a trend, and over how long it is followed.

    Attributes:
        lasts: How long, such as 30s or 5m, in market time.
        window: With the price of how many samples ago the price is compared.
        sample: The time from one sample to the next; without it 1s, or less for a short time.
        threshold: The rise or fall that counts, in millionths of the price.
        good_for: How old a price may be that is traded by.
        long_only: Be flat where it would be short.
        leave: What becomes of the position at the end: flatten it, or keep it.
        accounts: So many accounts, the first ones; all without it.
        slots: These workers, such as w1,w3.
        strategy: What it is counted under in statements.
        flat_by: Be flat by then: a span such as 2h, or a time in UTC such as 15:30.
    """

    lasts: Annotated[str, Parameter(name="--for")]
    window: int = 10
    sample: str | None = None
    threshold: int = 200
    good_for: str = "5s"
    long_only: Flag = False
    leave: Literal["flatten", "keep"] = "flatten"
    accounts: int | None = None
    slots: str | None = None
    strategy: str = "momentum"
    flat_by: str | None = None


@algo.command
def momentum(
    symbol: Symbol,
    quantity: Quantity,
    *,
    options: MomentumOptions,
    asking: AskOptions | None = None,
) -> int:
    """Be long while the price rises and short while it falls.

    Args:
        symbol: What is traded, such as TSLA.
        quantity: How much it holds, long or short, in all accounts together.
        options: What counts as a trend.
        asking: How it is asked.
    """
    return ask(lambda choice: _momentum(choice, symbol, quantity, options), asking)


def _momentum(
    choice: Choice, symbol: Symbol, quantity: Quantity, options: MomentumOptions
) -> PlaceAlgo:
    lasts_ns = duration_ns(options.lasts)
    # A window fits into the time several times over, or it would hardly ever decide.
    usual_ns = max(1, min(SAMPLE_NS, lasts_ns // (6 * max(1, options.window))))
    return PlaceAlgo(
        spec=Momentum(
            symbol=symbol,
            quantity=choice.quantity(symbol, text=quantity),
            sample_ns=usual_ns if options.sample is None else duration_ns(options.sample),
            window=options.window,
            threshold_ppm=options.threshold,
            duration_ns=lasts_ns,
            long_only=options.long_only,
            leaving=Leaving(options.leave),
            slots=choice.slots(options.slots, options.accounts),
            strategy=options.strategy,
            good_for_ns=duration_ns(options.good_for),
            flat_by_ns=moment(choice, options.flat_by),
        )
    )


@algo.command(name="list")
def list_algos(*, limit: int = 20, home: HomeOption = None, json: JsonOption = False) -> int:
    """List the latest algorithms, oldest first, with what others could see of them at most.

    Args:
        limit: How many.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        view = await latest_orders(home_of(home), limit)
        if json:
            write_json({"algos": view.algos}, sys.stdout)
        else:
            write_algos(view.algos, sys.stdout)
        return OK

    return finish(act)


@algo.command
def pause(order_id: str, *, asking: AskOptions | None = None) -> int:
    """Cancel what an algorithm has in the market, and let it send nothing until resumed.

    Args:
        order_id: Its id, such as d1-7.
        asking: How it is asked.
    """
    return ask(lambda _: PauseOrder(order_id=order_id), asking)


@algo.command
def resume(order_id: str, *, asking: AskOptions | None = None) -> int:
    """Let a paused algorithm go on; one with a schedule catches up.

    Args:
        order_id: Its id, such as d1-7.
        asking: How it is asked.
    """
    return ask(lambda _: ResumeOrder(order_id=order_id), asking)
