"""`tandem setup` on a terminal, and the session file that it saved run again."""

import sys
from pathlib import Path

import pexpect

from tests.system.running import RUN, WAIT_S, environment, tandem

ANSWERS = ("", "4", "TSLA", "", "", "80", "3s", "500", "", "")


def test_a_person_answers_trades_and_trades_again_without_a_question(tmp_path: Path) -> None:
    """A1, A7, A47."""
    file, home = tmp_path / "first.toml", tmp_path / "home"
    terminal: pexpect.spawn[str] = pexpect.spawn(
        sys.executable,
        ["-c", RUN, "setup", "--file", str(file), "--home", str(home)],
        env=environment(),
        timeout=WAIT_S,
        encoding="utf-8",
        dimensions=(40, 240),
    )
    try:
        for answer in ANSWERS:
            terminal.expect("\\]: ")
            terminal.sendline(answer)
        terminal.expect("saved as .*first.toml")
        terminal.expect("Trade it now \\(y/n\\) \\[y\\]: ")
        terminal.sendline("")
        terminal.expect("twap +TSLA +buy +80 +[1-9][0-9]* +0 ")  # late, it may leave some
        terminal.expect("exchange's own books to the last digit")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0
    finally:
        terminal.close(force=True)
    code, out, err = tandem("session", "run", file, "--home", home)
    assert code == 0, out + err
    assert "exchange's own books to the last digit" in out
    assert "exchange journal whole" in out


def test_a_session_with_a_command_that_cannot_be_starts_nothing(tmp_path: Path) -> None:
    """A7: the place is named, and no home is made."""
    file, home = tmp_path / "s.toml", tmp_path / "home"
    file.write_text('workers = 3\n[[commands]]\ndo = "algo twap buy TSLA 80 --for"\n')
    code, _, err = tandem("session", "run", file, "--home", home)
    assert code == 2
    assert f"{file}: command 1" in err
    assert not home.exists()
