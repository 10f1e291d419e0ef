"""Tenants, their processes and their quotas, without any process.

B15, B17, F22, I14.
"""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.evaluating.standing import Rank
from tandem.core.evaluating.tenants import (
    Effect,
    End,
    EvaluatingLimits,
    Open,
    Reply,
    Send,
    Stop,
    Tenants,
)
from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import (
    OWN_TENANT,
    TASK_BYTES_MAX,
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    History,
    Meter,
    Said,
    Series,
    Sight,
    Skipped,
    Task,
    TaskAnswer,
    TaskId,
    TaskKey,
    TenantId,
    TenantQuota,
    Whole,
    answer_bytes,
    task_bytes,
)
from tandem.domain.ids import Lots, Ticks
from tandem.domain.strategies import Answer, Language, StrategyText
from tests.unit.domain.test_evaluation import BTC

MS = 1_000_000
TEXT = StrategyText(name="always", language=Language.LUA, text='return "long"')
EVE = TenantId("eve")
LIMITS = EvaluatingLimits()


def a_task(
    number: int = 1,
    *,
    key: str = "k",
    tenant: TenantId = OWN_TENANT,
    attached: Sequence[int] | None = None,
) -> Task:
    whole = None
    if attached is not None:
        whole = Whole(
            series=Series(symbol="BTC-USD", instrument=BTC, history=History()),
            texts=(TEXT,),
            attached=tuple(
                Attached(number=AttachmentNumber(one), text_hash=TEXT.text_hash) for one in attached
            ),
        )
    bar = Bar(
        instrument_id=BTC.instrument_id,
        span=Span.M1,
        begin_ns=number * Span.M1.ns,
        open=Ticks(1),
        high=Ticks(1),
        low=Ticks(1),
        close=Ticks(1),
        volume=Lots(1),
    )
    which = TaskId(tenant=tenant, key=TaskKey(key), roster=1, number=number)
    return Task(task_id=which, bar=bar, whole=whole)


def said(number: int, error: str | None = None) -> Said:
    return Said(number=AttachmentNumber(number), answer=Answer(error=error))


def done(task: Task, *numbers: int) -> Evaluated:
    return Evaluated(task_id=task.task_id, said=tuple(said(one) for one in numbers))


