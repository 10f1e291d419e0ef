"""`tandem paper`: the paper exchange by itself, past the pool: others who trade, and issuers."""

import sys
from decimal import Decimal, InvalidOperation
from typing import Annotated, TextIO

from cyclopts import App, Parameter

from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import write_json
from tandem.domain.ids import AccountId
from tandem.domain.order import Side
from tandem.domain.venue import CorporateActed
from tandem.wiring.outside import OutsideTrade, act_as_issuer, outside_order, trade_outside

app = new_app()
paper = App(name="paper", help="The paper exchange by itself.")
app.command(paper)
Account = str
Direction = str
Symbol = str
Quantity = str
Ratio = str
Amount = str
RATIO_LETTERS = 11
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


@paper.command
def split(
    symbol: Symbol, ratio: Ratio, *, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Split an instrument of the paper exchange now, as its issuer would.

    Its open orders are canceled there, and nothing trades in it for five seconds. The pool must
    follow: positions, cost and prices, see 'tandem positions' and 'tandem statement'.

    Args:
        symbol: Such as TSLA.
        ratio: New units for old ones: 3:1, or 1:10 for fewer.
        home: Where the paper exchange is.
        json: Print JSON.
    """

    async def act() -> int:
        new, _, old = ratio.partition(":")
        if not (new.isdecimal() and old.isdecimal() and len(ratio) <= RATIO_LETTERS):
            raise BadInputError(f"ratio {ratio!r}: expected new units for old ones, such as 2:1")
        told = await act_as_issuer(home_of(home), symbol, numerator=int(new), denominator=int(old))
        return show_acted(told, sys.stdout, as_json=json)

    return finish(act)


@paper.command
def dividend(
    symbol: Symbol, amount: Amount, *, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Pay a dividend in cash now, as the issuer would, to every account that holds the instrument.

    Args:
        symbol: Such as TSLA.
        amount: Such as 0.25, for each unit; an account that is short owes it.
        home: Where the paper exchange is.
        json: Print JSON.
    """

    async def act() -> int:
        try:
            told = await act_as_issuer(home_of(home), symbol, dividend=Decimal(amount))
        except InvalidOperation:
            raise BadInputError(f"amount {amount!r}: expected one such as 0.25") from None
        return show_acted(told, sys.stdout, as_json=json)

    return finish(act)


def show_acted(told: CorporateActed, out: TextIO, *, as_json: bool) -> int:
    """Write what the exchange said; return the exit code."""
    if as_json:
        write_json(told, out)
    else:
        out.write(f"{told.action_id or 'refused'}: {told.text}\n")
    return OK if told.action_id is not None else FAILED
