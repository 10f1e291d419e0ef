"""The life of an order, drawn: each hop between coordinator, worker and exchange, with its time."""

from typing import Final, TextIO

from tandem.cli.main import FAILED, OK
from tandem.cli.ordering import write_orders
from tandem.cli.printing import write_json
from tandem.domain.views import AttemptView, Course, HopView, LifeView, OrdersView

LANE: Final = 14  # characters from one lane to the next
TIME: Final = 14
CAUSES: Final = {"self_match": "it would have met an own order", "split": "its symbol was split"}
ARROWS: Final = {
    # Where it begins and where it ends, in lanes.
    Course.COORDINATOR: (0, 0),
    Course.TO_WORKER: (0, 1),
    Course.TO_VENUE: (1, 2),
    Course.FROM_VENUE: (2, 0),
    Course.FROM_WORKER: (1, 0),
}


def show_life(order_id: str, view: LifeView, out: TextIO, *, as_json: bool) -> int:
    """Write an order's life; return the exit code."""
    if as_json:
        write_json(view, out)
    elif view.attempts or view.parents:
        for command_id in dict.fromkeys(one.command_id for one in view.parents):
            out.write(f"command {command_id}\n")
        write_orders(OrdersView(parents=view.parents, both=()), out, as_json=False)
        for one in view.attempts:
            out.write(f"\n{drawing(one)}")
    elif view.refused:
        out.write(f"command {order_id} was refused: {view.refused}\n")
    else:
        out.write(f"no order {order_id} is known (any more)\n")
    return OK if view.attempts or view.parents else FAILED


def drawing(attempt: AttemptView) -> str:
    """Return what became of one request, a line for each hop; times are since the command."""
    worker = attempt.workers[-1] if attempt.workers else "no worker"
    ending = f"{attempt.ending}: {attempt.text}" if attempt.text else attempt.ending
    state = ending or f"{attempt.phase} {attempt.status}"
    if attempt.cause is not None:
        state += f" by the exchange itself: {CAUSES.get(attempt.cause, attempt.cause)}"
    sends = "1 send" if attempt.sends == 1 else f"{attempt.sends} sends"
    person = "; waits for a person" if attempt.for_person else ""
    lines = [
        f"{attempt.client_order_id}  {attempt.slot_id}  {attempt.account_id}: "
        f"{attempt.filled} of {attempt.quantity}, {sends}, {state}{person}",
        " " * TIME + "coordinator".ljust(LANE) + worker.ljust(LANE) + "exchange",
    ]
    lines += [_line(one) for one in attempt.hops]
    return "".join(f"{one.rstrip()}\n" for one in lines)


def _line(hop: HopView) -> str:
    after = f"{hop.since_command_ns / 1e6:,.2f} ms"
    return f"{after:>{TIME - 2}}  {arrow(hop.course)}  {hop.what}"


def arrow(course: Course) -> str:
    """Return the way between the three lanes, as wide for each course."""
    begin, end = ARROWS[course]
    cells = list("·".ljust(LANE) + "·".ljust(LANE) + "·")
    first, last = sorted((begin * LANE, end * LANE))
    for place in range(first + 1, last):
        cells[place] = "─"
    cells[begin * LANE] = "●"
    if end > begin:
        cells[last - 1] = "▶"
    elif end < begin:
        cells[first + 1] = "◀"
    return "".join(cells)