class Scene:
    """Tenants and a clock that stands until it is moved."""

    def __init__(self, limits: EvaluatingLimits = LIMITS, quota: TenantQuota | None = None) -> None:
        self.tenants = Tenants(limits, quota or TenantQuota())
        self.now_ns = 0
        self.token = 0

    def task(self, task: Task) -> list[Effect]:
        self.token += 1
        return self.tenants.on_task(task, task_bytes(task), token=self.token, now_ns=self.now_ns)

    def open(self, tenant: TenantId = OWN_TENANT) -> list[Effect]:
        return self.tenants.on_open(tenant, self.now_ns)

    def answer(self, answer: TaskAnswer, running: int | None = None) -> list[Effect]:
        return self.raw(answer_bytes(answer), running)

    def raw(self, payload: bytes, running: int | None = None) -> list[Effect]:
        return self.tenants.on_answer(OWN_TENANT, payload, running=running, now_ns=self.now_ns)

    def look(
        self, after_ms: int, running: int | None, cpu_ms: int = 0, *, asleep: bool = True
    ) -> list[Effect]:
        return self.look_at(OWN_TENANT, after_ms, running, cpu_ms=cpu_ms, asleep=asleep)

    def look_at(
        self,
        tenant: TenantId,
        after_ms: int,
        running: int | None,
        *,
        cpu_ms: int = 0,
        asleep: bool = False,
    ) -> list[Effect]:
        self.now_ns += after_ms * MS
        sight = Sight(running=running, cpu_ns=cpu_ms * MS, is_asleep=asleep)
        return self.tenants.on_look(tenant, sight, self.now_ns)

    def run_for(self, ms: int, running: int | None) -> list[Effect]:
        """Look every 10 ms at something that uses all of a processor."""
        found = []
        for _ in range(ms // 10):
            found += self.look(10, running, self.now_ns // MS + 10, asleep=False)
        return found

    @property
    def meter(self) -> Meter:
        return self.tenants.meters[0]


def at_work(task: Task, scene: Scene | None = None) -> Scene:
    """Return a scene in which the tenant's process has that task in hand."""
    scene = scene or Scene()
    scene.task(task)
    scene.open()
    assert scene.tenants.at_work == [OWN_TENANT]
    return scene


OPENED = Open(tenant=OWN_TENANT, memory_bytes=TenantQuota().memory_bytes)
ENDED = End(tenant=OWN_TENANT)


def test_the_first_task_of_a_tenant_makes_its_process_and_waits_for_it() -> None:
    scene = Scene()
    task = a_task(attached=[0, 1])
    assert scene.task(task) == [OPENED]
    second = a_task(2)
    assert scene.task(second) == []
    assert scene.tenants.at_work == []
    assert scene.open() == [
        Send(tenant=OWN_TENANT, payload=task_bytes(task)),
        Send(tenant=OWN_TENANT, payload=task_bytes(second)),
    ]


def test_answers_go_to_who_asked_and_are_counted() -> None:
    scene = at_work(task := a_task(attached=[0, 1]))
    scene.now_ns = 3 * MS
    assert scene.answer(done(task, 1)) == [Reply(token=1, answer=done(task, 1))]
    cold = a_task(7)
    scene.task(cold)
    answer = Cold(task_id=cold.task_id)
    assert scene.answer(answer) == [Reply(token=2, answer=answer)]
    scene.task(other := a_task(8, key="other"))
    scene.answer(skipped := Skipped(task_id=other.task_id, reason="no"))
    assert skipped.reason == "no"
    assert scene.meter == Meter(
        tenant=OWN_TENANT, strategies=2, busy_ns=3 * MS, evaluated=1, cold=1, skipped=1
    )


def test_only_a_few_tasks_are_handed_over_ahead() -> None:
    scene = at_work(first := a_task(1, attached=[0]))
    tasks = [a_task(number) for number in range(2, 7)]
    assert [len(scene.task(task)) for task in tasks] == [1, 1, 1, 0, 0]
    assert scene.answer(done(first)) == [
        Reply(token=1, answer=done(first)),
        Send(tenant=OWN_TENANT, payload=task_bytes(tasks[3])),
    ]


def test_a_hang_is_asked_to_stop_and_then_ended_and_only_it_has_failed() -> None:
    """B15, B17, F22: the rest of its tasks are done by the next process."""
    scene = at_work(task := a_task(attached=[4, 5]))
    scene.task(waiting := a_task(2, key="other"))
    assert scene.look(10, 5) == []
    assert scene.run_for(140, 5) == []
    assert scene.run_for(10, 5) == [Stop(tenant=OWN_TENANT)]
    assert scene.run_for(240, 5) == []
    failed = Cold(task_id=task.task_id, failed=(said(5, "took more than 400 ms and was ended"),))
    assert scene.run_for(10, 5) == [ENDED, Reply(token=1, answer=failed), OPENED]
    assert scene.tenants.at_work == []
    assert scene.open() == [Send(tenant=OWN_TENANT, payload=task_bytes(waiting))]
    assert (scene.meter.stopped, scene.meter.ended, scene.meter.cold) == (1, 1, 1)


def test_who_sleeps_in_an_evaluation_hangs_as_well() -> None:
    scene = at_work(a_task(attached=[4]))
    effects = [effect for _ in range(42) for effect in scene.look(10, 4, asleep=True)]
    assert [type(effect) for effect in effects] == [Stop, End, Reply, Open]


def test_a_process_that_gets_no_processor_is_waited_for() -> None:
    scene = at_work(task := a_task(attached=[4]))
    limits = scene.tenants.limits
    looks = limits.patience_ns // (10 * MS)
    effects = [e for _ in range(looks) for e in scene.look(10, 4, cpu_ms=1, asleep=False)]
    assert effects == []
    ended = scene.look(10, 4, cpu_ms=1, asleep=False)
    assert ended[0] == ENDED
    assert isinstance(ended[1], Reply)
    assert ended[1].answer.task_id == task.task_id


def test_a_hang_that_gets_a_part_of_a_processor_is_ended_in_time() -> None:
    """F22: on a busy machine, too."""
    scene = at_work(a_task(attached=[4]))
    effects = [e for n in range(41) for e in scene.look(10, 4, cpu_ms=n * 2, asleep=False)]
    assert [type(effect) for effect in effects] == [Stop, End, Reply, Open]


def test_when_the_machine_slept_nobody_is_blamed_for_it() -> None:
    scene = at_work(a_task(attached=[4]))
    scene.look(10, 4)
    assert scene.look(3_600_000, 4) == []
    assert scene.look(50, 4) == []
    assert scene.look(50, 4) == [Stop(tenant=OWN_TENANT)]


def test_many_evaluations_that_take_long_together_are_no_hang() -> None:
    scene = at_work(a_task(attached=range(100)))
    effects = [e for number in range(100) for e in scene.run_for(100, number)]
    assert effects == []


def test_the_same_attachment_in_the_next_task_is_another_evaluation() -> None:
    scene = at_work(first := a_task(attached=[4]))
    scene.task(a_task(2))
    scene.run_for(140, 4)
    scene.answer(done(first))
    assert scene.run_for(140, 4) == []


def test_an_idle_process_is_not_judged() -> None:
    scene = at_work(task := a_task(attached=[4]))
    scene.answer(done(task))
    assert scene.look(10, None) == []
    assert scene.run_for(10_000, 4) == []


def test_a_process_that_works_for_itself_has_longer() -> None:
    scene = at_work(a_task(attached=[4, 6]))
    assert scene.run_for(10_000, None) == []
    assert scene.run_for(10, None) == [ENDED, OPENED]


def test_a_task_that_twice_ends_its_process_with_nobody_to_blame_fails_whole() -> None:
    scene = at_work(task := a_task(attached=[6, 4]))
    assert scene.tenants.on_end(OWN_TENANT, running=None) == [ENDED, OPENED]
    assert scene.open() == [Send(tenant=OWN_TENANT, payload=task_bytes(task))]
    error = "ended the process it ran in"
    failed = Cold(task_id=task.task_id, failed=(said(4, error), said(6, error)))
    assert scene.tenants.on_end(OWN_TENANT, running=9) == [
        ENDED,
        Reply(token=1, answer=failed),
        OPENED,
    ]


def test_a_task_that_ended_its_process_once_and_is_done_then_is_forgiven() -> None:
    scene = at_work(task := a_task(attached=[4]))
    scene.tenants.on_end(OWN_TENANT, running=None)
    scene.open()
    scene.answer(done(task, 4))
    scene.task(a_task(2))
    assert scene.tenants.on_end(OWN_TENANT, running=None) == [ENDED, OPENED]


def test_a_new_process_is_not_believed_to_have_what_the_old_one_had() -> None:
    scene = at_work(task := a_task(1, attached=[4, 5]))
    scene.answer(done(task, 4))
    scene.task(warm := a_task(2))
    scene.tenants.on_end(OWN_TENANT, running=None)
    assert scene.meter.strategies == 0
    scene.open()
    assert scene.answer(done(warm, 4))[0] == ENDED


def test_a_process_that_ends_with_nothing_in_hand_is_made_again_by_the_next_task_only() -> None:
    scene = at_work(task := a_task(attached=[4]))
    scene.answer(done(task))
    assert scene.tenants.on_end(OWN_TENANT, running=None) == [ENDED]
    assert scene.task(a_task(2)) == [OPENED]


def test_a_process_that_ends_before_it_is_there_is_not_made_without_end() -> None:
    scene = Scene()
    scene.task(task := a_task(attached=[4]))
    assert scene.tenants.on_end(OWN_TENANT, running=None) == [
        ENDED,
        Reply(
            token=1,
            answer=Skipped(task_id=task.task_id, reason="its process ended at once"),
        ),
    ]


def test_without_a_process_the_tasks_are_skipped_and_the_next_one_tries_again() -> None:
    scene = Scene()
    scene.task(task := a_task(attached=[4]))
    assert scene.tenants.on_refused(OWN_TENANT, "no memory") == [
        Reply(token=1, answer=Skipped(task_id=task.task_id, reason="no memory"))
    ]
    assert scene.task(task) == [OPENED]


@pytest.mark.parametrize(
    "answer",
    [
        done(a_task(9)),
        done(a_task(1, tenant=EVE)),
        done(a_task(1), 3),
        Cold(task_id=a_task(1).task_id, failed=(said(3, "it was not me"),)),
    ],
)
def test_what_a_process_may_not_say_ends_it(answer: TaskAnswer) -> None:
    """I14: neither another task, nor another tenant's, nor an attachment that it was not given."""
    scene = at_work(task := a_task(attached=[4]))
    effects = scene.answer(answer, running=4)
    reason = "wrote what is no answer of its task"
    assert effects == [
        ENDED,
        Reply(token=1, answer=Cold(task_id=task.task_id, failed=(said(4, reason),))),
        OPENED,
    ]


def test_an_answer_beyond_its_bounds_is_that_strategys_error() -> None:
    """I14."""
    scene = at_work(task := a_task(attached=[4, 5]))
    wild = Said(number=AttachmentNumber(4), answer=Answer(position_ppm=5_000_000))
    effects = scene.answer(Evaluated(task_id=task.task_id, said=(wild, said(5))))
    error = said(4, "it answered what no strategy can answer")
    assert effects == [
        Reply(token=1, answer=Evaluated(task_id=task.task_id, said=(error, said(5))))
    ]


def test_bytes_that_are_no_answer_end_the_process() -> None:
    scene = at_work(a_task(attached=[4]))
    assert scene.raw(b"junk", running=4)[0] == ENDED


def test_an_answer_that_nobody_waits_for_ends_the_process() -> None:
    scene = at_work(task := a_task(attached=[4]))
    scene.answer(done(task))
    assert scene.answer(done(task)) == [ENDED]


def test_a_new_roster_on_its_way_does_not_judge_the_answer_before() -> None:
    scene = at_work(first := a_task(1, attached=[1, 2]))
    scene.task(second := a_task(2, attached=[3]))
    assert scene.answer(done(first, 2)) == [Reply(token=1, answer=done(first, 2))]
    assert scene.answer(done(second, 3)) == [Reply(token=2, answer=done(second, 3))]


def test_more_strategies_than_the_quota_are_not_evaluated() -> None:
    """C7: counted over all keys of the tenant; a key's new roster counts instead of its old."""
    scene = at_work(task := a_task(attached=[1, 2]), Scene(quota=TenantQuota(strategies=3)))
    scene.answer(done(task))
    over = a_task(1, key="other", attached=[3, 4])
    reason = "quota: 4 strategies, at most 3"
    skipped = Skipped(task_id=over.task_id, reason=reason)
    assert scene.task(over) == [Reply(token=2, answer=skipped)]
    fits = a_task(2, attached=[1, 2, 3])
    assert scene.task(fits) == [Send(tenant=OWN_TENANT, payload=task_bytes(fits))]
    assert scene.meter.skipped == 1


def test_time_of_a_bar_is_shared_by_all_its_tasks_and_is_new_with_the_next_bar() -> None:
    """C7, F22."""
    scene = at_work(task := a_task(1, attached=[1]), Scene(quota=TenantQuota(bar_ns=5 * MS)))
    scene.now_ns = 5 * MS
    scene.answer(done(task))
    late = a_task(1, key="other")
    skipped = Skipped(task_id=late.task_id, reason="quota: 5 ms for a bar are used up")
    assert scene.task(late) == [Reply(token=2, answer=skipped)]
    following = a_task(2)
    assert scene.task(following) == [Send(tenant=OWN_TENANT, payload=task_bytes(following))]
    scene.now_ns += 2 * MS
    scene.answer(done(following))
    again = a_task(2, key="other")
    assert scene.task(again) == [Send(tenant=OWN_TENANT, payload=task_bytes(again))]
    scene.now_ns += 3 * MS
    scene.answer(done(again))
    assert isinstance(scene.task(a_task(2, key="third"))[0], Reply)


def test_a_task_that_is_too_long_is_not_passed_on() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return TASK_BYTES_MAX + 1

    scene, task = Scene(), a_task(attached=[1])
    effects = scene.tenants.on_task(task, Long(), token=1, now_ns=0)
    reason = f"a task of {TASK_BYTES_MAX + 1} bytes, at most {TASK_BYTES_MAX}"
    assert effects == [Reply(token=1, answer=Skipped(task_id=task.task_id, reason=reason))]


def test_a_tenant_has_its_own_quota_where_one_is_given() -> None:
    tenants = Tenants(LIMITS, TenantQuota(), {EVE: TenantQuota(memory_bytes=7)})
    task = a_task(tenant=EVE)
    effects = tenants.on_task(task, task_bytes(task), token=1, now_ns=0)
    assert effects == [Open(tenant=EVE, memory_bytes=7)]


def test_tasks_and_tenants_are_limited() -> None:
    scene = Scene(msgspec.structs.replace(LIMITS, tasks_max=1, tenants_max=1))
    scene.task(a_task(1))
    second, eve = a_task(2), a_task(1, tenant=EVE)
    assert scene.task(second) == [
        Reply(token=2, answer=Skipped(task_id=second.task_id, reason="1 tasks wait already"))
    ]
    reason = "this evaluator has 1 tenants, and takes no more"
    assert scene.task(eve) == [Reply(token=3, answer=Skipped(task_id=eve.task_id, reason=reason))]


def ask_and_answer(scene: Scene, name: str, answer: type[Evaluated | Cold]) -> list[Effect]:
    """Let a tenant be asked and answer a millisecond later; return what his task led to."""
    tenant = TenantId(name)
    scene.now_ns += MS
    task = a_task(scene.token + 1, tenant=tenant, attached=[1])
    effects = scene.task(task)
    if any(isinstance(one, Open) for one in effects):
        scene.open(tenant)
    said = (
        Cold(task_id=task.task_id) if answer is Cold else Evaluated(task_id=task.task_id, said=())
    )
    scene.tenants.on_answer(tenant, answer_bytes(said), running=None, now_ns=scene.now_ns)
    return effects


def ended(effects: list[Effect]) -> list[str]:
    return [one.tenant for one in effects if isinstance(one, End)]


def test_of_many_processes_the_one_that_was_asked_last_makes_room() -> None:
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=2))
    for name in ("ann", "bob"):
        assert not ended(ask_and_answer(scene, name, Evaluated))
    assert ended(ask_and_answer(scene, "carol", Evaluated)) == ["bob"]
    assert not ended(ask_and_answer(scene, "ann", Evaluated))


