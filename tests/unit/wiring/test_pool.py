"""A pool and an exchange that was started by itself in one home: B28."""

import asyncio
from pathlib import Path

import pytest

from tandem.adapters.local.disk import FolderDisk
from tandem.domain.errors import ConfigurationError
from tandem.wiring import pool
from tandem.wiring.home import Home, HomeBusyError, HomeLock
from tandem.wiring.pool import own_pool, refuse_lone_exchange


def contents(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_beside_a_lone_exchange_no_pool_is_started_and_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B28: not even the sockets of the exchange."""
    monkeypatch.setattr(pool, "EXCHANGE_ENDS_S", 0)
    home = Home(tmp_path / "home")
    home.make()
    Path(home.exchange_socket).write_text("its own")
    home.stage_file.write_text("what it plays")
    exchange = FolderDisk(home.exchange)
    before = contents(home.folder)
    said: list[str] = []

    async def start() -> None:
        async with own_pool(home, workers=2, replay=None, say=said.append):
            raise AssertionError("it started")

    try:
        with pytest.raises(ConfigurationError, match="an exchange runs here already, by itself"):
            asyncio.run(start())
    finally:
        exchange.close()
    assert contents(home.folder) == before
    assert said == []


def test_a_pool_that_runs_is_named_and_an_exchange_that_ended_is_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    FolderDisk(home.exchange).close()
    asyncio.run(refuse_lone_exchange(home))
    lock = HomeLock(home)
    try:
        with pytest.raises(HomeBusyError, match="a pool runs here already, as process"):
            asyncio.run(refuse_lone_exchange(home))
    finally:
        lock.release()
