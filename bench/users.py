"""A thousand users, each in a process of his own: `python -m bench.users FOLDER` prints JSON.

Every tenant has five strategies on one series, and a bar ends for all of them at once: the worst
minute there is. The real broker gives the tasks to real evaluators, each a process with its jail,
by the tenant's name, so that a tenant stays where it is warm. Measured with one evaluator and with
two, each for 500 tenants: from the bar to each tenant's answer, answers a second, what an answer
takes of a processor at the evaluators and where the tasks are given, and what a tenant takes of
memory (PSS), its share of its evaluator's included. At last half as many tenants again as an
evaluator may have processes: how many are cold on a bar, and what one of those costs.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from bench import child_process
from bench.evaluators import COIN, HISTORY, bar_of, ready, texts_of
from bench.waiting import until
from tandem.adapters.jail.forking import ForkingJail
from tandem.adapters.jail.parent import Mode
from tandem.adapters.local.clock import SystemClock
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import (
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    History,
    Series,
    Task,
    TaskId,
    TaskKey,
    TenantId,
    TenantQuota,
    Whole,
    answer_of,
    task_bytes,
)
from tandem.domain.strategies import StrategyText
from tandem.messaging.broker import Broker
from tandem.messaging.errors import MessagingError
from tandem.messaging.places import Bind, Connect
from tandem.messaging.worker import Worker
from tandem.shells.evaluator import Evaluator
from tandem.wiring.evaluating import WINDOW
from tandem.wiring.evaluator_pool import RULES

EACH = 5
WARM, CHURNING = 700, 80  # processes that an evaluator may have


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    tenants: int
    evaluators: int
    processes: int
    bars: int


PLANS = {
    "one": Plan(tenants=500, evaluators=1, processes=WARM, bars=10),
    "two": Plan(tenants=1_000, evaluators=2, processes=WARM, bars=10),
    "churn": Plan(tenants=CHURNING * 3 // 2, evaluators=1, processes=CHURNING, bars=2),
}


class Found(msgspec.Struct, kw_only=True):
    """What one run showed."""

    first_s: float  # the first bar, which finds everybody cold
    took_ms: list[float]  # of each tenant's answer, on the bars that are measured
    bar_s: list[float]  # until the last answer of those bars
    cold: int  # answers of those bars that asked for everything
    ended: int  # tenants that were ended by force, because their machine stood still
    tenant_mb: float
    evaluating_us: float  # of a processor, for an answer
    central_us: float


class Users:
    """All tenants, and what each has been asked."""

    def __init__(self, broker: Broker, plan: Plan) -> None:
        self._broker = broker
        texts = texts_of(plan.tenants * EACH)
        for text in texts:
            ready(text)  # as the market process keeps it
        self._texts = {
            TenantId(f"user{number:04}"): tuple(texts[number * EACH : (number + 1) * EACH])
            for number in range(plan.tenants)
        }
        self._left = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = 0.0
        self.cold = self.ended = 0
        self.took_ms: list[float] = []

    async def bar(self, number: int) -> float:
        """Let a bar end for everybody; return seconds until the last answer."""
        self._left = len(self._texts)
        self._done = asyncio.get_running_loop().create_future()
        history = History.of([bar_of(one) for one in range(number - HISTORY, number)])
        self._began = time.perf_counter()
        for name in self._texts:
            self._ask(name, number, history, is_whole=False)
        await self._done
        return time.perf_counter() - self._began

    def _ask(self, name: TenantId, number: int, history: History, *, is_whole: bool) -> None:
        whole = _whole(self._texts[name], history) if is_whole else None
        task_id = TaskId(tenant=name, key=TaskKey("bench"), roster=1, number=number)
        payload = task_bytes(Task(task_id=task_id, bar=bar_of(number), whole=whole))

        def on_outcome(outcome: bytes | MessagingError) -> None:
            if self._done.done():
                return  # another one had no answer
            answer = answer_of(outcome) if isinstance(outcome, bytes) else outcome
            match answer:
                case Evaluated(said=said) if len(said) == EACH:
                    self.took_ms.append((time.perf_counter() - self._began) * 1e3)
                    self._left -= 1
                    if not self._left:
                        self._done.set_result(None)
                case Cold(failed=failed):
                    # A machine that is taken away for longer than a tenant may take ends it.
                    self.ended += bool(failed)
                    self.cold += 1
                    self._ask(name, number, history, is_whole=True)
                case _:
                    self._done.set_exception(RuntimeError(f"{name} was not answered: {answer}"))

        self._broker.give(name.encode(), payload=payload, on_outcome=on_outcome)


def _whole(texts: tuple[StrategyText, ...], history: History) -> Whole:
    return Whole(
        series=Series(symbol=COIN.symbol, instrument=COIN, history=history),
        texts=texts,
        attached=tuple(
            Attached(number=AttachmentNumber(place), text_hash=text.text_hash)
            for place, text in enumerate(texts)
        ),
        prepared=tuple(made for made in map(ready, texts) if made is not None),
    )


async def evaluate(address: str, name: str, processes: int) -> None:
    """Be an evaluator, as `tandem.wiring.evaluating` makes one."""
    jail = ForkingJail(Mode.JAILED, lambda _: None)
    try:
        await jail.start()
    except ConfigurationError:
        jail = ForkingJail(Mode.TRUSTED, lambda _: None)
        await jail.start()
    limits = EvaluatingLimits(processes_max=processes)
    evaluator = Evaluator(Tenants(limits, TenantQuota()), jail, SystemClock())
    worker = Worker(Connect(address), evaluator.do, name=name, window=WINDOW)
    try:
        await worker.run()
    finally:
        evaluator.close()
        jail.close()


def _family(pid: int) -> list[int]:
    """Return that process and all that come from it.

    Source: proc_pid_task(5), /proc/PID/task/TID/children.
    """
    found = [pid]
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                found += _family(int(child))
    return found


def _memory_mb(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += child_process.pss_mb(pid)
    return total


def _cpu_ns(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += child_process.cpu_ns(pid)
    return total


async def run(plan: Plan, folder: Path) -> Found:
    """Run it."""
    address = f"ipc://{folder / str(plan.tenants)}"
    broker = Broker(Bind(address), RULES, run=1)
    children = [
        child_process.start(
            "bench.users", str(folder), "--serve", address, f"e{one}", str(plan.processes)
        )
        for one in range(plan.evaluators)
    ]
    try:
        users = Users(broker, plan)
        await until(lambda: len(broker.workers()) == plan.evaluators)
        first_s = await users.bar(HISTORY)
        await users.bar(HISTORY + 1)  # whoever moved for load has moved
        users.took_ms.clear()
        users.cold = users.ended = 0
        evaluating = [pid for child in children for pid in _family(child.pid)]
        before_ns, central_ns = _cpu_ns(evaluating), time.process_time_ns()
        bar_s = [await users.bar(HISTORY + 2 + number) for number in range(plan.bars)]
        answers = plan.bars * plan.tenants
        return Found(
            first_s=first_s,
            took_ms=users.took_ms,
            bar_s=bar_s,
            cold=users.cold,
            ended=users.ended,
            tenant_mb=sum(_memory_mb(_family(child.pid)) for child in children) / plan.tenants,
            evaluating_us=(_cpu_ns(evaluating) - before_ns) / answers / 1e3,
            central_us=(time.process_time_ns() - central_ns) / answers / 1e3,
        )
    finally:
        child_process.end(children)
        broker.close()


def figures(folder: Path) -> dict[str, float]:
    """Return all that is shown of three runs."""
    found = {}
    for name, plan in PLANS.items():
        one = uvloop.run(run(plan, folder))
        cuts = statistics.quantiles(one.took_ms, n=100, method="inclusive")
        found |= {
            f"{name} first_s": one.first_s,
            f"{name} p50_ms": cuts[49],
            f"{name} p99_ms": cuts[98],
            f"{name} rate": plan.tenants / statistics.median(one.bar_s),
            f"{name} tenant_mb": one.tenant_mb,
            f"{name} cold_percent": 100 * one.cold / plan.bars / plan.tenants,
            f"{name} ended": one.ended,
        }
        if plan.processes == WARM:  # else many of those that were looked at have ended
            found[f"{name} evaluating_us"] = one.evaluating_us
            found[f"{name} central_us"] = one.central_us
        else:
            found[f"{name} cold_ms"] = 1e3 * sum(one.bar_s) / max(one.cold, 1)
    return found


def main() -> None:
    """Print what was measured, or be an evaluator."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve:
        address, name, processes = asked.serve
        child_process.serve(evaluate(address, name, int(processes)))
        return
    sys.stdout.write(msgspec.json.encode(figures(asked.folder)).decode() + "\n")


if __name__ == "__main__":
    main()
