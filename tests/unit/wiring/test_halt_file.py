"""The file of a halt: durable, and never mistaken for none."""

from pathlib import Path

import pytest

from tandem.domain.commands import HaltTrading
from tandem.wiring.halt_file import DAMAGED, clear_halt, new_halt, read_halt, write_halt
from tandem.wiring.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def test_a_halt_stands_until_it_is_cleared(home: Home) -> None:
    """C14."""
    assert read_halt(home) is None
    halt = new_halt("lunch")
    write_halt(home, halt)
    assert read_halt(home) == halt
    assert halt.command == HaltTrading(reason="lunch", halt_id=halt.halt_id)
    assert home.halt_file.stat().st_mode & 0o777 == 0o600
    clear_halt(home)
    clear_halt(home)
    assert read_halt(home) is None


def test_a_second_halt_takes_the_place_of_the_first_and_leaves_nothing_half_made(
    home: Home,
) -> None:
    first, second = new_halt("one"), new_halt("two")
    assert first.halt_id != second.halt_id
    write_halt(home, first)
    write_halt(home, second)
    assert read_halt(home) == second
    assert sorted(path.name for path in home.folder.iterdir()) == ["halt.json", "run"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"halt_id": 1}'])
def test_a_halt_file_that_says_nothing_is_a_halt(home: Home, content: bytes) -> None:
    """C14: it fails closed."""
    home.halt_file.write_bytes(content)
    found = read_halt(home)
    assert found is not None
    assert found.reason == DAMAGED


def test_a_disk_that_refuses_leaves_the_earlier_halt(home: Home) -> None:
    halt = new_halt("one")
    write_halt(home, halt)
    home.halt_file.with_suffix(".taken").touch()
    with pytest.raises(FileExistsError):
        write_halt(home, type(halt)(halt_id="taken", reason="", at_ns=0))  # type: ignore[arg-type]
    assert read_halt(home) == halt
