"""How soon strategies answer again when their evaluator died, and when one hangs.

`python -m bench.evaluators FOLDER` prints milliseconds as JSON. An evaluator has 1,000 strategies
warm; then it is gone, and another one, which has never heard of them, is asked with everything:
that is from when the death is known to the answers. A hang is a strategy in Python that never
returns: from its task to the word that its process was ended.
"""

import asyncio
import functools
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from tandem.adapters.jail.forking import ForkingJail
from tandem.adapters.jail.parent import Mode
from tandem.adapters.local.clock import SystemClock
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.core.matching import listing
from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import (
    OWN_TENANT,
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    History,
    Prepared,
    Series,
    Task,
    TaskId,
    TaskKey,
    TenantQuota,
    Whole,
    answer_of,
    task_bytes,
)
from tandem.domain.ids import Lots, Ticks
from tandem.domain.strategies import Language, StrategyText
from tandem.shells.evaluator import Evaluator
from tandem.strategies.preparing import prepared

STRATEGIES = 1_000
HISTORY = 2_000
DEATHS = 10
HANGS = 5
COIN = next(one for one in listing.instruments() if one.symbol == "BTCUSD")
HANGING = StrategyText(
    name="hangs",
    language=Language.PYTHON,
    text="def decide(ta, bar, position, params, state):\n    while True:\n        pass\n",
)


def bar_of(number: int) -> Bar:
    """Return the bar with this number of a price that wanders."""
    price = Ticks(1_000_000 + (number * 7_919) % 9_973)
    return Bar(
        instrument_id=COIN.instrument_id,
        span=Span.M1,
        begin_ns=number * Span.M1.ns,
        open=price,
        high=Ticks(price + 50),
        low=Ticks(price - 50),
        close=price,
        volume=Lots(1),
    )


def texts_of(count: int) -> list[StrategyText]:
    """Return so many different strategies with two indicators each."""
    return [
        StrategyText(
            name=f"s{number}",
            language=Language.LUA,
            text=(
                f"local a, b = ta.sma({2 + number % 40}), ta.ema({3 + number % 50})\n"
                f"if a() > b() + {number} * 0.01 then return 'long' else return 'flat' end\n"
            ),
        )
        for number in range(count)
    ]


@functools.cache
def ready(text: StrategyText) -> Prepared | None:
    """Return a text made ready, as the market process keeps it."""
    return prepared(text)


def task_of(texts: Sequence[StrategyText], number: int, *, is_whole: bool) -> bytes:
    """Return the task of one bar for all of them."""
    whole = None
    if is_whole:
        history = History.of([bar_of(one) for one in range(number - HISTORY, number)])
        whole = Whole(
            series=Series(symbol=COIN.symbol, instrument=COIN, history=history),
            texts=tuple(texts),
            attached=tuple(
                Attached(number=AttachmentNumber(place), text_hash=text.text_hash)
                for place, text in enumerate(texts)
            ),
            prepared=tuple(made for made in map(ready, texts) if made is not None),
        )
    task_id = TaskId(tenant=OWN_TENANT, key=TaskKey("bench"), roster=1, number=number)
    return task_bytes(Task(task_id=task_id, bar=bar_of(number), whole=whole))


async def evaluator() -> tuple[Evaluator, ForkingJail]:
    """Return an evaluator with a jail of its own."""
    jail = ForkingJail(Mode.JAILED, lambda _: None)
    try:
        await jail.start()
    except ConfigurationError:
        jail = ForkingJail(Mode.TRUSTED, lambda _: None)
        await jail.start()
    return Evaluator(Tenants(EvaluatingLimits(), TenantQuota()), jail, SystemClock()), jail


async def after_a_death(texts: Sequence[StrategyText]) -> float:
    """Return milliseconds from a known death to the answers of another evaluator."""
    (first, jail), (second, other) = await evaluator(), await evaluator()
    with suppress(asyncio.CancelledError):
        await first.do(task_of(texts, HISTORY, is_whole=True))
        await first.do(task_of(texts, HISTORY + 1, is_whole=False))
    first.close()
    jail.close()
    payload = task_of(texts, HISTORY + 2, is_whole=True)
    began = time.perf_counter()
    answer = answer_of(await second.do(payload))
    took = time.perf_counter() - began
    second.close()
    other.close()
    if not isinstance(answer, Evaluated) or len(answer.said) != len(texts):
        raise SystemExit(f"not all answered: {type(answer).__name__}")
    return took * 1e3


async def hang(texts: Sequence[StrategyText]) -> float:
    """Return milliseconds from a bar to the word that a strategy hung."""
    (one, jail) = await evaluator()
    await one.do(task_of([*texts, HANGING][:10], HISTORY, is_whole=True))
    payload = task_of([*texts[:10], HANGING], HISTORY + 1, is_whole=True)
    began = time.perf_counter()
    answer = answer_of(await one.do(payload))
    took = time.perf_counter() - began
    one.close()
    jail.close()
    if not isinstance(answer, Cold) or len(answer.failed) != 1:
        raise SystemExit(f"nobody hung: {answer}")
    return took * 1e3


async def main() -> None:
    """Print what was measured."""
    texts = texts_of(STRATEGIES)
    deaths = [await after_a_death(texts) for _ in range(DEATHS)]
    hangs = [await hang(texts) for _ in range(HANGS)]
    found = {
        "again": statistics.median(deaths),
        "again_most": max(deaths),
        "hang": statistics.median(hangs),
        "hang_most": max(hangs),
    }
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(main())
