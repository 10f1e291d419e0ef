"""`tandem run`: one component of a pool in the foreground, one process each."""

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from tandem.cli.calling import BadInputError, HomeOption, attempt, home_of, new_app
from tandem.cli.up import market_clock
from tandem.wiring.components import run_coordinator, run_exchange, run_other
from tandem.wiring.roles import Role
from tandem.wiring.strategies import plan_strategies

app = new_app()
Component = Literal["exchange", "market", "evaluator", "coordinator", "worker"]


@app.command
def run(  # noqa: PLR0913 - each has its name
    component: Component,
    *,
    name: str | None = None,
    workers: int = 4,
    replay: list[str] | None = None,
    begin: str | None = None,
    speed: str = "1",
    strategies: Annotated[bool, Parameter(negative="--no-strategies")] = True,
    home: HomeOption = None,
) -> int:
    """Run one component of a pool until SIGTERM or Ctrl-C, in this process alone.

    The exchange first: it makes the home. All components of one home and `tandem up` give the
    same results; here nothing replaces what ends.

    Args:
        component: Which one.
        name: What a worker or an evaluator is called, each another name.
        workers: Of the coordinator: how many workers to set up, once they have joined.
        replay: Of the exchange: recorded market data to trade on, as for `tandem up`.
        begin: Of the exchange: when the synthetic market's clock begins.
        speed: Of the exchange: how fast either runs.
        strategies: Of the exchange: publish candles, for a market process and evaluators.
        home: Where journals and sockets are.
    """

    def work() -> int:
        place = home_of(home)
        if component == "exchange":
            market = market_clock(replay or [], begin, speed=speed)
            plan = plan_strategies("1" if strategies else "0")
            return run_exchange(place, replay=market, strategies=plan)
        if replay is not None or begin is not None or speed != "1":
            raise BadInputError("--replay, --begin and --speed: only of the exchange")
        if component == "coordinator":
            return run_coordinator(place, workers=workers, say=_say)
        if component == "market":
            return run_other(place, Role.MARKET, Role.MARKET.value)
        if name is None:
            raise BadInputError(f"--name: a name for this {component}, no two alike")
        return run_other(place, Role(component), name)

    return attempt(work)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
