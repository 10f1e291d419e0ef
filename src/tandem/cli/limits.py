"""`tandem limits`: what the risk gate allows, for the desk and for each account."""

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal, TextIO

from cyclopts import App, Parameter

from tandem.cli.asking import ask_desk, tell_desk, write_answer
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.printing import table, write_json
from tandem.cli.typed import duration_ns
from tandem.domain.commands import Answer, ReduceOnly, SetLimits
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.instrument import Catalogue
from tandem.domain.limits import MONEY, SETTABLE, LimitChanges
from tandem.domain.views import CatalogueView, LimitsView, LimitView
from tandem.wiring.asking import DeskLine
from tandem.wiring.names import fresh_command

app = new_app()
limits = App(name="limits", help="What the risk gate allows, for the desk and for each account.")
app.command(limits)
DEFAULT: Final = "default"
PPM: Final = Decimal(1_000_000)
AccountOption = Annotated[str | None, Parameter(help="Of this account; of the whole desk without.")]


@limits.command
def show(
    *, account: AccountOption = None, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Show every limit, what is used of it now, and what is left."""

    async def act() -> int:
        view = await ask_desk(home_of(home), lambda line: line.limits())
        return show_limits(view, sys.stdout, account=account, as_json=json)

    return finish(act)


def show_limits(view: LimitsView, out: TextIO, *, account: str | None, as_json: bool) -> int:
    """Write the limits; return the exit code.

    Raises:
        BadInputError: there is no such account.
    """
    scopes = [one for one in view.scopes if account is None or one.account_id == account]
    if not scopes:
        known = ", ".join(one.account_id for one in view.scopes if one.account_id is not None)
        raise BadInputError(f"--account {account}: expected one of {known}")
    if as_json:
        write_json(LimitsView(scopes=tuple(scopes)), out)
        return OK
    for scope in scopes:
        reason = f" ({scope.reason})" if scope.reason else ""
        out.write(f"{scope.account_id or 'desk'}: {scope.trading}{reason}\n")
        out.writelines(f"{one} is halted: {why}\n" for one, why in scope.halted.items())
        heads = ("limit", "of", ">allowed", ">used", ">left", "")
        out.write(table(heads, [_cells(one) for one in scope.limits]))
    return OK


def _cells(line: LimitView) -> tuple[object, ...]:
    said = "set here" if line.is_set else ("set for the desk" if line.settings is not None else "")
    if line.settings is not None:
        said = f"{said}; started with {line.settings}"
    return (line.name, line.unit or None, line.limit, line.used, line.left, said)


@limits.command(name="set")
def set_(
    *pairs: str, account: AccountOption = None, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Set limits, at once and until set otherwise, whatever the settings file says.

    Args:
        pairs: NAME=VALUE, such as max_notional=50000, price_collar=5%, duplicate_window=2s,
            restricted=GME,AMC or max_quantity=TSLA:500; =default takes back what was set.
        account: Of this account; of the whole desk, and of all its accounts, without.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        command_id = fresh_command("setlimits")

        async def ask(line: DeskLine) -> Answer:
            command = set_command(pairs, account, await line.catalogue())
            return await line.command(command_id, command)

        answer = await ask_desk(home_of(home), ask)
        return write_answer(answer, sys.stdout, as_json=json, command_id=command_id)

    return finish(act)


def set_command(pairs: Sequence[str], account: str | None, view: CatalogueView) -> SetLimits:
    """Return what was typed in the desk's words.

    Raises:
        BadInputError: it cannot be; says which and what was expected.
        ConfigurationError: a limit beyond its bound.
        OffGridError: a quantity that is off its grid.
    """
    if not pairs:
        raise BadInputError(f"expected NAME=VALUE, with a name of {', '.join(SETTABLE)}")
    reset, values = [], {}
    for pair in pairs:
        name, is_pair, text = pair.partition("=")
        field = _field(name)
        if field is None or not is_pair:
            raise BadInputError(f"{pair!r}: expected NAME=VALUE, a name of {', '.join(SETTABLE)}")
        if text == DEFAULT:
            reset.append(field)
        else:
            values[field] = _value(field, text, view)
    changes = LimitChanges(**values)  # type: ignore[arg-type] # each has its field's type
    account_id = None if account is None else AccountId(account)
    return SetLimits(account_id=account_id, changes=changes, reset=tuple(reset))


def _field(name: str) -> str | None:
    """Return the limit that a person means, with or without its unit."""
    known = {one.removesuffix("_ns").removesuffix("_ppm"): one for one in SETTABLE}
    return name if name in SETTABLE else known.get(name)


def _value(field: str, text: str, view: CatalogueView) -> object:
    parse: Callable[[str], object] = int
    if field in MONEY:
        parse = Decimal
    elif field == "price_collar_ppm":
        parse = _collar
    elif field.endswith("_ns"):
        return int(text) if text.isdecimal() else duration_ns(text)
    elif field == "restricted":
        return tuple(one.strip() for one in text.split(",") if one.strip())
    elif field == "max_quantity":
        return _quantities(text, view)
    try:
        return parse(text)
    except (ValueError, InvalidOperation):
        raise BadInputError(f"{field}={text!r}: expected a number") from None


def _collar(text: str) -> int:
    """Return a share of the price in millionths; `5%`, or the millionths themselves."""
    return int(Decimal(text[:-1]) * PPM / 100) if text.endswith("%") else int(text)


def _quantities(text: str, view: CatalogueView) -> dict[InstrumentId, int]:
    catalogue, found = Catalogue(view.instruments), dict[InstrumentId, int]()
    for one in text.split(","):
        symbol, _, quantity = one.partition(":")
        listed = catalogue.on_symbol(symbol.strip())
        if not listed:
            raise BadInputError(f"max_quantity={one!r}: expected SYMBOL:QUANTITY, traded here")
        for instrument in listed:
            found[instrument.instrument_id] = instrument.quantity(quantity)
    return found


@limits.command(name="reduce-only")
def reduce_only(
    switch: Literal["on", "off"],
    *,
    account: AccountOption = None,
    reason: str = "by hand",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Let only orders through that bring a position nearer to zero; or, off, all again.

    On also cancels what could take a position further. Off lifts what a daily loss or an objective
    began as well.

    Args:
        switch: on or off.
        account: Of this account; of the whole desk without.
        reason: Shown to whoever asks why.
        home: Where journals and sockets are.
        json: Print JSON.
    """
    account_id = None if account is None else AccountId(account)
    command = ReduceOnly(account_id=account_id, on=switch == "on", reason=reason)
    return finish(lambda: tell_desk(home_of(home), command, sys.stdout, as_json=json))
