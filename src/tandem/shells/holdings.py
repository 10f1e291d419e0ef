"""What a new evaluator is given before work comes: strategies, and histories of bars."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from tandem.core.deciding.likely import Likely, likely
from tandem.core.deciding.state import DeciderState
from tandem.domain.bundle import Holdings
from tandem.domain.deciding import Evaluate
from tandem.domain.evaluation import Task, TaskKey, task_bytes
from tandem.ports import BarStore
from tandem.shells.histories import BarsThen, task_with_history

BYTES_MAX: Final = 4 * 1024 * 1024


async def holdings(
    state: DeciderState,
    store: BarStore,
    has_home: Callable[[TaskKey], bool],
    *,
    bytes_max: int = BYTES_MAX,
) -> bytes:
    """Return it as it is sent, of at most so many bytes; other work has its turn in between."""
    tasks: list[Task] = []
    size = 0
    for one in likely(state, has_home):
        task = _holding(one, state, store)
        if task is not None:
            size += len(task_bytes(task))
            if size > bytes_max:
                break
            tasks.append(task)
        await asyncio.sleep(0)
    return msgspec.msgpack.encode(Holdings(tasks=tuple(tasks)))


def _holding(one: Likely, state: DeciderState, store: BarStore) -> Task | None:
    """Return the task by which that is held; None when it is out of date already."""
    key = state.keys.get(one.task_id.key)
    if key is None or (key.roster, key.done) != (one.task_id.roster, one.task_id.number):
        return None
    last = store.published(
        key.instrument.instrument_id, key.span, after=one.task_id.number - 1, count=1
    )
    if not last:
        return None
    bar = last[0].bar
    # What the next bar will find before it: all that was published up to the last one.
    ask = Evaluate(
        task_id=msgspec.structs.replace(one.task_id, number=one.task_id.number + 1),
        bar=msgspec.structs.replace(bar, begin_ns=bar.end_ns),
        whole=one.whole,
    )
    task, _ = task_with_history(ask, state.texts, BarsThen(store, ask))
    return msgspec.structs.replace(task, task_id=one.task_id, bar=bar, only_holds=True)
