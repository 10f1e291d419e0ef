"""What a folder adds to the promises of a `Disk`: modes, the lock, real errors of the kernel."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.adapters.local.disk import FolderDisk, FolderFile, FolderView
from tandem.adapters.local.sync import InlineSync, PageSync, Sync, ThreadSync
from tandem.domain.errors import (
    ConfigurationError,
    DiskFailedError,
    DiskFullError,
    JournalBusyError,
)

HOLD = """
import sys
from pathlib import Path
from tandem.adapters.local.disk import FolderDisk
disk = FolderDisk(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "disk"


@pytest.fixture
def disk(folder: Path) -> Iterator[FolderDisk]:
    made = FolderDisk(folder)
    yield made
    made.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def hold(folder: Path) -> subprocess.Popen[str]:
    """Return a process that holds the folder until its standard input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def test_folder_and_files_are_ours_alone(disk: FolderDisk, folder: Path) -> None:
    disk.create("log", 1).close()
    disk.replace("state", b"x")
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_a_folder_that_is_open_to_others_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with pytest.raises(ConfigurationError, match=r"open to others \(mode 0750\), must be 0700"):
        FolderDisk(tmp_path)
    assert mode(tmp_path) == 0o750
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "disk"):
        with pytest.raises(ConfigurationError, match="cannot be made"):
            FolderDisk(folder)


def test_a_second_holder_is_refused_and_told_who_has_it(folder: Path) -> None:
    holder = hold(folder)
    try:
        with pytest.raises(JournalBusyError, match=f"{folder}: in use by process {holder.pid}$"):
            FolderDisk(folder)
        assert FolderView(folder).names() == []
    finally:
        end(holder)


def test_a_killed_holder_leaves_the_folder_free(folder: Path) -> None:
    holder = hold(folder)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    FolderDisk(folder).close()


def test_the_same_process_cannot_hold_it_twice(disk: FolderDisk, folder: Path) -> None:
    with pytest.raises(JournalBusyError, match=f"process {os.getpid()}$"):
        FolderDisk(folder)


def test_half_made_files_of_a_killed_process_are_removed(folder: Path) -> None:
    FolderDisk(folder).close()
    (folder / ".new-segment-00000003").write_bytes(b"half")
    disk = FolderDisk(folder)
    assert disk.names() == []
    assert [path.name for path in folder.iterdir()] == [".lock"]
    disk.close()


def test_what_was_made_ahead_is_taken_once_and_else_given_up(folder: Path) -> None:
    disk = FolderDisk(folder)
    disk.expect(3_000_000)
    inode = (folder / ".ahead").stat().st_ino
    disk.create("log", 3_000_000).close()
    assert (folder / "log").stat().st_ino == inode
    disk.expect(3_000_000)
    disk.create("small", 10).close()
    disk.expect(3_000_000)
    disk.close()
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "log", "small"]


def test_what_a_killed_process_made_ahead_is_removed(folder: Path) -> None:
    FolderDisk(folder).close()
    (folder / ".ahead").write_bytes(b"half")
    disk = FolderDisk(folder)
    assert not (folder / ".ahead").exists()
    disk.close()


def test_a_file_that_cannot_be_made_ahead_is_made_in_time(disk: FolderDisk, folder: Path) -> None:
    """F11: ENOSPC ahead of need tells nobody; whoever needs the file finds out by itself."""
    (folder / ".ahead").symlink_to("/dev/full")
    disk.expect(100)
    disk.create("log", 100).close()
    assert disk.read("log") == bytes(100)
    assert not (folder / ".ahead").is_symlink()
    (folder / ".ahead").mkdir()
    disk.expect(100)
    disk.create("other", 100).close()
    (folder / ".ahead").rmdir()


def test_a_file_that_is_there_is_not_made_again(disk: FolderDisk) -> None:
    disk.replace("log", b"content")
    with pytest.raises(FileExistsError):
        disk.create("log", 3)
    assert disk.read("log") == b"content"


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../up"])
def test_only_plain_names_are_taken(disk: FolderDisk, name: str) -> None:
    with pytest.raises(AssertionError, match="not a plain file name"):
        disk.read(name)


def test_a_full_disk_leaves_nothing_behind(disk: FolderDisk, folder: Path) -> None:
    """F11: the kernel's own ENOSPC, on the way to a new file and on the way to a new content."""
    disk.replace("state", b"old")
    for name in ("log", "state"):
        (folder / f".new-{name}").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="log: No space left on device"):
        disk.create("log", 100)
    with pytest.raises(DiskFullError, match="state: No space left on device"):
        disk.replace("state", b"new")
    assert disk.names() == ["state"]
    assert disk.read("state") == b"old"
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "state"]


