"""The tenants of one evaluator: their tasks, their processes, their time and their quotas.

Each tenant has one process, which does its tasks one after the other and answers in that order.
Only that process knows what it holds, so it says itself whether it is warm; a new one holds
nothing and says `Cold`. That makes every death alike: whatever the process had not answered is
given to the next one as it was.

A process is not asked what it does, it is looked at. The attachment that it evaluates stands in
its control page, and between two answers an attachment is evaluated once: while the same one
stands there, the same call has not returned. After `soft_ns` of that it is asked to stop, after
`hard_ns` its process is ended, and that attachment, and no other, has failed. What the machine
took from the process is not held against it: while it wants to run and has not had `cpu_ns` of a
processor, much more than an evaluation needs, `patience_ns` counts; and when we ourselves were
away, only what `away_ns` allows counts.

Who is slow goes behind the others (`standing`) long before that: `slow_ns` of a processor for one
evaluation are a thousand times what it needs.

What the process says is believed for its own tenant only: an answer that is not of the task in
hand, or of attachments that it was not given, ends the process. Nor is it believed to keep its own
bounds: an answer that no strategy can give counts as an error of that strategy.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from tandem.core.evaluating.soundness import is_sound, sound
from tandem.core.evaluating.standing import Rank, Standings
from tandem.domain.errors import FrameError
from tandem.domain.evaluation import (
    TASK_BYTES_MAX,
    AttachmentNumber,
    Cold,
    Evaluated,
    Meter,
    Said,
    Sight,
    Skipped,
    Task,
    TaskAnswer,
    TaskId,
    TaskKey,
    TenantId,
    TenantQuota,
    answer_of,
)
from tandem.domain.strategies import Answer
from tandem.domain.value import Value

_MS: Final = 1_000_000
_STRIKES: Final = 2  # deaths over one task, with nobody to blame, until all of it is to blame


class EvaluatingLimits(Value, frozen=True, kw_only=True):
    """How long is long, and how much is waited for.

    `look_ns` is how often processes at work are looked at, and of the time between two looks no
    more than `away_ns` counts. `work_ns` is for what a process does
    itself (taking in history, computing indicators). `ahead` tasks are handed to a process
    before the first is answered, so that it need not wait for us. Of more than `processes_max`
    processes one is ended, and its tenant's next task finds it cold: who has rested for `rest_ns`,
    or else who was asked last.
    `slow_ns` of a processor for one evaluation put its process behind the others, after
    `behind_ns` without a processor it goes with them again, and `proof` tasks prove a tenant.
    """

    look_ns: int = 10 * _MS
    away_ns: int = 50 * _MS
    soft_ns: int = 150 * _MS
    hard_ns: int = 400 * _MS
    slow_ns: int = 10 * _MS
    behind_ns: int = 1_000 * _MS
    proof: int = 1_000
    cpu_ns: int = 50 * _MS
    patience_ns: int = 4_000 * _MS
    work_ns: int = 10_000 * _MS
    ahead: int = 4
    tasks_max: int = 10_000  # that wait, of one tenant
    tenants_max: int = 10_000
    processes_max: int = 200
    rest_ns: int = 600_000 * _MS


class Open(Value, frozen=True, kw_only=True, tag="open"):
    """Make a process for the tenant, that goes behind those of others or not."""

    tenant: TenantId
    memory_bytes: int
    is_behind: bool = False


class Send(Value, frozen=True, kw_only=True, tag="send"):
    """Give this task to the tenant's process."""

    tenant: TenantId
    payload: bytes


class Stop(Value, frozen=True, kw_only=True, tag="stop"):
    """Ask the strategy that the tenant's process evaluates now to stop."""

    tenant: TenantId


class End(Value, frozen=True, kw_only=True, tag="end"):
    """End the tenant's process by force, if it is still there; nothing it says counts now."""

    tenant: TenantId


class Reply(Value, frozen=True, kw_only=True, tag="reply"):
    """Answer the task that came under this token."""

    token: int
    answer: TaskAnswer


Effect = Open | Send | Stop | End | Rank | Reply


class _Asked(msgspec.Struct):
    token: int
    task_id: TaskId
    end_ns: int  # of its bar
    attached: frozenset[AttachmentNumber] | None  # by its `Whole`
    payload: bytes
    known: frozenset[AttachmentNumber] = frozenset()  # whom the process had when it was sent


class _Watch(msgspec.Struct):
    """How long one thing has gone on; `stood_ns` is what we saw of it."""

    running: int | None
    looked_ns: int
    began_cpu_ns: int
    stood_ns: int = 0
    is_stopped: bool = False
    is_excused: bool = False  # for being slow: it was kept waiting


