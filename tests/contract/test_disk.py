"""What every `Disk` promises, on each of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import InlineSync, PageSync, ThreadSync
from tandem.domain.errors import DiskFailedError
from tandem.ports import Disk, File
from tests.contract.memory_disk import MemoryDisk


def _refuse(error: DiskFailedError) -> None:
    raise AssertionError("the disk failed") from error


def _in_a_thread(folder: Path) -> FolderDisk:
    return FolderDisk(folder, ThreadSync(asyncio.get_running_loop(), _refuse))


MAKERS: dict[str, Callable[[Path], Disk]] = {
    "memory": lambda _: MemoryDisk(),
    "folder": lambda folder: FolderDisk(folder, InlineSync()),
    "folder, sync in a thread": _in_a_thread,
    "folder, never synced": lambda folder: FolderDisk(folder, PageSync()),
}


@pytest.fixture(params=MAKERS)
async def disk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Disk]:
    made = MAKERS[request.param](tmp_path / "disk")
    yield made
    if isinstance(made, FolderDisk):
        made.close()


async def _synced(file: File) -> None:
    confirmed = asyncio.Event()
    file.sync(confirmed.set)
    await asyncio.wait_for(confirmed.wait(), 10)


async def test_a_new_disk_is_empty(disk: Disk) -> None:
    assert disk.names() == []


async def test_a_new_file_is_all_zeros(disk: Disk) -> None:
    disk.create("new", 3_000_000).close()
    assert disk.read("new") == bytes(3_000_000)


@pytest.mark.parametrize("size", [3_000_000, 7])
async def test_a_file_that_was_expected_is_made_like_any_other(disk: Disk, size: int) -> None:
    disk.create("first", 1).close()
    for _ in range(2):
        disk.expect(3_000_000)
    assert disk.names() == ["first"]
    for name in ("new", "other"):
        file = disk.create(name, size)
        file.write(size - 2, b"it")
        await _synced(file)
        file.close()
        assert disk.read(name) == bytes(size - 2) + b"it"
    assert disk.names() == ["first", "new", "other"]


async def test_names_are_sorted(disk: Disk) -> None:
    for name in ("b", "c", "a"):
        disk.create(name, 1).close()
    assert disk.names() == ["a", "b", "c"]


async def test_what_was_written_is_read(disk: Disk) -> None:
    file = disk.create("log", 10)
    file.write(2, b"one")
    file.write(7, b"two")
    file.write(3, b"N")
    await _synced(file)
    file.close()
    assert disk.read("log") == b"\0\0oNe\0\0two"


async def test_what_was_written_is_read_before_it_is_synced(disk: Disk) -> None:
    file = disk.create("log", 4)
    file.write(1, b"ab")
    assert disk.read("log") == b"\0ab\0"
    file.close()


async def test_syncs_are_confirmed_once_and_in_order(disk: Disk) -> None:
    file = disk.create("log", 10)
    confirmed: list[int] = []
    for number in range(5):
        file.write(number, b"x")
        file.sync(lambda number=number: confirmed.append(number))  # type: ignore[misc]
    await _synced(file)
    assert confirmed == [0, 1, 2, 3, 4]
    file.close()


async def test_an_opened_file_keeps_its_content(disk: Disk) -> None:
    file = disk.create("log", 4)
    file.write(0, b"abcd")
    await _synced(file)
    file.close()
    again = disk.open("log")
    again.write(1, b"X")
    await _synced(again)
    again.close()
    assert disk.read("log") == b"aXcd"


async def test_a_file_that_is_not_there_cannot_be_opened_or_read(disk: Disk) -> None:
    with pytest.raises(FileNotFoundError):
        disk.open("nothing")
    with pytest.raises(FileNotFoundError):
        disk.read("nothing")


async def test_replace_makes_or_replaces_the_whole_content(disk: Disk) -> None:
    disk.replace("state", b"a long first state")
    assert disk.read("state") == b"a long first state"
    disk.replace("state", b"short")
    assert disk.read("state") == b"short"
    disk.replace("state", b"")
    assert disk.read("state") == b""
    assert disk.names() == ["state"]


async def test_a_deleted_file_is_gone_and_may_be_deleted_again(disk: Disk) -> None:
    disk.create("reserve", 10).close()
    disk.delete("reserve")
    disk.delete("reserve")
    assert disk.names() == []
    disk.create("reserve", 5).close()
    assert disk.read("reserve") == bytes(5)
