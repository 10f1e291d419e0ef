"""Objectives of a desk: a profit, a loss or a time at which it stops, or closes everything.

The argument: what is reached is judged by prices that are young enough to trade by, so by a price
that nobody would trade at, nothing is stopped or sold. From then on the desk only reduces, so
whatever else happens, an account's positions only shrink. Flattening cancels everything, and closes
a position only when nothing of its instrument is open on that account any more: the cancels are
confirmed, and what traded meanwhile is counted. Each close is an ordinary order, within the limits,
and is repeated until the venue's word is that nothing is held, or a person clears the objectives.
"""

from decimal import Decimal
from typing import Final

from tandem.core.trading import canceling, limiting, netting, order_room, planning
from tandem.core.trading.algos import flat_by
from tandem.core.trading.limit_book import Cause, Reason
from tandem.core.trading.objective_state import Kept, ObjectivePhase, Objectives
from tandem.core.trading.state import Seat
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.commands import (
    Answer,
    AtObjective,
    Done,
    RefusalReason,
    Refused,
    SetObjectives,
)
from tandem.domain.desk import SECOND, Alert
from tandem.domain.ids import CommandId, InstrumentId, Lots, ParentId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import ZERO, add, multiply, subtract
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec

RETRY_NS: Final = SECOND // 2
LOOK_NS_MAX: Final = 3_600 * SECOND
STRATEGY: Final = "flatten"  # what its orders are counted under in statements
KEY: Final = ParentId("objectives")
_WATCHING: Final = ObjectivePhase.WATCHING  # asked with every quote


def set_objectives(turn: Turn, command: SetObjectives) -> Answer:
    """Have these objectives from now on, instead of earlier ones."""
    text = _objection(turn, command)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_OBJECTIVE, text=text)
    _forget(turn)
    market_ns = turn.now.market_ns
    flat_by_ns = command.flat_by_market_ns
    if command.flat_after_ns is not None:
        flat_by_ns = market_ns + command.flat_after_ns
    lead_ns = 0 if flat_by_ns is None else flat_by.lead_ns(flat_by_ns - market_ns)
    turn.state.objectives = Objectives(
        spec=command,
        phase=ObjectivePhase.WATCHING,
        set_at_ns=market_ns,
        flat_at_ns=None if flat_by_ns is None else flat_by_ns - lead_ns,
        ends_at_ns=None if command.lasts_ns is None else market_ns + command.lasts_ns,
    )
    turn.count("objectives_set")
    _count_gain(turn)
    _look_in(turn)
    return Done(text="objectives are set")


def _objection(turn: Turn, command: SetObjectives) -> str | None:
    instruments = turn.rules.settings.instruments
    currencies = dict.fromkeys(one.quote for one in instruments)
    if command.currency not in currencies:
        return f"no currency {command.currency!r}; there are {', '.join(currencies)}"
    for symbol in command.symbols:
        if not any((one.symbol, one.quote) == (symbol, command.currency) for one in instruments):
            return f"no symbol {symbol!r} is traded in {command.currency}"
    by_ns = command.flat_by_market_ns
    if by_ns is not None and by_ns <= turn.now.market_ns:
        return "flat_by is over: expected a moment to come, in the market's time"
    return None


def clear(turn: Turn) -> Answer:
    """Have no objectives any more; what one of them stopped trades again."""
    if turn.state.objectives.spec is None:
        return Done(text="there were no objectives")
    _forget(turn)
    return Done(text="objectives are cleared")


def _forget(turn: Turn) -> None:
    turn.state.objectives = Objectives()
    if Cause.OBJECTIVE in turn.state.limits.desk.reasons:
        limiting.end(turn, None, Cause.OBJECTIVE)


def renew(turn: Turn) -> None:
    """After a start every alarm is set anew, and CLOCK_BOOTTIME may be another."""
    turn.state.objectives.retry_at_ns = 0
    _look_in(turn)


def _look_in(turn: Turn) -> None:
    """Be woken at the next moment that matters."""
    state = turn.state.objectives
    times = [one for one in (state.flat_at_ns, state.ends_at_ns) if one is not None]
    if state.phase is ObjectivePhase.FLATTENING:
        after_ns = RETRY_NS
    elif state.phase is ObjectivePhase.WATCHING and times:
        # A time far away is looked at more often, so that no wait is longer than can be counted.
        left_ns = min(max(1, min(times) - turn.now.market_ns), LOOK_NS_MAX)
        after_ns = turn.rules.life_ns(left_ns)
    else:
        return
    state.alarm_at_ns = turn.now_ns + after_ns
    turn.wait(Alarm.OBJECTIVES, KEY, after_ns=after_ns)


