"""Runs hostile strategies between two honest ones, and honest ones in the next tenant's process."""

import asyncio
import functools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from tandem.adapters.jail import ForkingJail, Mode
from tandem.adapters.jail.rehearsal import rehearsal
from tandem.adapters.local.clock import SystemClock
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.bars import Bar
from tandem.domain.evaluation import (
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    History,
    Said,
    Series,
    Task,
    TaskAnswer,
    TaskId,
    TaskKey,
    TenantId,
    TenantQuota,
    Whole,
    answer_of,
    task_bytes,
)
from tandem.domain.ids import Ticks
from tandem.domain.strategies import Answer, Language, StrategyText
from tandem.shells.evaluator import Evaluator
from tests.hostile.corpus import ESCAPED_PPM, MARK, PLANTED, PLANTED_NAME, Outcome, Script

EVE: Final = TenantId("eve")
BOB: Final = TenantId("bob")
BARS: Final = 3
SERIES: Final = 50  # of Bob, whose waiting is measured, and
STRATEGIES: Final = 40  # on each
HONEST: Final = StrategyText(
    name="honest",
    language=Language.LUA,
    text="""\
state.bars = (state.bars or 0) + 1
log(string.upper("sma"), ta.sma(10)(), close(1), math.floor(bar.volume))
if ta.sma(10)() > ta.ema(20)() then return "long" end
return { position = -0.25, stop = close() * 1.1 }
""",
)
PLAIN: Final = StrategyText(
    name="plain",
    language=Language.LUA,
    text='if ta.sma(10)() > ta.ema(20)() then return "long" end return "short"',
)
BEFORE, HOSTILE, AFTER = (AttachmentNumber(number) for number in range(3))
_MODEL: Final = rehearsal()[0]
_BARS_OF_HISTORY: Final = 100


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one hostile strategy. `words` is its error, or what it was ended for."""

    script: Script
    outcome: Outcome
    words: str
    took_ms: float  # its longest task
    is_escaped: bool
    are_neighbors_right: bool


class Bench:
    """An evaluator with a jail, and the bars of one market."""

    def __init__(self, evaluator: Evaluator, jail: ForkingJail) -> None:
        self.evaluator = evaluator
        self.jail = jail
        self.attacks = 0

    async def ask(self, task: Task) -> TaskAnswer:
        """Return the answer to a task."""
        return answer_of(await self.evaluator.do(task_bytes(task)))

    async def honest(self, tenant: TenantId, key: str) -> list[tuple[Said, ...]]:
        """Return what honest strategies say with nobody between them."""
        texts = {BEFORE: HONEST, AFTER: HONEST}
        said = []
        for number in range(1, BARS + 1):
            answer = await self.ask(a_task(tenant, key, number, texts if number == 1 else None))
            assert isinstance(answer, Evaluated), answer
            said.append(answer.said)
        return said

    async def case(self, script: Script, expected: list[tuple[Said, ...]]) -> Case:
        """Run one hostile strategy, and Bob's honest ones meanwhile."""
        bobs = asyncio.ensure_future(self.honest(BOB, f"beside {script.name}"))
        run = await self.attack(script)
        neighbors = run.neighbors
        # Python has no walls inside a process, so there only Bob, in his own, is promised anything.
        is_promised = script.text.language is Language.LUA
        return Case(
            script=script,
            outcome=run.outcome,
            words=run.words,
            took_ms=run.took_ms,
            is_escaped=run.is_escaped,
            are_neighbors_right=await bobs == expected
            and (neighbors == expected or not is_promised),
        )

    async def attack(self, script: Script) -> "Attack":
        """Run one hostile strategy, for as many bars as it lives."""
        MARK.unlink(missing_ok=True)
        self.attacks += 1
        attack = Attack(script, self.attacks)
        for number in range(1, BARS + 1):
            await self._bar(attack, number)
        return attack

    async def times_ms(self, name: str, bars: int) -> list[float]:
        """Return how long Bob waits for each of so many bars, of all his series together."""
        texts = {AttachmentNumber(number): PLAIN for number in range(STRATEGIES)}
        took = []
        for number in range(1, bars + 1):
            tasks = [
                task_bytes(
                    a_task(
                        BOB,
                        f"{name} {series}",
                        number,
                        shifted(texts, series) if number == 1 else None,
                    )
                )
                for series in range(SERIES)
            ]
            began = time.perf_counter()
            payloads = await asyncio.gather(*map(self.evaluator.do, tasks))
            took.append((time.perf_counter() - began) * 1e3)
            answers = map(answer_of, payloads)
            assert all(isinstance(answer, Evaluated) for answer in answers)
        return took[1:]

    async def _bar(self, run: "Attack", number: int) -> None:
        """Have one bar evaluated, anew without those who had to be ended."""
        whole = number == 1
        while True:
            task = run.task(number, whole=whole)
            began = time.perf_counter()
            answer = await self.ask(task)
            run.took_ms = max(run.took_ms, (time.perf_counter() - began) * 1e3)
            if isinstance(answer, Evaluated):
                run.hear(answer)
                return
            assert isinstance(answer, Cold), answer
            for said in answer.failed:
                run.lose(said)
            whole = True


