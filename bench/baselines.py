"""The C programs of `bench/limits`: compiled when there is a compiler, run when they are there."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec

SOURCES: Final = Path(__file__).parent / "limits"
BUILD: Final = SOURCES / "build"


def compiled(name: str) -> Path | None:
    """Return the program of that name, compiled if need be; None without a compiler."""
    source, program = SOURCES / f"{name}.c", BUILD / name
    newest = max(source.stat().st_mtime, (SOURCES / "wire.h").stat().st_mtime)
    if program.exists() and program.stat().st_mtime >= newest:
        return program
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    BUILD.mkdir(exist_ok=True)
    subprocess.run([compiler, "-O2", "-Wall", "-o", program, source], check=True)
    return program


def run(name: str, *arguments: str) -> dict[str, float] | None:
    """Return what the program measured; None when it cannot be compiled here."""
    program = compiled(name)
    if program is None:
        return None
    done = subprocess.run([program, *arguments], check=True, capture_output=True, timeout=60)
    return msgspec.json.decode(done.stdout, type=dict[str, float])
