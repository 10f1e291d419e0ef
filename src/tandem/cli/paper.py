"""`tandem paper`: the paper exchange by itself, past the pool that trades there."""

import sys
from typing import Annotated, TextIO

from cyclopts import App, Parameter

from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import write_json
from tandem.domain.ids import AccountId
from tandem.domain.order import Side
from tandem.wiring.outside import OutsideTrade, outside_order, trade_outside

app = new_app()
paper = App(name="paper", help="The paper exchange by itself.")
app.command(paper)
Account = str
Direction = str
Symbol = str
Quantity = str
_SIDES = {one.value: one for one in Side}


@paper.command(name="trade-outside")
def trade(  # noqa: PLR0913 - what can be typed
    account: Account,
    side: Direction,
    symbol: Symbol,
    quantity: Quantity,
    *,
    limit: Annotated[str | None, Parameter(name="--limit")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Trade an account as another program with its secret would; the pool does not know of it.

    For tests and demonstrations: the pool must find it, see 'tandem orders external'.

    Args:
        account: Such as A1.
        side: buy or sell.
        symbol: Such as TSLA.
        quantity: How much.
        limit: The worst price; it may rest then. Without it the order is at the market.
        home: Where the paper exchange is.
        json: Print JSON.
    """

    async def act() -> int:
        if side not in _SIDES:
            raise BadInputError(f"side {side!r}: expected buy or sell")
        place = home_of(home)
        order = outside_order(place, symbol, _SIDES[side], quantity=quantity, limit=limit)
        found = await trade_outside(place, AccountId(account), order)
        return show_trade(found, sys.stdout, as_json=json)

    return finish(act)


def show_trade(found: OutsideTrade, out: TextIO, *, as_json: bool) -> int:
    """Write what the exchange said; return the exit code."""
    if as_json:
        write_json(found, out)
    elif found.refused is not None:
        out.write(f"refused: {found.refused}\n")
    else:
        out.write(f"{found.client_order_id}: {found.filled} filled, {found.open} open\n")
    return OK if found.refused is None else FAILED
