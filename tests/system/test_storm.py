"""A short storm over a real pool of several machines; `make chaos MINUTES=10` is the long one."""

import asyncio
from pathlib import Path

from tests.system.storm.__main__ import BLOW_S, DONE, HARM, THINK_S, thinking, weather

SECONDS = 12.0
ORDERS_EVERY_S = 0.15


def test_a_storm_loses_nothing_repeats_nothing_and_crosses_nothing(tmp_path: Path) -> None:
    """C1 C2, F1, F6, F7, F13, F19, I1, I5: by the journals of exchange and coordinator."""
    work = weather(tmp_path, seconds=SECONDS, every_s=ORDERS_EVERY_S, seed=2)
    outcome, storm, load = asyncio.run(work)
    judgement = outcome.orders
    assert judgement.lost == []
    assert judgement.repeated == []
    assert judgement.crossed == 0
    assert sum(storm.done.values()) >= 4
    assert judgement.executions > 20
    assert len(load.answers) > 20


def test_a_storm_around_strategies_leaves_each_bar_decided_on_once(tmp_path: Path) -> None:
    """B15, B16, I21, I22: evaluators, jails, market process and all others are harmed.

    Of a feed told badly each final bar is decided on once by everybody who is live; what hangs or
    fails is suspended and nobody else; what was decided is wanted once, and held in the end.
    """
    work = thinking(tmp_path, seconds=THINK_S, every_s=BLOW_S, seed=3)
    outcome, storm = asyncio.run(work)
    assert outcome.strategies.bad == []
    assert (outcome.orders.lost, outcome.orders.repeated) == ([], [])
    assert outcome.orders.crossed == 0
    assert [one for one in HARM if not storm.done[one]] == []
    assert [one for one in DONE if not outcome.strategies.done[one]] == []
