"""`tandem up` on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect

from tests.system.running import WAIT_S, environment, tandem, wait_for


@contextmanager
def _terminal(home: Path, *arguments: str) -> "Iterator[pexpect.spawn[str]]":
    run = "from tandem.cli.main import main; main()"
    spawned = pexpect.spawn(
        sys.executable,
        ["-c", run, "up", "--home", str(home), *arguments],
        env=environment(),
        timeout=WAIT_S,
        encoding="utf-8",
        dimensions=(40, 120),
    )
    try:
        spawned.expect("pool trading")
        yield spawned
    finally:
        spawned.close(force=True)


def _leave_an_order_open(home: Path) -> None:
    code, out, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
    assert code == 0, out + err
    wait_for(home, lambda status: all(one.open_orders for one in status.slots))


def test_the_table_is_drawn_in_place_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with _terminal(tmp_path / "home") as terminal:
        terminal.expect("\x1b\\[[0-9]+A")  # the cursor goes back up over the last table
        terminal.expect("w8 +A8")
        terminal.expect("spare")
        terminal.sendintr()
        terminal.expect("all processes have ended")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0


def test_the_person_is_asked_about_open_orders(tmp_path: Path) -> None:
    """A11: and the answer is followed, whatever the option says."""
    home = tmp_path / "home"
    with _terminal(home) as terminal:
        _leave_an_order_open(home)
        terminal.sendintr()
        terminal.expect("Cancel them\\? \\[Y/n\\]")
        terminal.sendline("n")
        terminal.expect("stay open at the exchange")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0
    with _terminal(home, "--on-exit", "keep") as terminal:
        terminal.sendintr()
        terminal.expect("Cancel them\\? \\[y/N\\]")
        terminal.sendline("y")
        terminal.expect("none is open at the exchange")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0