class _Used(msgspec.Struct):
    """What a `Meter` says, counted in place: several times for each task."""

    busy_ns: int = 0
    evaluated: int = 0
    cold: int = 0
    skipped: int = 0
    stopped: int = 0
    ended: int = 0


class _Tenant(msgspec.Struct):
    quota: TenantQuota
    used: _Used = msgspec.field(default_factory=_Used)
    is_asked: bool = False  # for a process
    is_open: bool = False
    is_expected: bool = False  # what it needs is on its way, since it said that it is cold
    waiting: deque[_Asked] = msgspec.field(default_factory=deque)
    sent: int = 0  # of the first that wait
    began_ns: int = 0  # the first of those
    watch: _Watch | None = None
    attached: dict[TaskKey, frozenset[AttachmentNumber]] = msgspec.field(default_factory=dict)
    strikes: dict[TaskKey, int] = msgspec.field(default_factory=dict)
    spent_end_ns: int = 0  # bars that end then have taken
    spent_ns: int = 0


class Tenants:
    """All tenants of one evaluator. A tenant's process is named by its tenant: it has only one."""

    def __init__(
        self,
        limits: EvaluatingLimits,
        usual: TenantQuota,
        quotas: Mapping[TenantId, TenantQuota] | None = None,
    ) -> None:
        self.limits = limits
        self._usual = usual
        self._quotas = dict(quotas or {})
        self._tenants: dict[TenantId, _Tenant] = {}
        self._standings = Standings(limits.proof)
        self._now_ns = 0  # when the last task came

    @property
    def at_work(self) -> list[TenantId]:
        """Whose processes have something to do, and are to be looked at."""
        return [name for name, one in self._tenants.items() if one.sent]

    @property
    def meters(self) -> tuple[Meter, ...]:
        """What each tenant has used, by name."""
        return tuple(
            Meter(
                tenant=name,
                strategies=sum(map(len, one.attached.values())),
                **msgspec.structs.asdict(one.used),
            )
            for name, one in sorted(self._tenants.items())
        )

    def is_behind(self, name: TenantId) -> bool:
        """Return whether the tenant's process goes behind those of others."""
        return self._standings.is_behind(name)

    def on_task(self, task: Task, payload: bytes, *, token: int, now_ns: int) -> list[Effect]:
        """Take in a task; `payload` is the same task as it came."""
        self._now_ns = now_ns
        name = task.task_id.tenant
        if name not in self._tenants and len(self._tenants) >= self.limits.tenants_max:
            reason = f"this evaluator has {self.limits.tenants_max} tenants, and takes no more"
            return [Reply(token=token, answer=Skipped(task_id=task.task_id, reason=reason))]
        tenant = self._tenant(name)
        attached = None
        if task.whole is not None:
            attached = frozenset(one.number for one in task.whole.attached)
        asked = _Asked(token, task.task_id, task.bar.end_ns, attached, payload)
        if len(payload) > TASK_BYTES_MAX:
            reason = f"a task of {len(payload)} bytes, at most {TASK_BYTES_MAX}"
            return [_skip(tenant, asked, reason)]
        if len(tenant.waiting) >= self.limits.tasks_max:
            return [_skip(tenant, asked, f"{self.limits.tasks_max} tasks wait already")]
        tenant.waiting.append(asked)
        return self._go_on(name, tenant, now_ns)

    def on_open(self, name: TenantId, now_ns: int) -> list[Effect]:
        """Hear that the tenant's process is there."""
        tenant = self._tenant(name)
        tenant.is_open = True
        return self._go_on(name, tenant, now_ns)

    def on_refused(self, name: TenantId, reason: str) -> list[Effect]:
        """Hear that there can be no process for the tenant now; its next task tries again."""
        tenant = self._tenant(name)
        tenant.is_asked = False
        waiting, tenant.waiting = tenant.waiting, deque()
        return [_skip(tenant, asked, reason) for asked in waiting]

    def on_answer(
        self, name: TenantId, payload: bytes, *, running: int | None, now_ns: int
    ) -> list[Effect]:
        """Hear what the tenant's process wrote; `running` is what its page said then."""
        tenant = self._tenant(name)
        answer = _believed(tenant, payload)
        if answer is None:
            return self._replace(name, tenant, "wrote what is no answer of its task", running)
        asked = tenant.waiting.popleft()
        tenant.sent -= 1
        tenant.watch = None
        _spend(tenant, asked, now_ns - tenant.began_ns)
        tenant.began_ns = now_ns
        tenant.is_expected = isinstance(answer, Cold)
        effects: list[Effect] = [Reply(token=asked.token, answer=answer)]
        match answer:
            case Evaluated():
                tenant.used.evaluated += 1
                tenant.strikes.pop(asked.task_id.key, None)
                effects += self._standings.on_evaluated(name)
            case Cold():
                tenant.used.cold += 1
            case _:
                tenant.used.skipped += 1
        return [*effects, *self._go_on(name, tenant, now_ns)]

    def on_end(self, name: TenantId, *, running: int | None) -> list[Effect]:
        """Hear that the tenant's process ended by itself, or was ended by the system."""
        return self._replace(name, self._tenant(name), "ended the process it ran in", running)

    def on_look(self, name: TenantId, sight: Sight, now_ns: int) -> list[Effect]:
        """See what a process at work does."""
        tenant = self._tenant(name)
        if not tenant.sent:
            return []
        watch = tenant.watch
        if watch is None or watch.running != sight.running:
            tenant.watch = _Watch(sight.running, now_ns, sight.cpu_ns)
            return []
        # When we were away for long, the process may have been as well: the machine slept.
        watch.stood_ns += min(now_ns - watch.looked_ns, self.limits.away_ns)
        watch.looked_ns = now_ns
        return self._judge(name, tenant, watch, sight)

    def _judge(self, name: TenantId, tenant: _Tenant, watch: _Watch, sight: Sight) -> list[Effect]:
        limits = self.limits
        used_ns = sight.cpu_ns - watch.began_cpu_ns
        is_kept_waiting = not sight.is_asleep and used_ns < limits.cpu_ns
        effects: list[Effect] = []
        if is_kept_waiting and watch.stood_ns >= limits.behind_ns:
            watch.is_excused = True
            effects += self._standings.on_kept_waiting(name)
        if watch.running is None:
            if watch.stood_ns < limits.work_ns:
                return effects
            return self._replace(name, tenant, f"{_ms(limits.work_ns)} without an answer", None)
        if used_ns >= limits.slow_ns and not watch.is_excused:
            effects += self._standings.on_slow(name)
        if is_kept_waiting and watch.stood_ns < limits.patience_ns:
            return effects
        if watch.stood_ns >= limits.hard_ns:
            reason = f"took more than {_ms(limits.hard_ns)} and was ended"
            return self._replace(name, tenant, reason, watch.running)
        if watch.stood_ns >= limits.soft_ns and not watch.is_stopped:
            watch.is_stopped = True
            tenant.used.stopped += 1
            effects.append(Stop(tenant=name))
        return effects

    def _replace(
        self, name: TenantId, tenant: _Tenant, reason: str, running: int | None
    ) -> list[Effect]:
        """End the process and make another; say who failed of the task that it had in hand."""
        tenant.is_open = False
        tenant.is_asked = False
        tenant.watch = None
        tenant.used.ended += 1
        tenant.attached.clear()
        self._standings.on_end(name)
        self._standings.on_slow(name)
        if not tenant.sent:
            # One that ends with nothing in hand would be made again without end.
            return [End(tenant=name), *self.on_refused(name, "its process ended at once")]
        tenant.sent = 0
        asked = tenant.waiting[0]
        effects: list[Effect] = [End(tenant=name)]
        failed = _to_blame(tenant, asked, running)
        if failed is not None:
            tenant.waiting.popleft()
            tenant.used.cold += 1
            said = tuple(Said(number=one, answer=Answer(error=reason)) for one in failed)
            answer = Cold(task_id=asked.task_id, failed=said)
            effects.append(Reply(token=asked.token, answer=answer))
        # Not only when something waits: whoever comes next shall not wait for a fork.
        return [*effects, *self._open(name, tenant)]

    def _go_on(self, name: TenantId, tenant: _Tenant, now_ns: int) -> list[Effect]:
        """Hand over what may be handed over."""
        if not tenant.is_open:
            return [] if tenant.is_asked else self._open(name, tenant)
        effects: list[Effect] = []
        while tenant.sent < min(self.limits.ahead, len(tenant.waiting)):
            asked = tenant.waiting[tenant.sent]
            reason = _over_quota(tenant, asked)
            if reason is not None:
                del tenant.waiting[tenant.sent]
                effects.append(_skip(tenant, asked, reason))
                continue
            if asked.attached is not None:
                tenant.attached[asked.task_id.key] = asked.attached
            asked.known = tenant.attached.get(asked.task_id.key, frozenset())
            if tenant.sent == 0:
                tenant.began_ns = now_ns
            tenant.sent += 1
            effects.append(Send(tenant=name, payload=asked.payload))
        return effects

    def _open(self, name: TenantId, tenant: _Tenant) -> list[Effect]:
        effects: list[Effect] = []
        taken = [who for who, one in self._tenants.items() if one.is_asked]
        if len(taken) >= self.limits.processes_max:
            idle = [who for who in taken if self._is_idle(who)]
            if not idle:
                return self.on_refused(name, f"all {len(taken)} processes are at work")
            spared = max(idle, key=self._sparable)
            self._tenants[spared].is_open = False
            self._tenants[spared].is_asked = False
            self._tenants[spared].attached.clear()
            self._standings.on_end(spared)
            effects.append(End(tenant=spared))
        tenant.is_asked = True
        is_behind = self._standings.on_open(name)
        memory_bytes = tenant.quota.memory_bytes
        return [*effects, Open(tenant=name, memory_bytes=memory_bytes, is_behind=is_behind)]

    def _is_idle(self, name: TenantId) -> bool:
        tenant = self._tenants[name]
        return tenant.is_open and not tenant.waiting

    def _sparable(self, name: TenantId) -> tuple[bool, bool, bool, int]:
        """Return how well an idle process can be done without, to be compared.

        Bars end for all tenants in turns, so whoever has waited longest is the next to be needed:
        to end that one would make every tenant cold on every bar, as soon as there is one too many.
        Nobody who has proved himself makes room while somebody who has not can.
        """
        tenant = self._tenants[name]
        since_ns = tenant.began_ns
        if self._now_ns - since_ns >= self.limits.rest_ns:
            return True, True, True, -since_ns
        is_unproved = not self._standings.is_proved(name)
        return False, is_unproved, not tenant.is_expected, since_ns

    def _tenant(self, name: TenantId) -> _Tenant:
        tenant = self._tenants.get(name)
        if tenant is None:
            quota = self._quotas.get(name, self._usual)
            tenant = self._tenants[name] = _Tenant(quota)
        return tenant


