"""`tandem strategy explain`: what a decision was made of, and whether it is the same again."""

import sys
from typing import TYPE_CHECKING, Annotated, Final, TextIO

from cyclopts import Parameter

from tandem.cli.calling import HomeOption, JsonOption, finish, home_of
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import write_json
from tandem.cli.strategy_text import order_text, position_text
from tandem.cli.typed import moment_text, time_ns
from tandem.domain.bars import Bar
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, AssignmentId
from tandem.wiring.strategies import require_strategies

if TYPE_CHECKING:  # what computes is loaded when something is computed
    from tandem.wiring.explaining import Explained, NothingDecidedError, Stopped

_LABEL: Final = 12
Id = Annotated[str, Parameter(help="An assignment's id, as 'tandem strategy list' shows it.")]
At = Annotated[
    str | None,
    Parameter(
        name="--at",
        help="Its last decision on a bar that began by then, UTC, such as 2018-04-05T09:30; "
        "its last of all without.",
    ),
]


def explain_command(
    assignment: Id, /, *, at: At = None, home: HomeOption = None, json: JsonOption = False
) -> int:
    """Show what a decision was made of, and make it again: 1 when it is not the same, or none.

    Of a strategy that was suspended since, or that decided nothing, the bar and the reason.
    """

    async def act() -> int:
        require_strategies()
        from tandem.wiring.explaining import NothingDecidedError, explain

        at_ns = None if at is None else time_ns(at, option="--at")
        try:
            found = await explain(home_of(home), AssignmentId(assignment), at_ns, _say)
        except NothingDecidedError as error:
            if error.stopped is None:
                raise
            return write_stopped(assignment, error, sys.stdout, as_json=json)
        return write_explained(found, sys.stdout, as_json=json)

    return finish(act)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def write_explained(found: "Explained", out: TextIO, *, as_json: bool) -> int:
    """Write a decision, what was given for it, and what came of the same again; the exit code."""
    code = OK if found.is_same else FAILED
    if as_json:
        verdict = {"is_same_inputs": found.is_same_inputs, "is_same": found.is_same}
        write_json({"explained": found, **verdict}, out)
        return code
    recorded = found.recorded
    assignment, instrument = recorded.rostered.assignment, recorded.rostered.instrument
    bar, decision = recorded.asked.bar, recorded.decision
    out.write(
        f"{assignment.assignment_id}: {assignment.name} on the {bar.span} bar of "
        f"{instrument.symbol} that began {moment_text(bar.begin_ns)}\n\n"
    )
    parameters = ", ".join(f"{name}={value}" for name, value in assignment.parameters.items())
    rows = [
        ("text", f"{recorded.text.language} {assignment.text_hash}"),
        ("parameters", parameters or "none"),
        ("position", f"{position_text(recorded.position_ppm)} of a full one"),
        ("state", recorded.state),
        ("bar", f"number {recorded.asked.task_id.number}: {_bar_text(bar, instrument)}"),
        ("history", f"{found.bars} bars, this one included"),
        *_other_rows(found),
        ("hash", decision.inputs_hash),
    ]
    _write("given", rows, out)
    _write("decided", _answer_rows(decision.answer, recorded.lines, instrument), out)
    again = [("inputs", "the same" if found.is_same_inputs else f"other: {found.inputs_hash}")]
    if found.answer is None:
        again.append(("answer", f"none: {found.why}"))
    elif (found.answer, found.lines) == (decision.answer, recorded.lines):
        again.append(("answer", "the same"))
    else:
        again += _answer_rows(found.answer, found.lines, instrument)
    _write("again", again, out)
    if recorded.stopped is not None:
        _write("since", _stopped_rows(recorded.stopped), out)
    return code


def write_stopped(
    assignment: str, error: "NothingDecidedError", out: TextIO, *, as_json: bool
) -> int:
    """Write why an assignment has decided nothing at all; the exit code."""
    stopped = error.stopped
    assert stopped is not None, "else there is nothing to write"
    if as_json:
        write_json({"stopped": stopped}, out)
    else:
        out.write(f"{assignment}: nothing was decided\n")
        _write(f"on {error.symbol}", _stopped_rows(stopped), out)
    return FAILED


def _stopped_rows(stopped: "Stopped") -> list[tuple[str, str]]:
    bar = stopped.bar
    what = "suspended, until it is assigned anew" if stopped.is_suspended else "passed over"
    return [
        ("bar", f"number {stopped.number}, {bar.span}, began {moment_text(bar.begin_ns)}"),
        ("was", what),
        ("reason", stopped.reason),
    ]


def _other_rows(found: "Explained") -> list[tuple[str, str]]:
    told = {one.instrument_id: one.number for one in found.recorded.others}
    return [
        (
            one.symbol,
            f"{found.others[one.symbol]} bars that were over when it began, "
            f"of the first {told.get(one.instrument_id, 0)} published",
        )
        for one in found.recorded.rostered.others
        if one.symbol in found.others
    ]


def _write(head: str, rows: list[tuple[str, str]], out: TextIO) -> None:
    out.write(f"{head}\n")
    out.writelines(f"  {label:<{_LABEL}}{text}\n" for label, text in rows)


def _bar_text(bar: Bar, instrument: Instrument) -> str:
    prices = zip(
        ("open", "high", "low", "close"), (bar.open, bar.high, bar.low, bar.close), strict=True
    )
    words = [f"{name} {instrument.price_text(price)}" for name, price in prices]
    words.append(f"volume {instrument.quantity_text(bar.volume)}")
    return ", ".join([*words, "filled"] if bar.is_filled else words)


def _answer_rows(
    answer: Answer, lines: tuple[str, ...], instrument: Instrument
) -> list[tuple[str, str]]:
    if answer.error is not None:
        rows = [("error", answer.error)]
    else:
        kept = answer.position_ppm is None
        rows = [("wants", "what it wanted" if kept else position_text(answer.position_ppm or 0))]
        for name, price in (("stop", answer.stop_price), ("target", answer.target_price)):
            if price is not None:
                rows.append((name, instrument.price_text(price)))
        rows += [("order", order_text(one, instrument)) for one in answer.orders]
        rows.append(("state", answer.state))
    return rows + [("logged", line) for line in lines]
