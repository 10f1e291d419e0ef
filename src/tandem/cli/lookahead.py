"""`tandem prove-no-lookahead`: a strategy sees nothing of the future."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from tandem.cli.bars import Which, found_bars
from tandem.cli.calling import BadInputError, finish, home_of, new_app
from tandem.cli.strategy_run import bars_at
from tandem.cli.strategy_words import judged_parameters, parameters_of, text_or_shipped
from tandem.ports import BarStore
from tandem.wiring.strategies import require_strategies

app = new_app()
_ALL: Final = Which()
What = Annotated[
    Path,
    Parameter(
        help="A strategy in Lua (.lua) or Python (.py), or the name of one that comes along."
    ),
]
Bars = Annotated[
    str,
    Parameter(
        name="--bars",
        help="Whose stored bars, such as BTCUSD; or a recording, as 'tandem bars import' takes it.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class ProofOptions:
    """How it is proved, and as what it runs.

    Attributes:
        every: Cut the history behind every so many bars.
        param: A parameter of it, such as fast=10; as often as there are some.
        others: Stored symbols that it looks at besides, such as BTCUSD,ETHUSD.
    """

    every: int = 10
    param: tuple[str, ...] = ()
    others: str = ""


_USUAL: Final = ProofOptions()


@app.command(name="prove-no-lookahead")
def prove_no_lookahead(
    what: What, *, bars: Bars, which: Which = _ALL, options: ProofOptions = _USUAL
) -> int:
    """Cut a history off behind its bars and let a strategy decide again: is it the same?"""
    place = bars if Path(bars.partition("?")[0]).exists() else None

    async def act() -> int:
        every = options.every
        if every < 1:
            raise BadInputError(f"--every {every}: expected 1 or more")
        require_strategies()
        from tandem.cli.strategy_trying import write_proof

        with bars_at(home_of(which.home), place) as store:
            own = bars if place is None else only_symbol(store, bars)
            names = [one.strip() for one in options.others.split(",") if one.strip()]
            found = [found_bars(store, one, which) for one in (own, *names)]
        text = text_or_shipped(what)
        parameters = judged_parameters(parameters_of(options.param), text)
        return write_proof(text, parameters, found, sys.stdout, every=every)

    return finish(act)


def only_symbol(store: BarStore, place: str) -> str:
    """Return the symbol of a recording.

    Raises:
        BadInputError: it has none, or several.
    """
    symbols = list(dict.fromkeys(one.instrument.symbol for one in store.series()))
    if len(symbols) != 1:
        names = ", ".join(symbols) or "none"
        raise BadInputError(f"{place}: symbols {names}, expected a recording of one")
    return symbols[0]
