"""Share lists that cannot be traded: refused with line and reason, and nothing is sent."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.cli.calling import exit_code
from tandem.cli.share_list_run import Run, trade_list
from tandem.domain.errors import TandemError
from tandem.wiring.home import Home
from tests.system.running import RUN, environment, tandem

MEASURING = (
    "import resource, subprocess, sys;"
    "code = subprocess.run(sys.argv[1:]).returncode;"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);"
    "sys.exit(code)"
)

LISTS: dict[str, tuple[bytes, str]] = {
    "wrong side": (b"T buy 10 ALL\nGE hold 10 ALL\n", "line 2, column 4"),
    "side in a foreign tongue": (b"GE kaufen 10 ALL\n", "line 1, column 4"),
    "negative": (b"T buy -10 ALL\n", "line 1, column 7"),
    "zero": (b"T buy 0 ALL\n", "line 1, column 7"),
    "many zeros": (b"T buy 000.000 ALL\n", "line 1, column 7"),
    "fractional lot": (b"T buy 1.5 ALL\n", "line 1, column 7"),
    "tiny fraction": (b"T buy 1.00000000000000000000000000000000001 ALL\n", "line 1, column 7"),
    "a word for a number": (b"T buy ten ALL\n", "line 1, column 7"),
    "not a number": (b"T buy nan ALL\n", "line 1, column 7"),
    "infinite": (b"T buy inf ALL\n", "line 1, column 7"),
    "with an exponent": (b"T buy 1e3 ALL\n", "line 1, column 7"),
    "hexadecimal": (b"T buy 0x10 ALL\n", "line 1, column 7"),
    "with a plus": (b"T buy +10 ALL\n", "line 1, column 7"),
    "with a thousands separator": (b"T buy 1,000 ALL\n", "line 1, column 7"),
    "more than there can be": (b"T buy 99999999999999999999999 ALL\n", "line 1, column 7"),
    "missing target": (b"T buy 10\n", "line 1, column 9"),
    "missing quantity": (b"T buy ALL\n", "line 1, column 10"),
    "symbol alone": (b"T\n", "line 1, column 2"),
    "extra field": (b"T buy 10 ALL now\n", "line 1, column 14"),
    "unknown symbol": (b"T buy 10 ALL\nNOPE buy 10 ALL\n", "line 2, column 1"),
    "symbol in small letters": (b"tsla buy 10 ALL\n", "such as TSLA"),
    "unknown target": (b"T buy 10 SOME\n", "line 1, column 10"),
    "unknown worker": (b"T buy 10 w1,w99\n", "line 1, column 13"),
    "a worker twice": (b"T buy 10 w1,w1\n", "line 1, column 13"),
    "an empty name": (b"T buy 10 w1,,w2\n", "line 1, column 13"),
    "NUL bytes": (b"T buy 10\0 ALL\n", "line 1, column 9"),
    "only NUL bytes": (b"\0\0\0\0", "line 1, column 1"),
    "bad UTF-8": (b"T buy 10 ALL\nT buy \xff\xfe ALL\n", "line 2, column 7"),
    "UTF-16": ("T buy 10 ALL\n".encode("utf-16"), "line 1, column 1"),
    "a right-to-left mark": ("T buy 10\u200f ALL\n".encode(), "line 1, column 9"),
    "an escape sequence": (b"T \x1b[31mbuy 10 ALL\n", "line 1, column 3"),
    "separated by commas": (b"T,buy,10,ALL\n", "line 1"),
    "empty": (b"", "line 1, column 1"),
    "blank lines and comments": (b"\n# nothing\n\n", "line 3, column 1"),
    "one line too long": (b"T buy 10 ALL " + b" " * 2_000, "at most 1,000 bytes a line"),
    "a million lines": (b"T buy 10 ALL\n" * 1_000_000, "line 100001, column 1"),
    "good but for the last line": (b"T buy 10 ALL\n" * 500 + b"T", "line 501, column 2"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_malformed_list_is_refused_with_its_place_before_anything_starts(
    name: str, tmp_path: Path
) -> None:
    """A31: exit code 2, and not even a pool is started."""
    content, expected = LISTS[name]
    file = tmp_path / "list.txt"
    file.write_bytes(content)
    home = tmp_path / "home"
    out, err = io.StringIO(), io.StringIO()
    run = Run(file=file, name="wrong", workers=None, drill=False, as_json=False)
    with pytest.raises(TandemError) as caught:
        asyncio.run(trade_list(run, Home(home), out, err=err))
    assert exit_code(caught.value) == 2
    assert expected in str(caught.value)
    assert str(file) in str(caught.value)
    assert out.getvalue() == err.getvalue() == ""
    assert not home.exists()


def test_a_list_may_only_name_workers_that_would_trade(tmp_path: Path) -> None:
    """A31: of five workers, four trade."""
    file = tmp_path / "list.txt"
    file.write_text("T buy 10 w4\nT buy 10 w5\n", encoding="utf-8")
    code, out, err = tandem("trade", file, "--home", tmp_path / "home", "--workers", 5)
    assert (code, out) == (2, "")
    assert "line 2, column 10: saw 'w5'" in err


@pytest.mark.parametrize("workers", ["1", "0", "-3", "5000", "many"])
def test_a_pool_has_two_workers_or_more(tmp_path: Path, workers: str) -> None:
    code, out, err = tandem("up", "--home", tmp_path / "home", f"--workers={workers}")
    assert (code, out) == (2, "")
    assert "workers" in err


def test_there_are_thirty_of_them() -> None:
    assert len(LISTS) >= 30


@pytest.mark.parametrize("name", ["missing", "directory", "closed"])
def test_what_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    """A31."""
    file = tmp_path / name
    if name == "directory":
        file.mkdir()
    elif name == "closed":
        file = file / "below-nothing"
    code, out, err = tandem("trade", file, "--home", tmp_path / "home")
    assert (code, out) == (2, "")
    assert str(file) in err


@pytest.mark.parametrize("content", [b"T", b"\0"])
def test_a_line_of_100_megabytes_is_refused_in_bounded_memory(
    content: bytes, tmp_path: Path
) -> None:
    """A31: the real command, measured by the kernel."""
    file = tmp_path / "long.txt"
    with file.open("wb") as writing:
        for _ in range(100):
            writing.write(content * 1_000_000)
    # A process begins its life with the peak of the one that it was forked from, so a small one
    # stands between: what it says of its children is theirs alone.
    command = [sys.executable, "-c", MEASURING, sys.executable, "-c", RUN, "trade", str(file)]
    measured = subprocess.run(
        [*command, "--home", str(tmp_path / "home")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert measured.returncode == 2
    assert "line 1, column 1" in measured.stderr
    assert int(measured.stdout.split()[-1]) < 150_000  # kilobytes
