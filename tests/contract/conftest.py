"""What the contract tests share."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop

from tests.contract.lines import Line, Run


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run_in(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(_to_the_end(coroutine), 20))

    return run_in


async def _to_the_end(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test, then end the connections that it left open."""
    Line.ends.clear()
    await coroutine
    for line in Line.ends:
        if line.transport is not None:
            line.transport.abort()
            await line.is_lost.wait()
    # uvloop closes the socket one turn after it has told the protocol.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
