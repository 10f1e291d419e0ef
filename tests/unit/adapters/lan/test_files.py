"""Private files."""

import fcntl
import os
import stat
from pathlib import Path

import pytest

from tandem.adapters.lan.files import held, write_private


def test_a_private_file_is_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "key", b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert (tmp_path / "key").read_bytes() == b"one"


def test_a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"a long first content")
    left_over = tmp_path / "key.new"
    left_over.write_bytes(b"half a content of somebody who was killed here")
    left_over.chmod(0o644)
    write_private(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"second"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path), (tmp_path / "lock").open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with held(tmp_path):
        pass