def on_alarm(turn: Turn) -> None:
    """It may be time: look, and be woken again while there is something to see."""
    state = turn.state.objectives
    if turn.now_ns < state.alarm_at_ns:
        return  # an alarm of earlier objectives; a later one stands
    if state.phase is ObjectivePhase.WATCHING:
        _watch_clock(turn, state)
    if state.is_flattening:
        turn.touch(KEY)
    _look_in(turn)


def on_prices(turn: Turn) -> None:
    """The market moved: see whether a time, a profit or a loss is reached."""
    state = turn.state.objectives
    if state.phase is not _WATCHING:
        return
    _count_gain(turn)
    if not _watch_clock(turn, state):
        _watch_gain(turn, state)


def _watch_gain(turn: Turn, state: Objectives) -> None:
    spec, gain = state.spec, state.gain
    assert spec is not None, "it watches"
    if gain is None or state.note:
        return
    flattens = spec.then is AtObjective.FLATTEN
    if spec.target_profit is not None and gain >= spec.target_profit:
        text = f"profit of {gain:f} {spec.currency}, the target is {spec.target_profit:f}"
        _reach(turn, text, flattens=flattens)
    elif spec.loss_limit is not None and gain <= -spec.loss_limit:
        text = f"loss of {-gain:f} {spec.currency}, the limit is {spec.loss_limit:f}"
        _reach(turn, text, flattens=flattens)


def _watch_clock(turn: Turn, state: Objectives) -> bool:
    """Return whether a time has come."""
    market_ns = turn.now.market_ns
    if state.flat_at_ns is not None and market_ns >= state.flat_at_ns:
        _reach(turn, "it is time to be flat", flattens=True)
        return True
    if state.ends_at_ns is not None and market_ns >= state.ends_at_ns:
        assert state.spec is not None, "it watches"
        _reach(turn, "the time is over", flattens=state.spec.then is AtObjective.FLATTEN)
        return True
    return False


def _reach(turn: Turn, text: str, *, flattens: bool) -> None:
    state = turn.state.objectives
    state.reached, state.note = text, ""
    state.phase = ObjectivePhase.STOPPED
    limiting.begin(turn, None, Cause.OBJECTIVE, Reason(f"objective reached: {text}"))
    turn.count("objectives_reached")
    doing = "only what reduces a position may trade"
    if flattens:
        state.phase = ObjectivePhase.FLATTENING
        canceling.cancel_all(turn, f"objective reached: {text}")
        doing = "everything is canceled and closed"
        turn.touch(KEY)
        _look_in(turn)
    turn.out.append(Alert(text=f"objective reached: {text}; {doing}"))


# -- the gain


def _count_gain(turn: Turn) -> None:
    """Count the gain anew, if every price is young enough; else say which one is not."""
    state = turn.state.objectives
    found = _gain(turn, state)
    if isinstance(found, str):
        state.note = found
        return
    state.note = ""
    if state.baseline is None:
        state.baseline = found
        if state.spec is not None and state.spec.of_trades:
            state.kept = _held(turn, state)
    state.gain = subtract(subtract(found, state.baseline), _gain_of_kept(turn, state))


def _held(turn: Turn, state: Objectives) -> dict[InstrumentId, Kept]:
    kept: dict[InstrumentId, Kept] = {}
    for held in turn.state.positions.values():
        for instrument_id, position in held.items():
            instrument = turn.rules.instruments[instrument_id]
            if is_meant(state, instrument):
                one = kept.setdefault(instrument_id, Kept(0, _reference(turn, instrument)))
                one.lots += position.quantity
    return kept


def _gain_of_kept(turn: Turn, state: Objectives) -> Decimal:
    """Return what lots held before would have gained by now, had they been kept."""
    total = ZERO
    for instrument_id, one in state.kept.items():
        instrument = turn.rules.instruments[instrument_id]
        moved = Decimal(one.lots * (_reference(turn, instrument) - one.reference))
        steps = add(moved, one.correction)
        total = add(total, multiply(instrument.step_value, steps))
    return total


