"""The examples of `tandem.messaging`, with nothing else of Tandem on the computer."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SHOWN = {
    "requests": "server 2: refused, NOTHING is not traded here",
    "streams": "coinbase: 500 messages, in order, none missing",
    "tasks": "300 tasks, 300 outcomes",
}


@pytest.mark.parametrize("example", SHOWN)
def test_an_example_runs_with_this_library_alone(tmp_path: Path, example: str) -> None:
    """B27: the three patterns, with none of the rest there."""
    alone = tmp_path / "tandem" / "messaging"
    shutil.copytree(ROOT / "src" / "tandem" / "messaging", alone)
    (tmp_path / "tandem" / "__init__.py").touch()
    program = ROOT / "examples" / "messaging" / f"{example}.py"
    shown = subprocess.run(
        [sys.executable, str(program)],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert SHOWN[example] in shown.stdout
