"""What a person installs: one wheel, without a compiler, a service or Node."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

from tests.system.running import ROOT, WAIT_S

RECORDING = ROOT / "examples" / "data" / "crypto" / "coinbase" / "minute" / "btcusd"
STRATEGY = ROOT / "src" / "tandem" / "strategies" / "shipped" / "sma_ema_cross.lua"
TOOLS = ("cc", "gcc", "clang", "c++", "make", "node", "npm")
SUFFIXES = {".py", ".lua", ".md", ".txt", ".typed"}  # nothing to compile, and nothing compiled


def ran(*arguments: object, folder: Path, path: Path | None = None) -> str:
    """Run a program there; with `path`, it finds no other programs than those."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment |= {"PATH": str(path), "HOME": str(folder)}
    done = subprocess.run(
        [*map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wheel_in(folder: Path) -> Path:
    ran(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_is_installed_and_runs_a_strategy_without_compiler_or_node(tmp_path: Path) -> None:
    """B32: in an environment of its own, with what is locked for these tests."""
    wheel = wheel_in(tmp_path / "wheel")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    package = [one for one in names if one.startswith("tandem/")]
    assert [one for one in package if Path(one).suffix not in SUFFIXES] == []
    assert "tandem/strategies/shipped/sma_ema_cross.lua" in package

    fresh = tmp_path / "fresh"
    programs = fresh / "bin"
    ran(sys.executable, "-m", "venv", "--without-pip", fresh, folder=tmp_path)
    python = programs / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    ran(*pip, "install", "--no-index", "--no-deps", wheel, folder=tmp_path)
    places = ("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    packages = Path(ran(python, *places, folder=tmp_path).strip())
    # A path told by a file has its own such files left alone: so this project is not found twice.
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib"))
    assert [one for one in TOOLS if shutil.which(one, path=str(programs))] == []

    tandem = programs / "tandem"
    where = ("-c", "import tandem; print(tandem.__file__)")
    found = ran(python, *where, folder=tmp_path, path=programs)
    assert Path(found.strip()).is_relative_to(packages)
    shown = ran(tandem, "--help", folder=tmp_path, path=programs)
    assert "Usage: tandem COMMAND" in shown
    arguments = ("strategy", "run", STRATEGY, "BTCUSD", "--bars", RECORDING)
    shown = ran(tandem, *arguments, folder=tmp_path, path=programs)
    assert "\n1440 bars, 166 changes: " in shown