def _believed(tenant: _Tenant, payload: bytes) -> TaskAnswer | None:
    """Return what a process wrote, if it may say that."""
    try:
        answer = answer_of(payload)
    except FrameError:
        return None
    if not tenant.sent or answer.task_id != tenant.waiting[0].task_id:
        return None
    if isinstance(answer, Skipped):
        return answer
    said = answer.said if isinstance(answer, Evaluated) else answer.failed
    if not tenant.waiting[0].known.issuperset(one.number for one in said):
        return None
    if isinstance(answer, Evaluated) and not all(map(is_sound, said)):
        return msgspec.structs.replace(answer, said=tuple(map(sound, said)))
    return answer


def _to_blame(tenant: _Tenant, asked: _Asked, running: int | None) -> list[AttachmentNumber] | None:
    """Return who failed, by number; None: it is tried once more."""
    if running is not None and running in asked.known:
        return [AttachmentNumber(running)]
    key = asked.task_id.key
    tenant.strikes[key] = tenant.strikes.get(key, 0) + 1
    if tenant.strikes[key] < _STRIKES:
        return None
    del tenant.strikes[key]
    return sorted(asked.known)


def _over_quota(tenant: _Tenant, asked: _Asked) -> str | None:
    quota = tenant.quota
    if tenant.spent_end_ns >= asked.end_ns and tenant.spent_ns >= quota.bar_ns:
        return f"quota: {_ms(quota.bar_ns)} for a bar are used up"
    if asked.attached is None:
        return None
    others = sum(
        len(numbers) for key, numbers in tenant.attached.items() if key != asked.task_id.key
    )
    wanted = others + len(asked.attached)
    if wanted > quota.strategies:
        return f"quota: {wanted} strategies, at most {quota.strategies}"
    return None


def _spend(tenant: _Tenant, asked: _Asked, busy_ns: int) -> None:
    tenant.used.busy_ns += busy_ns
    if asked.end_ns > tenant.spent_end_ns:
        tenant.spent_end_ns = asked.end_ns
        tenant.spent_ns = 0
    tenant.spent_ns += busy_ns


def _skip(tenant: _Tenant, asked: _Asked, reason: str) -> Reply:
    tenant.used.skipped += 1
    return Reply(token=asked.token, answer=Skipped(task_id=asked.task_id, reason=reason))


def _ms(duration_ns: int) -> str:
    return f"{duration_ns // _MS} ms"