def test_one_tenant_too_many_makes_no_more_than_two_cold_on_each_bar() -> None:
    """B2."""
    names = [f"user{number}" for number in range(11)]
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=10))
    for name in names:
        ask_and_answer(scene, name, Evaluated)
    for _ in range(20):
        made = [ended(ask_and_answer(scene, name, Evaluated)) for name in names]
        assert 1 <= sum(map(bool, made)) <= 2


def test_a_thousand_tenants_stay_warm_where_there_is_a_process_for_each() -> None:
    """B2."""
    names = [f"user{number}" for number in range(1_000)]
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=1_000))
    for bar in range(3):
        for name in names:
            effects = ask_and_answer(scene, name, Evaluated)
            assert [type(one) for one in effects] == [Send if bar else Open]
    assert [one.evaluated for one in scene.tenants.meters] == [3] * 1_000


def test_who_has_rested_for_long_makes_room_first_and_the_longest_before_all() -> None:
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=3, rest_ns=10 * MS))
    for name in ("ann", "bob"):
        ask_and_answer(scene, name, Evaluated)
    scene.now_ns += 8 * MS
    ask_and_answer(scene, "carol", Evaluated)
    assert scene.now_ns == 11 * MS
    scene.now_ns += MS
    assert ended(ask_and_answer(scene, "dave", Evaluated)) == ["ann"]
    assert ended(ask_and_answer(scene, "eve", Evaluated)) == ["bob"]
    assert ended(ask_and_answer(scene, "fay", Evaluated)) == ["eve"]


