"""`tandem prove-no-lookahead`: a strategy sees nothing of the future."""

import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from tandem.cli.bars import Which, found_bars
from tandem.cli.calling import BadInputError, finish, home_of, new_app
from tandem.cli.strategy_words import parameters_of, text_of
from tandem.wiring.bars import reading
from tandem.wiring.strategies import require_strategies

app = new_app()
_ALL: Final = Which()
File = Annotated[Path, Parameter(help="The strategy, in Lua (.lua) or Python (.py).")]
Symbol = Annotated[str, Parameter(name="--bars", help="Whose stored bars, such as BTCUSD.")]
Every = Annotated[int, Parameter(help="Cut the history behind every so many bars.")]
Param = Annotated[tuple[str, ...], Parameter(help="A parameter of it, such as fast=10.")]


@app.command(name="prove-no-lookahead")
def prove_no_lookahead(
    file: File, *, symbol: Symbol, which: Which = _ALL, every: Every = 10, param: Param = ()
) -> int:
    """Cut a history off behind its bars and let a strategy decide again: is it the same?"""

    async def act() -> int:
        if every < 1:
            raise BadInputError(f"--every {every}: expected 1 or more")
        require_strategies()
        from tandem.cli.strategy_trying import write_proof

        store = reading(home_of(which.home))
        try:
            found = found_bars(store, symbol, which)
        finally:
            store.close()
        return write_proof(text_of(file), parameters_of(param), found, sys.stdout, every=every)

    return finish(act)
