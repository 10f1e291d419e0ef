"""Runs hostile strategies between two honest ones, and honest ones in the next tenant's process."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
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
        self.asked = 0

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
        """Run one hostile strategy in Eve's process, for as many bars as it lives."""
        MARK.unlink(missing_ok=True)
        key = f"{script.text.language} {script.name}"
        texts: dict[AttachmentNumber, StrategyText] | None
        texts = {BEFORE: HONEST, HOSTILE: script.text, AFTER: HONEST}
        states = {number: Answer() for number in texts}
        heard: list[Said] = []
        right, took_ms, ended, roster, alive = True, 0.0, "", 1, dict(texts)
        for number in range(1, BARS + 1):
            while True:
                task = a_task(EVE, key, number, texts, roster, states)
                began = time.perf_counter()
                answer = await self.ask(task)
                took_ms = max(took_ms, (time.perf_counter() - began) * 1e3)
                if isinstance(answer, Evaluated):
                    break
                assert isinstance(answer, Cold), answer
                for said in answer.failed:
                    alive.pop(said.number)
                    right = right and said.number == HOSTILE
                    ended = said.answer.error or ""
                texts, roster = dict(alive), roster + 1
            texts = None
            for said in answer.said:
                states[said.number] = said.answer
            heard += [said for said in answer.said if said.number == HOSTILE]
            honest = tuple(said for said in answer.said if said.number != HOSTILE)
            right = right and honest == expected[number - 1]
        return Case(
            script=script,
            outcome=_outcome(heard, ended),
            words=ended or next((said.answer.error for said in heard if said.answer.error), ""),
            took_ms=took_ms,
            is_escaped=_is_escaped(heard),
            are_neighbors_right=right,
        )


def _outcome(heard: Iterable[Said], ended: str) -> Outcome:
    if ended:
        return Outcome.ENDED
    if any(said.answer.error is not None for said in heard):
        return Outcome.FAILED
    return Outcome.HARMLESS


def _is_escaped(heard: Iterable[Said]) -> bool:
    return (
        MARK.exists()
        or any(said.answer.position_ppm == ESCAPED_PPM for said in heard)
        or PLANTED in repr(list(heard))
    )


@asynccontextmanager
async def bench(mode: Mode = Mode.JAILED) -> AsyncIterator[Bench]:
    """Yield an evaluator whose own environment has a secret."""
    os.environ[PLANTED_NAME] = PLANTED
    lost = asyncio.Event()
    jail = ForkingJail(mode, lost.set)
    await jail.start()
    quota = TenantQuota(memory_bytes=512 << 20, bar_ns=3_600_000_000_000)
    evaluator = Evaluator(Tenants(EvaluatingLimits(), quota), jail, SystemClock())
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
        history = History.of([a_bar(one) for one in range(1, first)])
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