def test_newcomers_do_not_drive_out_who_has_proved_himself() -> None:
    """F22: strangers who come and go make no honest tenant cold, whoever was asked last."""
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=2, proof=2))
    ask_and_answer(scene, "eve0", Evaluated)
    ask_and_answer(scene, "bob", Evaluated)
    for number in range(1, 5):
        ask_and_answer(scene, "bob", Evaluated)
        gone = ended(ask_and_answer(scene, f"eve{number}", Evaluated))
        assert gone == [f"eve{number - 1}"]


def test_who_was_cold_and_is_to_get_everything_is_not_ended_before_that() -> None:
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=2))
    ask_and_answer(scene, "ann", Evaluated)
    ask_and_answer(scene, "bob", Cold)
    assert ended(ask_and_answer(scene, "carol", Evaluated)) == ["ann"]
    ask_and_answer(scene, "bob", Evaluated)
    assert ended(ask_and_answer(scene, "dave", Evaluated)) == ["bob"]


def test_who_is_at_work_makes_no_room() -> None:
    scene = Scene(msgspec.structs.replace(LIMITS, processes_max=1))
    at_work(a_task(attached=[1]), scene)
    eves = a_task(tenant=EVE)
    reason = "all 1 processes are at work"
    assert scene.task(eves) == [Reply(token=2, answer=Skipped(task_id=eves.task_id, reason=reason))]


