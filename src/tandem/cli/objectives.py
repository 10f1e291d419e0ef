"""`tandem objectives`: when the desk stops, or closes everything."""

import sys
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, TextIO

from cyclopts import App, Parameter

from tandem.cli.asking import ask_desk, tell_desk, write_answer
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.printing import amount, write_json
from tandem.cli.typed import duration_ns, moment_text, until_ns
from tandem.domain.commands import Answer, AtObjective, ClearObjectives, SetObjectives
from tandem.domain.views import ObjectivesView
from tandem.wiring.asking import DeskLine
from tandem.wiring.names import fresh_command

app = new_app()
objectives = App(name="objectives", help="When the desk stops, or closes everything.")
app.command(objectives)


@Parameter(name="*")
@dataclass(frozen=True)
class ObjectiveOptions:
    """What ends the trading; at least one of the first five.

    Attributes:
        target_profit: This gain since now, realized and unrealized, fees included.
        loss_limit: This loss since now.
        lasts: After this span of market time.
        flat_by: Be flat by this moment of the market, such as 15:55 (UTC).
        flat_after: Be flat after this span of market time, such as 5m.
        then: What is done at the first three: only reduce, or close everything.
        currency: The currency of what is counted and closed.
        symbols: Only these, such as TSLA,AAPL; all of the currency without.
        of_trades: Count only what trades from now on, as if all that is held now was kept.
    """

    target_profit: str | None = None
    loss_limit: str | None = None
    lasts: Annotated[str | None, Parameter(name="--for")] = None
    flat_by: str | None = None
    flat_after: str | None = None
    then: Literal["stop", "flatten"] = "stop"
    currency: str = "USD"
    symbols: str = ""
    of_trades: Annotated[bool, Parameter(negative="")] = False


@objectives.command(name="set")
def set_(
    *,
    options: ObjectiveOptions | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Set when the desk stops, or closes everything; earlier objectives are replaced.

    An objective that is reached leaves only orders that reduce a position, until 'tandem
    objectives clear'. No profit or loss is judged by a price older than max_reference_age.
    """
    chosen = options if options is not None else ObjectiveOptions()

    async def act() -> int:
        command_id = fresh_command("objectives")

        async def ask(line: DeskLine) -> Answer:
            market_ns = (await line.objectives()).market_ns
            return await line.command(command_id, set_command(chosen, market_ns=market_ns))

        answer = await ask_desk(home_of(home), ask)
        return write_answer(answer, sys.stdout, as_json=json, command_id=command_id)

    return finish(act)


def set_command(chosen: ObjectiveOptions, *, market_ns: int) -> SetObjectives:
    """Return what was typed in the desk's words.

    Raises:
        BadInputError: it is no sum, span or moment.
        ConfigurationError: a sum or a time that cannot be, or nothing is set.
    """
    by = chosen.flat_by
    return SetObjectives(
        currency=chosen.currency,
        target_profit=_money("--target-profit", chosen.target_profit),
        loss_limit=_money("--loss-limit", chosen.loss_limit),
        lasts_ns=None if chosen.lasts is None else duration_ns(chosen.lasts),
        flat_by_market_ns=None if by is None else until_ns(by, market_ns=market_ns),
        flat_after_ns=None if chosen.flat_after is None else duration_ns(chosen.flat_after),
        then=AtObjective(chosen.then),
        symbols=tuple(one.strip() for one in chosen.symbols.split(",") if one.strip()),
        of_trades=chosen.of_trades,
    )


def _money(name: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadInputError(f"{name} {text!r}: expected a sum such as 250") from None


@objectives.command
def show(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Show the objectives, the gain so far, and what is still to be closed."""

    async def act() -> int:
        view = await ask_desk(home_of(home), lambda line: line.objectives())
        return show_objectives(view, sys.stdout, as_json=json)

    return finish(act)


def show_objectives(view: ObjectivesView, out: TextIO, *, as_json: bool) -> int:
    """Write the objectives; return the exit code."""
    if as_json:
        write_json(view, out)
    elif not view.currency:
        out.write("no objectives\n")
    else:
        out.writelines(f"{one}\n" for one in _lines(view))
    return OK


def _lines(view: ObjectivesView) -> list[str]:
    what = ",".join(view.symbols) or "everything"
    gain = "not known yet" if view.gain is None else f"{amount(view.gain)} {view.currency}"
    lines = [f"{view.phase}: {what} in {view.currency}; gain {gain}"]
    if view.target_profit is not None:
        lines.append(f"target profit {amount(view.target_profit)}: then {view.then}")
    if view.loss_limit is not None:
        lines.append(f"loss limit {amount(view.loss_limit)}: then {view.then}")
    if view.ends_at_ns is not None:
        lines.append(f"ends at {moment_text(view.ends_at_ns)}: then {view.then}")
    if view.flat_at_ns is not None:
        lines.append(f"begins to flatten at {moment_text(view.flat_at_ns)}")
    if view.reached:
        lines.append(f"reached: {view.reached}")
    if view.note:
        lines.append(f"note: {view.note}")
    if view.phase == "flattening":
        lines += [f"still open: {one}" for one in view.open_positions]
    return lines


@objectives.command
def clear(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Have no objectives any more; what one of them stopped trades again."""
    return finish(lambda: tell_desk(home_of(home), ClearObjectives(), sys.stdout, as_json=json))
