"""A process that works until its standard input ends, so that none is ever left behind."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop

from bench.sampling import Samples

STDIN = 0


def start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start `python -m module` as a child that ends when we do."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE)


def end(children: "list[subprocess.Popen[bytes]]") -> None:
    """Let the children end, and wait for it."""
    for child in children:
        if child.stdin is not None:
            child.stdin.close()
    for child in children:
        child.wait(timeout=20)


def serve(work: Coroutine[Any, Any, None], samples_path: Path | None = None) -> None:
    """Do `work` on uvloop until standard input ends; take samples when asked to."""
    uvloop.run(_until_input_ends(work, samples_path))


async def _until_input_ends(work: Coroutine[Any, Any, None], samples_path: Path | None) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def on_input() -> None:
        if not os.read(STDIN, 100):
            ended.set()

    loop.add_reader(STDIN, on_input)
    # What was imported stays for ever: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    samples = Samples() if samples_path is not None else None
    if samples is not None:
        samples.start()
    task = asyncio.create_task(work)
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if samples is not None and samples_path is not None:
        samples.write(samples_path)
    loop.remove_reader(STDIN)
    if task.done():
        task.result()
    task.cancel()
    waiting.cancel()


def cpu_ns(pid: int) -> int:
    """Return the CPU time that a process has used.

    Source: Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat, first field.
    """
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])


def pss_mb(pid: int) -> float:
    """Return a process' share of the memory it uses: what it shares is divided by the sharers."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