def _gain(turn: Turn, state: Objectives) -> Decimal | str:
    total = ZERO
    for opening in turn.state.openings:
        instrument = turn.rules.instruments[opening.instrument_id]
        if is_meant(state, instrument):
            return f"no price of {instrument.symbol} yet: no profit or loss is judged"
    for held in turn.state.positions.values():
        for instrument_id, position in held.items():
            instrument = turn.rules.instruments[instrument_id]
            if not is_meant(state, instrument):
                continue
            text = _stale(turn, instrument) if position.quantity else None
            if text is not None:
                return text
            steps, reference = position.realized, _reference(turn, instrument)
            if position.quantity:
                side = 1 if position.quantity > 0 else -1
                value = Decimal(abs(position.quantity) * reference)
                steps = add(steps, multiply(subtract(value, position.cost), side))
            gained = add(multiply(instrument.step_value, steps), position.income)
            total = add(total, subtract(gained, position.fees))
    return total


def is_meant(state: Objectives, instrument: Instrument) -> bool:
    """Whether the objectives are about this instrument."""
    spec = state.spec
    assert spec is not None, "there are objectives"
    return instrument.quote == spec.currency and (
        not spec.symbols or instrument.symbol in spec.symbols
    )


def _reference(turn: Turn, instrument: Instrument) -> Ticks:
    return turn.state.exposure.holdings[instrument.instrument_id].reference or Ticks(0)


def _stale(turn: Turn, instrument: Instrument) -> str | None:
    """Why this instrument's price must not be acted upon."""
    holding = turn.state.exposure.holdings[instrument.instrument_id]
    if holding.reference is None:
        return f"no price of {instrument.symbol} yet: no profit or loss is judged"
    age_ns = turn.now.market_ns - holding.reference_market_ns
    if age_ns > turn.rules.limits.max_reference_age_ns:
        return f"the price of {instrument.symbol} is {age_ns // SECOND} s old: nothing is judged"
    return None


# -- flattening


def advance(turn: Turn) -> None:
    """Close what is still held, where nothing else is open; say why not, or that all is flat."""
    state = turn.state.objectives
    if state.phase is not ObjectivePhase.FLATTENING or turn.now_ns < state.retry_at_ns:
        return
    held, notes = 0, list[str]()
    for seat in turn.state.seats.values():
        books = turn.state.ledger.accounts.get(seat.account_id)
        for instrument_id, lots in list(books.lots.items()) if books is not None else ():
            instrument = turn.rules.instruments[instrument_id]
            if lots and is_meant(state, instrument):
                held += 1
                why = _close(turn, seat, instrument, lots)
                if why is not None:
                    notes.append(f"{instrument.symbol} on {seat.account_id}: {why}")
    if held or _has_open(turn):
        more = f", and {len(notes) - 1} more" if len(notes) > 1 else ""
        state.note = f"{notes[0]}{more}" if notes else ""
        return
    state.phase, state.note = ObjectivePhase.FLAT, ""
    turn.count("objectives_flat")
    turn.out.append(Alert(text=f"flat: {state.reached}"))


def _has_open(turn: Turn) -> bool:
    """Whether something could still trade: then nobody knows what is held."""
    return bool(turn.state.working or turn.state.running)


def _close(turn: Turn, seat: Seat, instrument: Instrument, lots: int) -> str | None:
    """Send the next order that closes this position; return why not."""
    for attempt in turn.attempts_on(seat.slot_id):
        if attempt.order.instrument_id == instrument.instrument_id:
            key = attempt.order.client_order_id
            return f"{key} waits for a person" if attempt.for_person else f"waits for {key}"
    text = _stale(turn, instrument)
    if text is not None:
        return text
    quantity = min(abs(lots), order_room.within_limits(turn, seat, instrument))
    if not quantity:
        return "not even one lot is within the limits"
    state = turn.state.objectives
    state.tries += 1
    state.retry_at_ns = turn.now_ns + RETRY_NS
    spec = ParentSpec(
        symbol=instrument.symbol,
        side=Side.SELL if lots > 0 else Side.BUY,
        quantity=Lots(quantity),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        slots=(seat.slot_id,),
        strategy=STRATEGY,
    )
    opened = planning.open_parent(turn, CommandId(KEY), spec)
    if isinstance(opened, Refused):
        return opened.text
    opened.claims = netting.claims_of_exit(turn, seat.slot_id, instrument, spec)
    return None
