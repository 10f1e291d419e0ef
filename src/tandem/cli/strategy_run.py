"""`tandem strategy run`: what a strategy wants over stored or recorded bars; nothing is traded."""

import heapq
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import msgspec
from cyclopts import Parameter

from tandem.cli.bars import Which, found_bars, imported
from tandem.cli.calling import JsonOption, finish, home_of
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import table, write_json
from tandem.cli.strategy_text import order_text, position_text
from tandem.cli.strategy_words import judged_parameters, parameters_of, text_or_shipped
from tandem.cli.typed import moment_text
from tandem.domain.bars import FinalBar, Span
from tandem.domain.deciding import Rostered
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Assignment, AssignmentId, Fixed, StrategyText
from tandem.ports import BarStore
from tandem.wiring.bars import reading
from tandem.wiring.home import Home
from tandem.wiring.strategies import require_strategies

if TYPE_CHECKING:  # what computes is loaded when something is computed
    from tandem.wiring.evaluating import Ask
    from tandem.wiring.trying import Tried

_HEADS: Final = ("begin", "close", "wants", "stop", "target", "besides")
_ALL: Final = Which()


@Parameter(name="*")
@dataclass(frozen=True)
class RunOptions:
    """As what it runs.

    Attributes:
        bars: A recording, as 'tandem bars import' takes it, instead of the bars of the home.
        param: A parameter of it, such as fast=10; as often as there are some.
        others: Symbols that it looks at besides, such as BTCUSD,ETHUSD.
        may_short: Let "short" be a negative position, as on margin accounts.
    """

    bars: str | None = None
    param: tuple[str, ...] = ()
    others: str = ""
    may_short: Annotated[bool, Parameter(negative="")] = False


_USUAL: Final = RunOptions()


def run(
    what: Path,
    symbol: str,
    /,
    *,
    which: Which = _ALL,
    options: RunOptions = _USUAL,
    json: JsonOption = False,
) -> int:
    """Run a strategy over bars and show each change of what it wants; 1 when it failed.

    It is evaluated as in a pool, in a jail. Nothing is traded: there are no orders, fills or gains.

    Args:
        what: A strategy in Lua (.lua) or Python (.py), or the name of one that comes along.
        symbol: Whose bars, such as BTCUSD.
        which: Which of them.
        options: As what it runs.
        json: Print JSON.
    """

    async def act() -> int:
        require_strategies()
        from tandem.wiring.evaluating import evaluator_here

        text = text_or_shipped(what)
        with bars_at(home_of(which.home), options.bars) as store:
            trial = trial_of(text, symbol, which, options, store)
            async with evaluator_here(_say) as ask:
                found = await outcome_of(trial, text, store, ask)
        return write_outcome(found, sys.stdout, as_json=json)

    return finish(act)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@contextmanager
def bars_at(home: Home, place: str | None) -> Iterator[BarStore]:
    """Yield the bars of a home, or those of a recording, made as if it were brought into one.

    Raises:
        MarketFileError: the recording cannot be read.
        ConfigurationError: the home has no bars.
    """
    with TemporaryDirectory() if place is not None else nullcontext() as folder:
        if place is not None and folder is not None:
            home = Home(Path(folder))
            imported(home, [place])
        with closing(reading(home)) as store:
            yield store


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs, and over which bars: its own and those that it looks at besides, in order."""

    rostered: Rostered
    finals: list[FinalBar]


def trial_of(
    text: StrategyText, symbol: str, which: Which, options: RunOptions, store: BarStore
) -> Trial:
    """Return what was typed.

    Raises:
        BadInputError: a time or a parameter cannot be.
        ConfigurationError: there are no bars of a symbol.
    """
    names = tuple(one.strip() for one in options.others.split(",") if one.strip())
    listed = [found_bars(store, one, which) for one in (symbol, *names)]
    assignment = Assignment(
        assignment_id=AssignmentId(text.name),
        text_hash=text.text_hash,
        name=text.name,
        symbol=symbol,
        span=Span(which.span),
        sizing=Fixed(quantity=Lots(1)),
        parameters=judged_parameters(parameters_of(options.param), text),
        others=names,
        may_short=options.may_short,
    )
    (own, instrument), *others = listed
    rostered = Rostered(
        assignment=assignment,
        number=1,
        instrument=instrument,
        others=tuple(other for _, other in others),
    )
    finals = heapq.merge(own, *(one for one, _ in others), key=lambda one: one.bar.end_ns)
    return Trial(rostered=rostered, finals=list(finals))


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a run; `long`, `short` and `flat` count bars by what was wanted after them."""

    bars: int = 0
    changes: int = 0
    long: int = 0
    short: int = 0
    flat: int = 0
    error: str | None = None
    rows: list[tuple[str, ...]] = []


async def outcome_of(trial: Trial, text: StrategyText, store: BarStore, ask: "Ask") -> Outcome:
    """Run it to the end, or until it fails.

    Raises:
        TandemError: a bar could not be evaluated at all; says why.
    """
    from tandem.wiring.trying import tried

    found = Outcome()
    instrument = trial.rostered.instrument
    last = Answer(position_ppm=0)
    async for one in tried(text, trial.rostered, trial.finals, store, ask):
        found.bars += 1
        answer = one.answer or Answer()
        is_change = _wanted(answer) not in (_wanted(last), _KEPT)
        if is_change or answer.orders or answer.error or one.lines:
            found.rows.append(_row(one, is_change=is_change, instrument=instrument))
        if is_change:
            last = answer
        found.changes += is_change
        position_ppm = last.position_ppm or 0
        found.long += position_ppm > 0
        found.short += position_ppm < 0
        found.flat += position_ppm == 0
        found.error = answer.error
    return found


_KEPT: Final = (None, None, None)


def _wanted(answer: Answer) -> tuple[int | None, Ticks | None, Ticks | None]:
    if answer.position_ppm is None:
        return _KEPT
    return answer.position_ppm, answer.stop_price, answer.target_price


def _row(one: "Tried", *, is_change: bool, instrument: Instrument) -> tuple[str, ...]:
    answer = one.answer if one.answer is not None else Answer()
    wants, *prices = _wanted(answer) if is_change else _KEPT
    besides = [answer.error] if answer.error is not None else []
    besides += [order_text(one, instrument) for one in answer.orders]
    return (
        moment_text(one.bar.begin_ns),
        instrument.price_text(one.bar.close),
        "" if wants is None else position_text(wants),
        *("" if price is None else instrument.price_text(price) for price in prices),
        "; ".join([*besides, *one.lines]),
    )


def write_outcome(found: Outcome, out: TextIO, *, as_json: bool) -> int:
    """Write what came of a run; return the exit code: 1 when it failed, or had no bars."""
    code = OK if found.bars and found.error is None else FAILED
    if as_json:
        rows = [dict(zip(_HEADS, row, strict=True)) for row in found.rows]
        write_json({**msgspec.structs.asdict(found), "rows": rows}, out)
        return code
    if found.rows:
        out.write(table(("begin", ">close", ">wants", ">stop", ">target", "besides"), found.rows))
    shares = ", ".join(
        f"{name} {100 * count / found.bars:.1f} %"
        for name, count in (("long", found.long), ("short", found.short), ("flat", found.flat))
        if found.bars
    )
    out.write(f"{found.bars} bars, {found.changes} changes{': ' * bool(shares)}{shares}\n")
    if found.error is not None:
        out.write(f"it failed: {found.error}\n")
    out.write("nothing was traded: this is no backtest, and knows no fills, fees or gains\n")
    return code
