"""The evaluator: takes tasks, has them done by its tenants' processes, and watches those.

Nothing is recorded here: whatever is lost with this process is asked of another one.
"""

import asyncio
from collections.abc import Iterable
from hashlib import sha256

from tandem.core.evaluating.standing import Rank
from tandem.core.evaluating.tenants import Effect, End, Open, Reply, Send, Stop, Tenants
from tandem.domain.bundle import holdings_of
from tandem.domain.errors import FrameError
from tandem.domain.evaluation import Meter, TaskAnswer, TenantId, answer_bytes, task_bytes, task_of
from tandem.ports import Cell, Clock, Jail


class Evaluator:
    """Runs on the loop in which it was made; all its work is done when `do` is awaited."""

    def __init__(self, tenants: Tenants, jail: Jail, clock: Clock) -> None:
        self._tenants = tenants
        self._jail = jail
        self._clock = clock
        self._cells: dict[TenantId, Cell] = {}
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._tokens = 0
        self._looking: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def meters(self) -> tuple[Meter, ...]:
        """What each tenant has used, by name."""
        return self._tenants.meters

    async def do(self, payload: bytes) -> bytes:
        """Return the answer (`TaskAnswer`) to a task, both as they are sent.

        Raises:
            FrameError: the payload is no task.
            asyncio.CancelledError: the evaluator was closed.
        """
        task = task_of(payload)
        self._tokens += 1
        token = self._tokens
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[token] = future
        if self._is_closed:
            future.cancel()
        try:
            self._perform(self._tenants.on_task(task, payload, token=token, now_ns=self._now_ns()))
            return await future
        finally:
            del self._asked[token]

    async def hold(self, content: bytes) -> bytes:
        """Take in what is given before work comes; return the hash of what is held now.

        Of a strategy that cannot be held, the next task of its key finds out. Of bytes that are
        no holdings nothing is held.
        """
        try:
            holdings = holdings_of(content)
        except FrameError:
            return sha256(b"").digest()
        async with asyncio.TaskGroup() as tasks:
            for task in holdings.tasks:
                tasks.create_task(self.do(task_bytes(task)))
        return sha256(content).digest()

    def close(self) -> None:
        """End all processes; whoever still waits is not answered."""
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
        for cell in self._cells.values():
            cell.end()
        self._cells.clear()
        for future in self._asked.values():
            future.cancel()

    def _now_ns(self) -> int:
        return self._clock.now().now_ns

    def _perform(self, effects: Iterable[Effect]) -> None:
        if self._is_closed:
            return
        for effect in effects:
            match effect:
                case Open():
                    self._open(effect)
                case Rank(tenant=tenant, is_behind=is_behind):
                    self._rank(tenant, is_behind=is_behind)
                case Send(tenant=tenant, payload=payload):
                    self._cells[tenant].send(payload)
                case Stop(tenant=tenant):
                    self._cells[tenant].stop()
                case End(tenant=tenant):
                    cell = self._cells.pop(tenant, None)
                    if cell is not None:
                        cell.end()
                case Reply(token=token, answer=answer):
                    self._reply(token, answer)
        self._look_later()

    def _reply(self, token: int, answer: TaskAnswer) -> None:
        future = self._asked.get(token)
        if future is not None and not future.done():
            future.set_result(answer_bytes(answer))

    def _rank(self, tenant: TenantId, *, is_behind: bool) -> None:
        cell = self._cells.get(tenant)
        if cell is not None:  # else it is told when it is there
            cell.rank(is_behind=is_behind)

    def _open(self, wanted: Open) -> None:
        tenant = wanted.tenant

        def on_open(opened: Cell | str) -> None:
            if isinstance(opened, str):
                self._perform(self._tenants.on_refused(tenant, opened))
            elif self._is_closed:
                opened.end()
            else:
                self._cells[tenant] = opened
                self._rank(tenant, is_behind=self._tenants.is_behind(tenant))
                self._perform(self._tenants.on_open(tenant, self._now_ns()))

        def on_answer(payload: bytes) -> None:
            running = self._cells[tenant].running
            self._perform(
                self._tenants.on_answer(tenant, payload, running=running, now_ns=self._now_ns())
            )

        def on_end() -> None:
            running = self._cells[tenant].running
            self._perform(self._tenants.on_end(tenant, running=running))

        self._jail.open(
            memory_bytes=wanted.memory_bytes,
            is_behind=wanted.is_behind,
            on_open=on_open,
            on_answer=on_answer,
            on_end=on_end,
        )

    def _look_later(self) -> None:
        if self._looking is not None or self._is_closed or not self._tenants.at_work:
            return
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._tenants.limits.look_ns / 1e9, self._look)

    def _look(self) -> None:
        self._looking = None
        for tenant in self._tenants.at_work:
            sight = self._cells[tenant].look()
            self._perform(self._tenants.on_look(tenant, sight, self._now_ns()))
        self._look_later()
