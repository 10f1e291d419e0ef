"""`tandem strategy`: texts that are saved, where they decide, and what came of it."""

import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cyclopts import App, Parameter

from tandem.cli.asking import ask_desk, tell_desk, write_answer
from tandem.cli.bars import Which
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import BAD_INPUT, OK
from tandem.cli.strategy_explain import explain_command
from tandem.cli.strategy_gains import assignment_gains, gains_lines, gains_of, write_gains
from tandem.cli.strategy_run import run
from tandem.cli.strategy_text import (
    write_assignment,
    write_decisions,
    write_shipped,
    write_strategies,
    write_text,
)
from tandem.cli.strategy_words import (
    AssignOptions,
    assignment_of,
    is_file,
    judged_parameters,
    text_of,
)
from tandem.cli.typed import Choice
from tandem.domain.algos import Leaving
from tandem.domain.commands import Answer, Assign, Refused, SaveStrategy, Unassign
from tandem.domain.strategies import AssignmentId, StrategyText, TextHash
from tandem.domain.strategy_views import AssignmentView, DecisionsView, StrategiesView
from tandem.strategies.shipped import shipped as shipped_texts
from tandem.wiring.asking import DeskLine
from tandem.wiring.evaluators import ask_evaluated
from tandem.wiring.names import fresh_command
from tandem.wiring.strategies import is_installed, require_strategies

app = new_app()
strategy = App(name="strategy", help="Save strategies, let them decide, see what they hold.")
app.command(strategy)
strategy.command(explain_command, name="explain")
strategy.command(run)
LIMIT_MAX: Final = 1_000
_ALL_BARS: Final = Which()
File = Annotated[Path, Parameter(help="The strategy, in Lua (.lua) or Python (.py).")]
Name = Annotated[str | None, Parameter(help="What it is called; like its file without.")]
What = Annotated[
    str, Parameter(help="An assignment, a strategy's name, or how its text's hash begins.")
]
Source = Annotated[
    str,
    Parameter(help="A file in Lua (.lua) or Python (.py), or a name: saved, or that comes along."),
]
Shipped = Annotated[bool, Parameter(negative="", help="Those that come with Tandem instead.")]
OfSymbol = Annotated[str | None, Parameter(help="Only what is assigned to this symbol.")]
Symbol = Annotated[str, Parameter(help="What it trades.")]
Id = Annotated[str, Parameter(help="Its id, as 'tandem strategy list' shows it.")]
After = Annotated[
    Literal["flatten", "keep"],
    Parameter(help="Trade back what it holds, or leave it on the accounts."),
]
Only = Annotated[str | None, Parameter(help="Only this assignment's.")]
Limit = Annotated[int, Parameter(help="How many, at most.")]
Equity = Annotated[
    bool,
    Parameter(negative="", help="What it has gained instead: equity, drawdown, trades."),
]


