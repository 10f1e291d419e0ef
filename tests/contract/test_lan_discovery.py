"""Pools are found by mDNS, on the loopback interface of this computer."""

import asyncio

from tandem.adapters.lan.discovery import Found, announced, find
from tests.contract.lines import Run

LOOPBACK = "127.0.0.1"


def test_a_pool_that_is_announced_is_found(run: Run) -> None:
    """A4."""

    async def look() -> None:
        async with announced("tandem-abc", host=LOOPBACK, port=7440):
            found = await find("tandem-abc", host=LOOPBACK, wait_s=10)
        assert Found(pool_id="tandem-abc", hosts=(LOOPBACK,), port=7440) in found

    run(look())


def test_among_others_it_is_waited_for(run: Run) -> None:
    async def look() -> None:
        async with announced("tandem-other", host=LOOPBACK, port=7440):
            looking = asyncio.create_task(find("tandem-abc", host=LOOPBACK, wait_s=10))
            await asyncio.sleep(0)
            async with announced("tandem-abc", host=LOOPBACK, port=7540):
                found = await looking
        assert [one.port for one in found if one.pool_id == "tandem-abc"] == [7540]

    run(look())


def test_where_none_is_the_search_ends(run: Run) -> None:
    async def look() -> None:
        found = await find("tandem-nowhere", host=LOOPBACK, wait_s=0.3)
        assert all(one.pool_id != "tandem-nowhere" for one in found)

    run(look())
