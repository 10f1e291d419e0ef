"""The pool on a terminal: a table that is drawn in place, or plain lines."""

import re
from collections import deque
from collections.abc import Mapping
from typing import Final, TextIO

from tandem.cli.printing import table
from tandem.domain.views import SlotView, StatusView, WorkerView

SAID_MAX: Final = 6
_EVALUATOR: Final = re.compile("e[0-9]+")
_UP: Final = "\x1b[{}A"
_CLEAR: Final = "\r\x1b[J"


class Screen:
    """Shows one pool. What is said stays in sight: below the table the last lines of it."""

    def __init__(self, out: TextIO, *, redraws: bool) -> None:
        self.redraws = redraws
        self._out = out
        self._said: deque[str] = deque(maxlen=SAID_MAX)
        self._height = 0
        self._last = ""

    def say(self, text: str) -> None:
        """Tell the person something."""
        if self.redraws:
            self._erase()
        self._out.write(f"{text}\n")
        self._out.flush()

    def ask(self, text: str) -> None:
        """Write a question; the answer is typed behind it."""
        self._erase()
        self._out.write(text)
        self._out.flush()

    def show(self, status: StatusView, pids: Mapping[str, int]) -> None:
        """Show the pool as it is; without redrawing, only what has changed."""
        if not self.redraws:
            line = summary(status)
            if line != self._last:
                self._last = line
                self.say(line)
            return
        text = f"{pool_table(status)}{processes_text(pids)}\n{summary(status)}\n"
        self._erase()
        self._out.write(text)
        self._out.flush()
        self._height = text.count("\n")

    def _erase(self) -> None:
        if self._height:
            self._out.write(_UP.format(self._height) + _CLEAR)
            self._height = 0


def pool_table(status: StatusView) -> str:
    """Return one line a slot, and one for each worker without a slot."""
    workers = {one.slot_id: one for one in status.workers if one.slot_id is not None}
    rows: list[tuple[object, ...]] = []
    for one in status.slots:
        worker = workers.get(one.slot_id)
        who = (one.slot_id, one.account_id, one.worker, *_place(worker))
        rows.append((*who, slot_state(one, worker), one.epoch, one.open_orders))
    rows += [
        ("spare", None, one.name, *_place(one), worker_state(one), None, None)
        for one in status.workers
        if one.slot_id is None
    ]
    heads = ("slot", "account", "worker", ">process", "machine", "", ">epoch", ">open")
    return table(heads, rows)


def _place(worker: WorkerView | None) -> tuple[object, object]:
    """Return process and machine; a process is known by its number on this computer only."""
    if worker is None:
        return None, None
    return (worker.pid, "here") if worker.machine is None else (None, worker.machine)


def slot_state(slot: SlotView, worker: WorkerView | None) -> str:
    """Return in a word or two how a slot is."""
    if not slot.active:
        return "not used"
    if slot.leaving:
        return "leaving"
    state = "ready" if slot.ready else "waits"
    return f"{state}, draining" if worker is not None and worker.draining else state


def worker_state(worker: WorkerView) -> str:
    """Return in a word or two how a worker without a slot is."""
    if not worker.connected:
        return "lost"
    if worker.draining:
        return "drained"
    return "ready" if worker.confirmed else "is set up"


def processes_text(pids: Mapping[str, int]) -> str:
    """Return coordinator, exchange and who evaluates strategies, with their processes."""
    evaluators = sorted(filter(_EVALUATOR.fullmatch, pids), key=lambda name: int(name[1:]))
    named = [name for name in ("coordinator", "exchange", "market") if name in pids]
    return ", ".join(f"{name} {pids[name]}" for name in (*named, *evaluators))


def summary(status: StatusView) -> str:
    """Return the pool in one line."""
    halted = f" ({status.reason})" if status.reason else ""
    takeovers = status.counters.get("takeovers", 0)
    person = f", {len(status.for_person)} wait for a person" if status.for_person else ""
    return (
        f"pool {status.pool}, {status.trading}{halted}: {status.parents_open} orders open, "
        f"{status.parents_done} done, {status.unknown} unknown{person}; "
        f"{takeovers} takeovers, coordinator start {status.coordinator_epoch}"
    )