class Attack:
    """One hostile strategy between two honest ones, as a decider keeps them."""

    def __init__(self, script: Script, number: int) -> None:
        self.key = f"{number} {script.name}"
        is_lua = script.text.language is Language.LUA
        # Eve's one process hears everything in Lua; who may spoil his own has one to himself.
        self.tenant = EVE if is_lua else TenantId(f"mallory {script.name}")
        self.texts = {BEFORE: HONEST, HOSTILE: script.text, AFTER: HONEST}
        self.answers = {number: Answer() for number in self.texts}
        self.roster = 1
        self.took_ms = 0.0
        self.ended: str | None = None
        self.heard: list[Said] = []
        self.neighbors: list[tuple[Said, ...]] = []

    def task(self, number: int, *, whole: bool) -> Task:
        if not whole:
            return a_task(self.tenant, self.key, number, None, self.roster)
        self.roster += 1
        return a_task(self.tenant, self.key, number, self.texts, self.roster, self.answers)

    def hear(self, answer: Evaluated) -> None:
        for said in answer.said:
            self.answers[said.number] = said.answer
        self.heard += [said for said in answer.said if said.number == HOSTILE]
        self.neighbors.append(tuple(said for said in answer.said if said.number != HOSTILE))

    def lose(self, said: Said) -> None:
        del self.texts[said.number]
        if said.number == HOSTILE:
            self.ended = said.answer.error

    @property
    def outcome(self) -> Outcome:
        if self.ended is not None:
            return Outcome.ENDED
        is_failed = any(said.answer.error is not None for said in self.heard)
        return Outcome.FAILED if is_failed else Outcome.HARMLESS

    @property
    def words(self) -> str:
        errors = [said.answer.error for said in self.heard if said.answer.error is not None]
        return self.ended or (errors[0] if errors else "")

    @property
    def is_escaped(self) -> bool:
        return (
            MARK.exists()
            or any(said.answer.position_ppm == ESCAPED_PPM for said in self.heard)
            or PLANTED in repr(self.heard)
        )


@asynccontextmanager
async def bench(mode: Mode = Mode.JAILED) -> AsyncIterator[Bench]:
    """Yield an evaluator whose own environment has a secret."""
    os.environ[PLANTED_NAME] = PLANTED
    lost = asyncio.Event()
    jail = ForkingJail(mode, lambda _: lost.set())
    await jail.start()
    quota = TenantQuota(memory_bytes=256 << 20, bar_ns=3_600_000_000_000)
    evaluator = Evaluator(Tenants(EvaluatingLimits(processes_max=8), quota), jail, SystemClock())
    try:
        yield Bench(evaluator, jail)
        assert not lost.is_set()
    finally:
        del os.environ[PLANTED_NAME]
        evaluator.close()
        jail.close()


def a_task(  # noqa: PLR0913 - one of everything
    tenant: TenantId,
    key: str,
    number: int,
    texts: dict[AttachmentNumber, StrategyText] | None,
    roster: int = 1,
    states: dict[AttachmentNumber, Answer] | None = None,
) -> Task:
    """Return the task of one bar; with `texts` it is whole."""
    first = _BARS_OF_HISTORY + number
    whole = None
    if texts is not None:
        assert _MODEL.whole is not None
        states = states or {}
        history = _history(first)
        whole = Whole(
            series=Series(symbol="A-B", instrument=_MODEL.whole.series.instrument, history=history),
            texts=tuple({text.text_hash: text for text in texts.values()}.values()),
            attached=tuple(
                Attached(
                    number=one,
                    text_hash=text.text_hash,
                    state=states.get(one, Answer()).state,
                    position_ppm=states.get(one, Answer()).position_ppm or 0,
                    may_short=True,
                )
                for one, text in texts.items()
            ),
        )
    which = TaskId(tenant=tenant, key=TaskKey(key), roster=roster, number=number)
    return Task(task_id=which, bar=a_bar(first), whole=whole)


@functools.cache
def _history(end: int) -> History:
    return History.of([a_bar(number) for number in range(1, end)])


def a_bar(number: int) -> Bar:
    """Return the bar of that number: prices go up and down."""
    price = 10_000 + 37 * (number * number % 101)
    return msgspec.structs.replace(
        _MODEL.bar,
        begin_ns=number * _MODEL.bar.span.ns,
        open=Ticks(price),
        high=Ticks(price + 40),
        low=Ticks(price - 40),
        close=Ticks(price + 7),
    )


def shifted(
    texts: dict[AttachmentNumber, StrategyText], series: int
) -> dict[AttachmentNumber, StrategyText]:
    """Return the same texts under numbers that no other series of the tenant has."""
    return {AttachmentNumber(series * len(texts) + one): text for one, text in texts.items()}
