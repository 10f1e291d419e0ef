"""What a person does to the desk: cancel, halt, resume, swap, drain, resolve."""

from tandem.core.trading import (
    attempts,
    books,
    canceling,
    halts,
    netting,
    parting,
    planning,
    pool,
    replacing,
    tandem_orders,
)
from tandem.core.trading.algos import driver
from tandem.core.trading.plausible import is_execution
from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Ending
from tandem.core.trading.turn import Turn
from tandem.domain.commands import (
    Answer,
    CancelOrders,
    Done,
    DrainWorker,
    PauseOrder,
    RefusalReason,
    Refused,
    ReplaceOrder,
    ResolveOrder,
    ResumeOrder,
    SwapWorker,
)
from tandem.domain.ids import HaltId, Lots, ParentId, Ticks
from tandem.domain.link import Halt
from tandem.domain.reports import Filled


def cancel(turn: Turn, command: CancelOrders) -> Answer:
    """End one parent, pair or two-sided quote, or all of them."""
    if command.order_id is None:
        by_hand = not command.is_closing
        count = canceling.cancel_all(turn, "canceled", by_hand=by_hand)
        return Done(text=f"{count} orders are being canceled")
    key = ParentId(command.order_id)
    state = turn.state
    if key in state.parents:
        net = state.strategies.nets.get(state.parents[key].owner or key)
        if net is not None and net.parent_id == key:
            netting.give_up(turn, net, "canceled by hand", by_hand=True)
        planning.cancel_parent(turn, state.parents[key], "canceled")
    elif key in state.boths:
        tandem_orders.cancel_both(turn, state.boths[key], "canceled")
    elif key in state.pairs:
        tandem_orders.cancel_pair(turn, state.pairs[key], "canceled")
    elif key in state.algos:
        driver.cancel(turn, state.algos[key], "canceled")
    else:
        return _no_order(command.order_id)
    return Done(text=f"{command.order_id} is being canceled")


def _no_order(order_id: str) -> Refused:
    return Refused(reason=RefusalReason.UNKNOWN_ORDER, text=f"no order {order_id}")


def change(
    turn: Turn, command: PauseOrder | ResumeOrder | ReplaceOrder, closed: Refused | None
) -> Answer:
    """Pause or resume an algorithm, or replace an order; `closed` is why nothing new is taken."""
    key = ParentId(command.order_id)
    algo = turn.state.algos.get(key)
    if algo is None:
        parent = turn.state.parents.get(key)
        if isinstance(command, ReplaceOrder) and parent is not None:
            return replacing.replace(turn, parent, command, closed)
        if parent is not None or key in turn.state.boths or key in turn.state.pairs:
            text = f"{key} is no algorithm: cancel it, and place another"
            return Refused(reason=RefusalReason.BAD_ORDER, text=text)
        return _no_order(command.order_id)
    match command:
        case PauseOrder():
            return driver.pause(turn, algo)
        case ResumeOrder():
            return driver.resume(turn, algo)
        case _:
            return driver.replace(turn, algo, command)


def halt(turn: Turn, reason: str, halt_id: HaltId | None = None) -> Answer:
    """Refuse new orders and cancel all open ones; durable, until resumed."""
    state = turn.state
    if halt_id is not None:
        halts.note(turn, halt_id)
    state.exposure.state = TradingState.HALTED
    state.halt_reason = reason
    turn.count("halts")
    for worker in state.workers.values():
        turn.send(worker, Halt(on=True))
    count = canceling.cancel_all(turn, f"halted: {reason}")
    return Done(text=f"halted; {count} orders are being canceled")


def resume(turn: Turn) -> Answer:
    """Trade again."""
    state = turn.state
    if state.exposure.state is not TradingState.HALTED:
        return Done(text="trading was not halted")
    state.exposure.state = state.limits.desk.state
    state.halt_reason = ""
    for worker in state.workers.values():
        turn.send(worker, Halt(on=False))
        halts.lift(turn, worker)
    why = state.limits.desk.text
    said = f"trading, but only to reduce: {why}" if why else "trading"
    return Done(text=f"{said}; {', '.join(state.halted)} stays halted" if state.halted else said)


def swap(turn: Turn, command: SwapWorker) -> Answer:
    """End the process that fills a slot; the spare takes its account when it is dead."""
    seat = turn.state.seats.get(command.slot_id)
    if seat is None or seat.holder is None:
        text = f"no worker fills {command.slot_id}"
        return Refused(reason=RefusalReason.UNKNOWN_SLOT, text=text)
    worker = turn.state.workers[seat.holder]
    turn.count("swaps")
    parting.part_with(turn, worker)
    return Done(text=f"{worker.name} is being replaced on {command.slot_id}")


def drain(turn: Turn, command: DrainWorker) -> Answer:
    """Let the workers of that name hand their accounts over."""
    found = [one for one in turn.state.workers.values() if one.name == command.worker]
    if not found:
        text = f"no worker {command.worker}"
        return Refused(reason=RefusalReason.UNKNOWN_WORKER, text=text)
    turn.count("drains")
    for worker in found:
        pool.drain(turn, worker)
    return Done(text=f"{command.worker} takes no other account")


def resolve(turn: Turn, command: ResolveOrder) -> Answer:
    """Take a person's word on an order that no machine can settle."""
    attempt = turn.attempt(command.client_order_id)
    if attempt is None or not attempt.for_person:
        text = f"{command.client_order_id} does not wait for a person"
        return Refused(reason=RefusalReason.UNKNOWN_ORDER, text=text)
    quantity = command.cum_quantity
    in_words = turn.rules.instruments[attempt.order.instrument_id].quantity_text
    if not command.lived:
        attempts.finish(turn, attempt, Ending.ABSENT, 0)
        return Done(text=f"{command.client_order_id} never reached its venue")
    if not attempt.cum_quantity <= quantity <= attempt.order.quantity:
        least, most = in_words(Lots(attempt.cum_quantity)), in_words(attempt.order.quantity)
        text = f"traded {in_words(quantity)}: expected {least} to {most}"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    missing = quantity - attempt.cum_quantity
    if missing:
        fill = Filled(
            client_order_id=command.client_order_id,
            execution_id=attempts.by_hand(attempt),
            quantity=Lots(missing),
            price=command.price or Ticks(0),
            fee=command.fee,
            venue_at_ns=turn.now.market_ns,
        )
        if not is_execution(fill):
            text = f"a traded quantity needs its price, and a fee that is a sum: {command.fee}"
            return Refused(reason=RefusalReason.BAD_ORDER, text=text)
        attempt.executions[fill.execution_id] = missing
        attempt.cum_quantity += missing
        books.book_fill(turn, attempt, fill)
    attempts.finish(turn, attempt, Ending.RESOLVED, quantity)
    return Done(text=f"{command.client_order_id} ended with {in_words(quantity)} traded")
