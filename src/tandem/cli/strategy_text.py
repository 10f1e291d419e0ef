"""Strategies on the screen."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TextIO

from tandem.cli.main import OK
from tandem.cli.printing import plain, table, write_json
from tandem.cli.strategy_gains import Gains
from tandem.cli.typed import moment_text
from tandem.domain.halting import EvaluatedAssignment
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import FULL_PPM, AssignmentId, StrategyText, WantedOrder
from tandem.domain.strategy_views import (
    AssignmentView,
    DecisionsView,
    HeldView,
    StrategiesView,
)
from tandem.strategies.shipped import sentence, shipped

Evaluations = Mapping[AssignmentId, EvaluatedAssignment]
_UNKNOWN: Final = "not known, no market process answers here"


def write_strategies(
    view: StrategiesView, out: TextIO, evaluated: Evaluations | None = None, *, as_json: bool
) -> int:
    """Write what is assigned, then what is saved; return the exit code.

    `evaluated` is how far assignments are, None where nobody evaluates.
    """
    if as_json:
        whole = plain(view)
        assert isinstance(whole, dict)
        ids = [one.assignment.assignment_id for one in view.assignments]
        known = None if evaluated is None else [evaluated[one] for one in ids if one in evaluated]
        write_json(whole | {"evaluated": known}, out)
        return OK
    if view.assignments:
        heads = ["assignment", "strategy", "symbol", "bars", ">wants", "holds"]
        rows = [
            _row(one, (evaluated or {}).get(one.assignment.assignment_id))
            for one in view.assignments
        ]
        out.write(table([*heads, "evaluated until", "last told until", "state"], rows))
        out.write("\n" if evaluated is not None else f"evaluated until: {_UNKNOWN}\n\n")
    if not view.texts:
        out.write("no strategies are saved; save one with 'tandem strategy save FILE'\n")
        return OK
    rows = [
        (name, one.language.value, one.text_hash[:12], "" if one.names else "older")
        for one in view.texts
        for name in one.names or (one.name,)
    ]
    out.write(table(("saved", "language", "text", ""), rows))
    return OK


def _row(one: AssignmentView, evaluated: EvaluatedAssignment | None) -> tuple[str, ...]:
    assignment = one.assignment
    return (
        assignment.assignment_id,
        assignment.name,
        assignment.symbol,
        assignment.span.value,
        position_text(one.position_ppm),
        ", ".join(_held_text(each) for each in one.held) or "-",
        _moment_text(None if evaluated is None else evaluated.end_ns),
        _moment_text(one.end_ns),
        state_text(one, evaluated),
    )


def _moment_text(at_ns: int | None) -> str:
    return "-" if at_ns is None else moment_text(at_ns)


def position_text(position_ppm: int) -> str:
    """Return a wanted position as a share of a full one."""
    return f"{(Decimal(position_ppm) / FULL_PPM).normalize():f}"


def order_text(order: WantedOrder, instrument: Instrument) -> str:
    """Return an order that a strategy wants, in words."""
    words = [order.side.value, instrument.quantity_text(order.quantity)]
    prices = (
        ("limit", order.limit_price),
        ("stop", order.stop_price),
        ("target", order.target_price),
    )
    words += [f"{name} {instrument.price_text(one)}" for name, one in prices if one is not None]
    return " ".join(words)


def _held_text(held: HeldView) -> str:
    if held.wanted_lots == held.held_lots:
        return f"{held.slot_id} {held.held}"
    return f"{held.slot_id} {held.held} of {held.wanted}"


def state_text(one: AssignmentView, evaluated: EvaluatedAssignment | None = None) -> str:
    """Return how an assignment stands, in a few words."""
    said = []
    if one.suspended is not None:
        said.append(f"suspended: {one.suspended}")
    if one.leaving:
        said.append("leaving")
    if one.exits and not one.leaving and not any(each.wanted_lots for each in one.held):
        said.append(f"flat: {one.exits}")
    said += [f"{each.slot_id}: {each.note}" for each in one.held if each.note]
    if one.dropped:
        said.append(f"{one.dropped} dropped")
    if evaluated is not None and evaluated.is_stale:
        said.append("its prices are stale")
    if evaluated is not None and evaluated.is_behind:
        said.append("a bar is not evaluated yet")
    if said:
        return "; ".join(said)
    is_silent = evaluated is not None and evaluated.end_ns is not None
    if one.end_ns is None:
        return "has told nothing yet" if is_silent else "waits for its first decision"
    return "ok"


def write_assignment(
    one: AssignmentView,
    out: TextIO,
    evaluated: Evaluations | None = None,
    gains: Gains | None = None,
    *,
    as_json: bool,
) -> int:
    """Write one assignment in full, in JSON with what it gained; return the exit code."""
    at = (evaluated or {}).get(one.assignment.assignment_id)
    if as_json:
        whole = plain(one)
        assert isinstance(whole, dict)
        whole["evaluated"] = at
        write_json(whole if gains is None else whole | {"gains": gains}, out)
        return OK
    assignment = one.assignment
    lines = [
        f"{assignment.assignment_id}: {assignment.name} decides {assignment.symbol} "
        f"on {assignment.span.value} bars",
        f"accounts: {', '.join(assignment.slots) or 'all'}",
        f"text: {assignment.text_hash}",
        f"state: {state_text(one, at)}",
        f"wants: {position_text(one.position_ppm)} of a full position",
    ]
    if assignment.parameters:
        words = ", ".join(f"{name}={value}" for name, value in assignment.parameters.items())
        lines.append(f"parameters: {words}")
    if evaluated is None:
        lines.append(f"evaluated until: {_UNKNOWN}")
    elif at is not None and at.end_ns is not None:
        lines.append(f"evaluated until: {moment_text(at.end_ns)}")
    if one.end_ns is not None:
        # The decider tells what is new or was not reached, so this may be long ago.
        again = "the same again is not told; its last decision: 'tandem strategy explain'"
        lines.append(f"last told: of the bar that ended {moment_text(one.end_ns)} ({again})")
    lines += [f"holds: {_held_text(each)} on {each.account_id}" for each in one.held]
    out.writelines(f"{line}\n" for line in lines)
    return OK


def write_text(text: StrategyText, out: TextIO, *, as_json: bool) -> int:
    """Write a saved strategy as it was written; return the exit code."""
    if as_json:
        write_json(text, out)
    else:
        out.write(text.text if text.text.endswith("\n") else f"{text.text}\n")
    return OK


def write_decisions(view: DecisionsView, out: TextIO, *, as_json: bool) -> int:
    """Write the log, the latest first; return the exit code."""
    if as_json:
        write_json(view, out)
        return OK
    rows = [
        (
            moment_text(one.market_ns),
            one.assignment_id,
            "-" if one.begin_ns is None else moment_text(one.begin_ns),
            one.what,
            one.text,
        )
        for one in view.decisions
    ]
    if rows:
        out.write(table(("at", "assignment", "bar from", "what", ""), rows))
    else:
        out.write("nothing was decided yet\n")
    return OK


def write_shipped(out: TextIO, *, as_json: bool) -> int:
    """Write what comes along; return the exit code."""
    rows = [(one.name, one.language.value, sentence(one)) for one in shipped().values()]
    if as_json:
        heads = ("name", "language", "does")
        write_json([dict(zip(heads, row, strict=True)) for row in rows], out)
    else:
        out.write(table(("name", "language", ""), rows))
    return OK