def beside_one_who_proved_himself() -> Scene:
    """Return a scene in which the process of Eve, who has shown nothing yet, is at work."""
    scene = Scene(msgspec.structs.replace(LIMITS, proof=1))
    task = a_task(attached=[1])
    at_work(task, scene)
    scene.answer(done(task))
    opened = scene.task(a_task(tenant=EVE, attached=[1]))
    memory_bytes = TenantQuota().memory_bytes
    assert opened == [Open(tenant=EVE, memory_bytes=memory_bytes, is_behind=True)]
    scene.open(EVE)
    return scene


def test_who_has_shown_nothing_yet_goes_behind_until_he_has() -> None:
    """B17, F22: those who do what they should do not wait for those who may not."""
    scene = beside_one_who_proved_himself()
    assert scene.tenants.is_behind(EVE)
    answer = answer_bytes(done(a_task(tenant=EVE, attached=[1])))
    effects = scene.tenants.on_answer(EVE, answer, running=None, now_ns=scene.now_ns)
    assert effects[1:] == [Rank(tenant=EVE, is_behind=False)]
    assert not scene.tenants.is_behind(EVE)


def test_who_takes_long_goes_behind_before_he_is_asked_to_stop() -> None:
    """F22."""
    scene = beside_one_who_proved_himself()
    answer = answer_bytes(done(a_task(tenant=EVE, attached=[1])))
    scene.tenants.on_answer(EVE, answer, running=None, now_ns=scene.now_ns)
    scene.task(a_task(2, tenant=EVE))
    assert scene.look_at(EVE, 10, 1, cpu_ms=0) == []
    assert scene.look_at(EVE, 10, 1, cpu_ms=9) == []
    assert scene.look_at(EVE, 10, 1, cpu_ms=10) == [Rank(tenant=EVE, is_behind=True)]
    assert scene.look_at(EVE, 10, 1, cpu_ms=20) == []