@strategy.command(name="list")
def list_(
    *,
    shipped: Shipped = False,
    symbol: OfSymbol = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """List what is assigned, with what it wants and holds, and what is saved."""

    async def act() -> int:
        if shipped:
            return write_shipped(sys.stdout, as_json=json)
        view = await ask_desk(home_of(home), roster)
        if symbol is not None:
            view = on_symbol(view, symbol)
        evaluated = await ask_evaluated(home_of(home))
        return write_strategies(view, sys.stdout, evaluated, as_json=json)

    return finish(act)


def on_symbol(view: StrategiesView, symbol: str) -> StrategiesView:
    """Return what is assigned to one symbol, with the texts that decide there.

    Raises:
        BadInputError: nothing is.
    """
    found = tuple(one for one in view.assignments if one.assignment.symbol == symbol)
    if not found:
        names = sorted({one.assignment.symbol for one in view.assignments})
        raise BadInputError(
            f"--symbol {symbol}: nothing is assigned to it; assigned are: "
            f"{', '.join(names) or 'none'}"
        )
    used = {one.assignment.text_hash for one in found}
    texts = tuple(one for one in view.texts if one.text_hash in used)
    return msgspec.structs.replace(view, texts=texts, assignments=found)


async def roster(line: DeskLine) -> StrategiesView:
    """Return all that is saved and assigned; begun again when it changes on the way."""
    view = await line.strategies()
    texts, assignments = list(view.texts), list(view.assignments)
    while max(len(texts), len(assignments)) < max(view.texts_total, view.assignments_total):
        more = await line.strategies(begin=max(len(texts), len(assignments)))
        if more.version != view.version:
            return await roster(line)
        texts += more.texts
        assignments += more.assignments
    return msgspec.structs.replace(view, texts=tuple(texts), assignments=tuple(assignments))


@strategy.command
def save(
    file: File,
    *,
    name: Name = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Save a strategy without errors; its name means this text from now on.

    What is assigned keeps the text that it was assigned with: assign it again to change it.
    """

    async def act() -> int:
        command = SaveStrategy(text=_checked(file, text_of(file, name)))
        return await tell_desk(home_of(home), command, sys.stdout, as_json=json)

    return finish(act)


@strategy.command
def show(
    what: What, *, equity: Equity = False, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Show an assignment and what it has gained, or a saved strategy's text.

    Gains are found in the coordinator's journal, as 'tandem statement' finds them; with --equity
    no coordinator is needed.
    """

    async def act() -> int:
        place = home_of(home)
        if equity:
            return write_gains(gains_of(place, what), sys.stdout, as_json=json)

        async def ask(line: DeskLine) -> AssignmentView | StrategyText:
            view = await roster(line)
            for one in view.assignments:
                if one.assignment.assignment_id == what:
                    return one
            return (await line.texts([saved_as(view, what)[1]])).texts[0]

        found = await ask_desk(place, ask)
        if isinstance(found, StrategyText):
            return write_text(found, sys.stdout, as_json=json)
        evaluated = await ask_evaluated(place)
        if json:
            gains = assignment_gains(place, what)
            return write_assignment(found, sys.stdout, evaluated, gains, as_json=True)
        write_assignment(found, sys.stdout, evaluated, as_json=False)
        sys.stdout.flush()  # a long journal takes its time
        sys.stdout.writelines(f"{line}\n" for line in gains_lines(assignment_gains(place, what)))
        return OK

    return finish(act)


def _checked(file: Path, text: StrategyText) -> StrategyText:
    """Return a text without errors; where strategies cannot be run nobody can tell.

    Raises:
        BadInputError: it has an error.
    """
    if is_installed():
        from tandem.cli.strategy_trying import refuse_errors

        refuse_errors(file, text)
    return text


def saved_as(view: StrategiesView, what: str) -> tuple[str, TextHash]:
    """Return the name and the hash of a saved text: the newest of a name, or that of a hash.

    Raises:
        BadInputError: there is none, or there are several.
    """
    named = [one for one in view.texts if what in one.names]
    if named:
        return what, named[0].text_hash
    found = [one for one in view.texts if one.text_hash.startswith(what)]
    if len(found) == 1 and what:
        return (*found[0].names, found[0].name)[0], found[0].text_hash
    names = ", ".join(sorted({name for one in view.texts for name in one.names})[:30]) or "none"
    why = "several begin so" if found and what else f"saved are {names}"
    raise BadInputError(f"no strategy {what!r}: {why}")


@strategy.command
def assign(
    what: Source,
    symbol: Symbol,
    *,
    options: AssignOptions | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Let a strategy decide on every finished bar of a symbol; it takes effect within a second.

    A file is checked and saved first, and so is one that comes along. One of the same id is
    replaced, and what it holds is kept.
    """
    chosen = options or AssignOptions()
    command_id = fresh_command("assign")

    async def ask(line: DeskLine, given: StrategyText | None) -> Answer:
        choice = Choice(await line.catalogue())
        source = given or source_of(await roster(line), what)
        if not isinstance(source, StrategyText):
            assignment = assignment_of(source, symbol, chosen, choice)
            for text in (await line.texts([source[1]])).texts:
                judged_parameters(assignment.parameters, text)
        else:
            assignment = assignment_of((source.name, source.text_hash), symbol, chosen, choice)
            judged_parameters(assignment.parameters, source)
            answer = await line.command(fresh_command("save"), SaveStrategy(text=source))
            if isinstance(answer, Refused):
                return answer
        return await line.command(command_id, Assign(assignment=assignment))

    async def act() -> int:
        given = _checked(Path(what), text_of(Path(what))) if is_file(what) else None
        answer = await ask_desk(home_of(home), lambda line: ask(line, given))
        return write_answer(answer, sys.stdout, as_json=json, command_id=command_id)

    return finish(act)


def source_of(view: StrategiesView, what: str) -> StrategyText | tuple[str, TextHash]:
    """Return what a name means: what is saved under it, else what comes along, else a hash.

    Raises:
        BadInputError: it means nothing, or several.
    """
    is_saved = any(what in one.names for one in view.texts)
    along = None if is_saved else shipped_texts().get(what)
    return along or saved_as(view, what)


@strategy.command
def unassign(
    assignment: Id,
    *,
    leaving: After = "flatten",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Let an assignment decide no more."""
    command = Unassign(assignment_id=AssignmentId(assignment), leaving=Leaving(leaving))
    return finish(lambda: tell_desk(home_of(home), command, sys.stdout, as_json=json))


@strategy.command
def log(
    assignment: Only = None,
    *,
    limit: Limit = 100,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show what came of decisions, the latest first: taken, dropped, stops, orders, failures."""
    if not 1 <= limit <= LIMIT_MAX:
        sys.stderr.write(f"tandem: --limit {limit}: expected 1 to {LIMIT_MAX}\n")
        return BAD_INPUT

    async def act() -> int:
        only = None if assignment is None else AssignmentId(assignment)
        view = await ask_desk(home_of(home), lambda line: decisions(line, only, limit))
        return write_decisions(view, sys.stdout, as_json=json)

    return finish(act)


async def decisions(line: DeskLine, only: AssignmentId | None, limit: int) -> DecisionsView:
    """Return the latest lines of the log.

    Raises:
        BadInputError: they are to be of an assignment that is none, and has none.
    """
    view = await line.decisions(only, limit)
    if only is not None and not view.decisions:
        known = [one.assignment.assignment_id for one in (await roster(line)).assignments]
        if only not in known:
            there = ", ".join(sorted(known)[:30]) or "none"
            raise BadInputError(f"nothing is assigned as {only!r}; there are {there}")
    return view


@strategy.command
def check(files: list[Path], /, *, json: JsonOption = False) -> int:
    """Say what is wrong with strategies, by line and column, without running them.

    Args:
        files: Strategies in Lua (.lua) or Python (.py).
        json: Print JSON.
    """

    async def act() -> int:
        require_strategies()
        from tandem.cli.strategy_trying import write_problems

        texts = [(file, text_of(file)) for file in files]
        return write_problems(texts, sys.stdout, as_json=json)

    return finish(act)


@strategy.command
def new(file: Path, /, *, like: str | None = None) -> int:
    """Write a strategy to begin with.

    Args:
        file: A new file, such as mine.lua or mine.py.
        like: One that comes along, in Lua: see 'tandem strategy list --shipped'.
    """

    async def act() -> int:
        require_strategies()
        from tandem.cli.strategy_trying import write_new

        return write_new(file, like, sys.stdout)

    return finish(act)