def test_a_full_disk_is_named_at_a_write() -> None:
    file = FolderFile(Path("/dev/full"), os.open("/dev/full", os.O_RDWR), InlineSync())
    with pytest.raises(DiskFullError, match="/dev/full: No space left"):
        file.write(0, b"x")
    file.close()


def test_other_errors_of_the_disk_are_failures(folder: Path) -> None:
    disk = FolderDisk(folder)
    (folder / "folder").mkdir()
    for call in (disk.read, disk.open, disk.delete):
        with pytest.raises(DiskFailedError, match="folder: Is a directory"):
            call("folder")
    with pytest.raises(DiskFailedError, match="folder: Is a directory"):
        disk.replace("folder", b"content")
    disk.close()
    with pytest.raises(DiskFailedError, match="No such file"):
        FolderView(folder / "nowhere").names()


def test_a_view_sees_a_disk_that_is_in_use(disk: FolderDisk, folder: Path) -> None:
    file = disk.create("log", 3)
    file.write(0, b"abc")
    view = FolderView(folder)
    assert view.names() == ["log"]
    assert view.read("log") == b"abc"
    file.close()


def unsyncable() -> int:
    """Return a descriptor that no disk stands behind: its sync fails."""
    read_end, write_end = os.pipe()
    os.close(write_end)
    return read_end


def test_a_failed_sync_is_a_failed_disk_and_confirms_nothing() -> None:
    """F11."""
    confirmed: list[bool] = []
    file = FolderFile(Path("log"), unsyncable(), InlineSync())
    with pytest.raises(DiskFailedError, match="log: sync: Invalid argument"):
        file.sync(lambda: confirmed.append(True))
    file.close()
    assert not confirmed


async def test_a_failed_sync_in_the_thread_is_told_in_the_loop_and_nothing_after_it(
    disk: FolderDisk,
) -> None:
    """F11: the sync after a failed one could succeed without what the failed one lost."""
    told: asyncio.Queue[DiskFailedError | str] = asyncio.Queue()
    sync = ThreadSync(asyncio.get_running_loop(), told.put_nowait)
    good = disk.create("log", 1)
    descriptors = [os.open(disk._folder / "log", os.O_RDWR), unsyncable()]
    sync.start(Path("log"), descriptors[0], lambda: told.put_nowait("first"))
    sync.start(Path("log"), descriptors[1], lambda: told.put_nowait("second"))
    sync.start(Path("log"), descriptors[0], lambda: told.put_nowait("third"))
    sync.settle()
    sync.close()
    assert await asyncio.wait_for(told.get(), 10) == "first"
    failure = await asyncio.wait_for(told.get(), 10)
    assert str(failure) == "log: sync: Invalid argument"
    assert told.empty()
    good.close()
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_sync_that_ends_after_the_loop_tells_nobody(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    sync = ThreadSync(loop, lambda _: None)
    loop.close()
    descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    sync.start(tmp_path, descriptor, lambda: None)
    sync.settle()
    sync.close()
    os.close(descriptor)


@pytest.mark.parametrize("sync", [InlineSync(), PageSync()])
def test_what_done_raises_is_not_the_disks_fault(tmp_path: Path, sync: Sync) -> None:
    disk = FolderDisk(tmp_path / "disk", sync)
    file = disk.create("log", 1)

    def done() -> None:
        raise OSError("an effect failed")

    with pytest.raises(OSError, match="an effect failed"):
        file.sync(done)
    file.close()
    disk.close()


def test_elsewhere_than_on_linux_the_adapters_say_so() -> None:
    code = (
        "import sys, asyncio, msgspec, fcntl\n"
        "from tandem.domain.errors import ConfigurationError\n"
        "sys.platform = 'win32'\n"
        "try:\n"
        "    import tandem.adapters.local.disk\n"
        "except ConfigurationError as error:\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "this system is win32, and Tandem runs on Linux\n"