@pytest.mark.parametrize("running", [1, None])
def test_who_is_behind_is_not_kept_waiting_for_ever(running: int | None) -> None:
    """I14: a busy machine does not make a strategy late; it goes with the others then."""
    scene = beside_one_who_proved_himself()
    assert scene.look_at(EVE, 0, running) == []
    for _ in range(19):
        assert scene.look_at(EVE, 50, running, cpu_ms=1) == []
    assert scene.look_at(EVE, 50, running, cpu_ms=1) == [Rank(tenant=EVE, is_behind=False)]
    # It is not put back for what it does now, and ended when it goes on too long.
    assert scene.look_at(EVE, 50, running, cpu_ms=40) == []
    if running is not None:
        assert End(tenant=EVE) in scene.look_at(EVE, 10, running, cpu_ms=50)


def test_whose_process_had_to_be_ended_proves_himself_anew() -> None:
    """F22."""
    scene = beside_one_who_proved_himself()
    answer = answer_bytes(done(a_task(tenant=EVE, attached=[1])))
    scene.tenants.on_answer(EVE, answer, running=None, now_ns=scene.now_ns)
    assert not scene.tenants.is_behind(EVE)
    scene.task(a_task(2, tenant=EVE))
    effects = scene.tenants.on_end(EVE, running=1)
    memory_bytes = TenantQuota().memory_bytes
    assert effects[-1] == Open(tenant=EVE, memory_bytes=memory_bytes, is_behind=True)


