"""Session files: what was answered once, in a form that can be run again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.errors import ConfigurationError
from tandem.wiring.session_file import (
    Line,
    SessionFile,
    read_session,
    session_text,
    write_session,
)

SESSION = SessionFile(
    workers=5,
    replay="data/x.gz",
    speed="20",
    lasts="5m",
    commands=(Line(do="order buy TSLA 40"), Line(do="algo twap buy TSLA 40", after="2s")),
)


def test_a_session_that_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    """A1."""
    path = tmp_path / "s.toml"
    write_session(path, SESSION)
    assert read_session(path) == SESSION
    assert [one.name for one in tmp_path.iterdir()] == ["s.toml"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="'\"\\"), max_size=40))
def test_any_text_of_a_command_comes_back(text: str) -> None:
    import msgspec

    session = SessionFile(workers=2, commands=(Line(do="order " + text),))
    assert msgspec.toml.decode(session_text(session), type=SessionFile) == session


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("workers = 2\ncommands = []", "0 commands"),
        ('workers = 2\n[[commands]]\ndo = "up"', "command 1, 'up'"),
        ('workers = 2\n[[commands]]\ndo = ""', "command 1, ''"),
        ('workers = 2\n[[commands]]\ndo = "order \'x"', "No closing quotation"),
        ('workers = "x"\n[[commands]]\ndo = "order"', "workers"),
        ('workers = 2\nworker = 3\n[[commands]]\ndo = "order"', "worker"),
        ("workers = ", "Invalid value"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, text: str, word: str
) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=word) as caught:
        read_session(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_or_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_session(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="No such file"):
        write_session(tmp_path / "none" / "s.toml", SESSION)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=str(path)):
        read_session(path)
