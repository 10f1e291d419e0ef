"""A short storm over a real pool of several machines; `make chaos MINUTES=10` is the long one."""

import asyncio
from pathlib import Path

from tests.system.storm.__main__ import weather

SECONDS = 12.0
ORDERS_EVERY_S = 0.15


def test_a_storm_loses_nothing_repeats_nothing_and_crosses_nothing(tmp_path: Path) -> None:
    """C1 C2, F1, F6, F7, F13, F19, I1, I5: by the journals of exchange and coordinator."""
    work = weather(tmp_path, seconds=SECONDS, every_s=ORDERS_EVERY_S, seed=2)
    judgement, storm, load = asyncio.run(work)
    assert judgement.lost == []
    assert judgement.repeated == []
    assert judgement.crossed == 0
    assert sum(storm.done.values()) >= 4
    assert judgement.executions > 20
    assert len(load.answers) > 20