def test_a_quota_is_above_zero() -> None:
    with pytest.raises(ConfigurationError, match="above 0"):
        TenantQuota(bar_ns=0)


class Storm:
    """One tenant to whom anything happens, in any order that can be."""

    def __init__(self) -> None:
        self.scene = Scene(msgspec.structs.replace(LIMITS, ahead=2))
        self.asked: list[Task] = []
        self.replied: list[int] = []
        self.in_hand: list[bytes] = []
        self.is_open = False

    def step(self, name: str) -> None:
        self._note(getattr(self, f"on_{name}")())

    def _note(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Reply):
                self.replied.append(effect.token)
            elif isinstance(effect, Send):
                assert self.is_open
                self.in_hand.append(effect.payload)
            elif isinstance(effect, End):
                self.is_open = False
                self.in_hand.clear()

    def on_task(self) -> list[Effect]:
        self.asked.append(a_task(len(self.asked) + 1, attached=[1]))
        return self.scene.task(self.asked[-1])

    def on_open(self) -> list[Effect]:
        if self.is_open or not self.asked:
            return []
        self.is_open = True
        return self.scene.open()

    def on_answer(self) -> list[Effect]:
        if not self.in_hand:
            return []
        payload = self.in_hand.pop(0)
        return self.scene.answer(done(next(t for t in self.asked if task_bytes(t) == payload), 1))

    def on_junk(self) -> list[Effect]:
        return self.scene.raw(b"junk", running=1) if self.is_open else []

    def on_end(self) -> list[Effect]:
        return self.scene.tenants.on_end(OWN_TENANT, running=None) if self.is_open else []

    def on_look(self) -> list[Effect]:
        return self.scene.run_for(500, 1) if self.is_open else []

    def on_refused(self) -> list[Effect]:
        if self.is_open or not self.asked:
            return []
        return self.scene.tenants.on_refused(OWN_TENANT, "no")


STEPS = ["task", "open", "answer", "junk", "end", "look", "refused"]


@given(st.lists(st.sampled_from(STEPS)))
def test_every_task_is_answered_once_or_waits(steps: list[str]) -> None:
    """B15: whatever happens in whatever order, no task is lost and none answered twice."""
    storm = Storm()
    for step in steps:
        storm.step(step)
    assert len(storm.replied) == len(set(storm.replied))
    assert len(storm.in_hand) <= 2
    for _ in range(4 * len(storm.asked)):
        storm.step("open")
        storm.step("answer")
    storm.step("task")
    storm.step("open")
    storm.step("answer")
    assert sorted(storm.replied) == list(range(1, len(storm.asked) + 1))
