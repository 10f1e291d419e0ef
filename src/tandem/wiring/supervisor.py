"""Starts the processes of a pool, replaces those that end, and leaves nothing behind.

All are forked from a nursery. The kernel ends the nursery with the supervisor and its children
with the nursery, so a supervisor that is killed takes everything with it; the journals say where
to go on.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.core.evaluating.crew import Crew
from tandem.domain.commands import Done, SetUpPool
from tandem.domain.errors import CoordinatorUnreachableError, TandemError
from tandem.domain.halting import Alive
from tandem.domain.ids import CommandId, VenueId
from tandem.ports import Clock
from tandem.wiring.alerts import Alerts, AlertSettings
from tandem.wiring.asking import desk_line
from tandem.wiring.dead_man import DeadMan
from tandem.wiring.halt_file import new_halt, write_halt
from tandem.wiring.home import Home, HomeLock
from tandem.wiring.metrics import MetricsPlan
from tandem.wiring.names import kill_process
from tandem.wiring.nursery import Ended, Forked, News
from tandem.wiring.nursing import Nursing
from tandem.wiring.roles import Plan, Role
from tandem.wiring.serving import Fault, read_fault
from tandem.wiring.settings import LanPlan, ReplayPlan
from tandem.wiring.strategies import StrategiesPlan

ENDS_MAX: Final = 3  # in a row, by its own fault, before something else is tried
KILLS_MAX: Final = 50  # in a row, by others
SHORT_LIFE_NS: Final = 30_000_000_000  # whoever lived longer has got past that place
SET_UP_S: Final = 20.0
STOP_S: Final = 3.0
JOINED_MIN: Final = 2  # workers of other computers, with none here, before trading begins
JOINED_EVERY_S: Final = 0.2
ROLES: Final = (Role.EXCHANGE, Role.COORDINATOR)
WITH_STRATEGIES: Final = (Role.EXCHANGE, Role.MARKET, Role.EVALUATOR, Role.GATE)
SPARED: Final = (Role.METRICS, Role.MARKET, Role.EVALUATOR)  # a pool trades on without


class PoolFailedError(TandemError):
    """A process of the pool ends again and again, or the pool could not be set up."""


class Child(msgspec.Struct, kw_only=True):
    """One process that should run; `pid` is None until the nursery has forked it."""

    plan: Plan
    pid: int | None = None
    began_ns: int = 0


class Row(msgspec.Struct, kw_only=True):
    """How often in a row processes of one role ended young."""

    faults: int = 0
    kills: int = 0
    halted: bool = False


class Supervisor:
    """The processes of one home. `say` is told what a person should know, a line at a time.

    With `lan` other computers may join, and then it may have no worker of its own. With `metrics`
    it serves those, and with `strategies` it evaluates those; a pool trades on without either.
    """

    def __init__(  # noqa: PLR0913 - each has its name
        self,
        home: Home,
        *,
        workers: int,
        replay: ReplayPlan | None,
        clock: Clock,
        say: Callable[[str], None],
        lan: LanPlan | None = None,
        alerts: AlertSettings | None = None,
        metrics: MetricsPlan | None = None,
        strategies: StrategiesPlan | None = None,
    ) -> None:
        self.home = home
        self._lan = lan
        self._metrics = metrics
        self._strategies = strategies
        self._venue_id = VenueId("")
        self._workers = workers
        self._replay = replay
        self._clock = clock
        self._say = say
        self._children: dict[str, Child] = {}
        self._rows = {role: Row() for role in Role}
        self._next_worker = 1
        self._stopping = False
        self._gone = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._nursing = Nursing(
            home.log_file, on_news=self._on_news, on_ended=self._on_nursery_ended
        )
        self._alerts = Alerts(alerts or AlertSettings(), home.log_file, say=say, clock=clock)
        self._dead_man = DeadMan(
            UnixNetwork(),
            clock,
            report=self._alerts.raise_alert,
            kill=self._kill,
            on_alive=self._on_alive,
        )
        self._crew = Crew(
            start=self._start_evaluator, leave=self._dead_man.tell_to_leave, end=self._kill
        )
        self._watching: asyncio.Task[None] | None = None
        self._joining: asyncio.Task[None] | None = None
        self._lock = HomeLock(home)
        home.sweep()

    async def start(self, venue_id: VenueId) -> str:
        """Start everything and set the pool up; return what the coordinator said.

        `venue_id` is what the workers know the paper exchange by.

        Raises:
            PoolFailedError: it could not be set up.
        """
        self._venue_id = venue_id
        self._nursing.open()
        for role in ROLES if self._lan is None else (*ROLES, Role.GATE, Role.RELAY):
            self._fork(role, role.value)
        for _ in range(self._workers):
            self._fork_worker()
        roles = ROLES if self._lan is None else (*ROLES, Role.RELAY)
        if self._metrics is not None:
            self._fork(Role.METRICS, Role.METRICS.value)
            roles = (*roles, Role.METRICS)
        names = [role.value for role in roles]
        if self._strategies is not None:
            self._fork(Role.MARKET, Role.MARKET.value)
            names.append(Role.MARKET.value)
            self._crew.want(self._strategies.evaluators, now_ns=self._clock.now().now_ns)
        watched = {name: self.home.own_socket(name) for name in names}
        self._watching = asyncio.create_task(self._dead_man.watch(watched))
        if self._workers == 0:
            self._joining = asyncio.create_task(self._set_up_when_joined())
            return f"no worker here: trading begins when {JOINED_MIN} have joined"
        setting_up = asyncio.create_task(self._set_up(self._workers))
        self._failed.add_done_callback(lambda _: setting_up.cancel())
        try:
            return await setting_up
        except asyncio.CancelledError:
            await self.raise_failure()
            raise

    async def _set_up_when_joined(self) -> None:
        """Set the pool up with the first workers of other computers; it grows by those to come."""
        async with desk_line(self.home) as line:
            while True:
                with contextlib.suppress(CoordinatorUnreachableError):
                    status = await line.status()
                    if status.pool == "trading":
                        return  # it went on from its journal
                    if sum(one.connected for one in status.workers) >= JOINED_MIN:
                        break
                await asyncio.sleep(JOINED_EVERY_S)
        try:
            self._say(await self._set_up(JOINED_MIN))
        except PoolFailedError as error:
            self._say(str(error))
            self._joining = asyncio.create_task(self._set_up_when_joined())

    async def _set_up(self, workers: int) -> str:
        command_id = CommandId(f"up-{os.getpid()}-{self._clock.now().now_ns}")
        async with desk_line(self.home) as line:
            try:
                answer = await line.command(command_id, SetUpPool(workers=workers), wait_s=SET_UP_S)
            except CoordinatorUnreachableError as error:
                raise PoolFailedError(f"the pool could not be set up: {error}") from error
        if not isinstance(answer, Done):
            text = getattr(answer, "text", str(answer))
            raise PoolFailedError(f"the pool could not be set up: {text}")
        return answer.text

    @property
    def has_failed(self) -> bool:
        """Whether a process ends again and again, so that it is not started any more."""
        return self._failed.done()

    async def raise_failure(self) -> None:
        """Do nothing while all is well.

        Raises:
            PoolFailedError: a process ends again and again.
        """
        if self._failed.done():
            await self._failed

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by name."""
        return {name: one.pid for name, one in self._children.items() if one.pid is not None}

    async def stop(self) -> None:
        """End every process, wait until they are gone, and remove their sockets."""
        self._stopping = True
        for task in (self._watching, self._joining):
            if task is not None:
                task.cancel()
        await self._alerts.close()
        for number in (signal.SIGTERM, signal.SIGKILL):  # the second is for those that hang
            for pid in self.pids.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if self._children:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await self._gone.wait()
        self._nursing.close()
        self.home.sweep()
        self._lock.release()

    # -- the nursery

    def _on_news(self, news: News) -> None:
        if isinstance(news, Forked):
            child = self._children.get(news.name)
            if child is not None:
                child.pid = news.pid
        else:
            self._on_ended(news)

    def _on_nursery_ended(self) -> None:
        """All its children are gone with it: begin again with the same ones."""
        if self._stopping:
            self._gone.set()
            return
        self._alerts.raise_alert("the nursery ended; everything is started anew")
        for name in self._children:
            self._dead_man.forget(name)
        plans = [one.plan for one in self._children.values()]
        self._children.clear()
        self._crew.on_all_ended()
        if self._is_too_often(Role.WORKER, is_fault=True, fault=None):
            return
        self._nursing.open()
        for plan in plans:
            self._send(plan)

    # -- children

    def _kill(self, name: str) -> None:
        pid = self.pids.get(name)
        if pid is not None:
            kill_process(pid)

    def _fork(self, role: Role, name: str) -> None:
        self._send(
            Plan(
                role=role,
                name=name,
                folder=str(self.home.folder),
                venue_id=self._venue_id,
                replay=self._replay,
                lan=self._lan,
                metrics=self._metrics if role is Role.METRICS else None,
                strategies=self._strategies if role in WITH_STRATEGIES else None,
            )
        )

    def _on_alive(self, _name: str, alive: Alive) -> None:
        """Have as many evaluators as the market process wants."""
        wanted = alive.evaluators
        if wanted is None or self._stopping:
            return
        before = self._crew.size
        self._crew.want(wanted, now_ns=self._clock.now().now_ns)
        if wanted != before:
            why = "bars waited" if wanted > before else "fewer are enough"
            self._say(f"evaluators: {wanted} instead of {before}, {why}")

    def _start_evaluator(self, name: str) -> None:
        self._fork(Role.EVALUATOR, name)
        self._dead_man.add(name, address=self.home.own_socket(name))

    def _fork_worker(self) -> None:
        number = self._next_worker
        self._next_worker += 1
        self._fork(Role.WORKER, f"p{number}")

    def _send(self, plan: Plan) -> None:
        self._children[plan.name] = Child(plan=plan, began_ns=self._clock.now().now_ns)
        self._nursing.fork(plan)

    def _on_ended(self, ended: Ended) -> None:
        found = [one for one in self._children.values() if one.pid == ended.pid]
        if not found:
            return
        child = found[0]
        plan = child.plan
        del self._children[plan.name]
        if not self._children:
            self._gone.set()
        fault = read_fault(self.home.fault_file(plan.name))
        Path(self.home.own_socket(plan.name)).unlink(missing_ok=True)
        self._dead_man.forget(plan.name)
        if self._stopping:
            return
        if plan.role is Role.EVALUATOR and self._crew.on_ended(plan.name):
            self._dead_man.remove(plan.name)
            return
        how = fault.text if fault is not None else how_it_ended(ended.code)
        self._alerts.raise_alert(f"{plan.name} (process {ended.pid}) ended: {how}")
        row = self._rows[plan.role]
        if self._clock.now().now_ns - child.began_ns > SHORT_LIFE_NS:
            row.faults = row.kills = 0
        if self._is_too_often(plan.role, is_fault=ended.code >= 0, fault=fault):
            return
        if plan.role is Role.WORKER:
            self._fork_worker()
        else:
            self._halt_if_too_often(plan.role, fault)
            self._fork(plan.role, plan.name)

    def _halt_if_too_often(self, role: Role, fault: Fault | None) -> None:
        """Let the coordinator start halted when it ended three times at one place."""
        row = self._rows[role]
        if role is not Role.COORDINATOR or row.faults < ENDS_MAX or row.halted:
            return
        row.halted = True
        row.faults = 0
        text = fault.text if fault is not None else "no reason known"
        event = f"; event: {fault.event}" if fault is not None and fault.event else ""
        reason = f"the coordinator ended {ENDS_MAX} times in a row: {text}{event}"
        self._alerts.raise_alert(f"starting halted: {reason}")
        write_halt(self.home, new_halt(reason))

    def _is_too_often(self, role: Role, *, is_fault: bool, fault: Fault | None) -> bool:
        row = self._rows[role]
        row.faults += is_fault
        row.kills += not is_fault
        may_halt = role is Role.COORDINATOR and not row.halted
        if row.kills < KILLS_MAX and (row.faults < ENDS_MAX or may_halt):
            return False
        text = fault.text if fault is not None else f"see {self.home.log_file}"
        message = f"the {role.value} ends again and again: {text}"
        if role in SPARED:
            self._alerts.raise_alert(f"{message}; trading goes on without")
            return True
        if not self._failed.done():
            self._failed.set_exception(PoolFailedError(message))
        return True


def how_it_ended(code: int) -> str:
    """Return for people what an exit code, or minus a signal, means."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
