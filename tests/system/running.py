"""Real pools in temporary homes: started, looked at, and killed by the ids of their processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.domain.views import StatusView
from tandem.wiring.asking import desk_line
from tandem.wiring.home import Home

ROOT = Path(__file__).parent.parent.parent
SHARE_LIST = ROOT / "examples" / "sharelist.txt"
WAIT_S = 30.0
RUN = "from tandem.cli.main import main; main()"


def longer_list(folder: Path, rounds: int) -> Path:
    """Write the paper's list so many times in a row, each time with other quantities.

    The paper's own list is traded so quickly that a process can hardly be killed amid it.
    """
    lines = []
    for number in range(rounds):
        for line in SHARE_LIST.read_text(encoding="utf-8").splitlines():
            symbol, side, quantity, target = line.split()
            lines.append(f"{symbol} {side} {int(quantity) + number} {target}\n")
    path = folder / "longer.txt"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start `tandem` with these arguments; it is ended by its own id, or by itself."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def tandem(*arguments: object) -> tuple[int, str, str]:
    """Run `tandem` to its end; return exit code, output and errors."""
    with ended_at_last(start(*arguments)) as process:
        out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


@contextmanager
def ended_at_last(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """See that the process is gone afterwards, and with it, by the kernel, its whole pool."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def pool(home: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Yield a running `tandem up` that trades, without strategies unless evaluators are said."""
    if "--evaluators" not in arguments:
        arguments = (*arguments, "--no-strategies")
    with ended_at_last(start("up", "--home", home, "--plain", *arguments)) as process:
        wait_for(home, lambda status: status.pool == "trading" and status.priced > 0)
        yield process


def stop(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """End `tandem up` as Ctrl-C does; return exit code, output and errors."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


def wait_for(home: Path, is_wanted: Callable[[StatusView], bool]) -> StatusView:
    """Return the first status that is as wanted."""
    return asyncio.run(_wait_for(Home(home), is_wanted))


async def _wait_for(home: Home, is_wanted: Callable[[StatusView], bool]) -> StatusView:
    async with asyncio.timeout(WAIT_S), desk_line(home) as line:
        while True:
            status = await line.status(WAIT_S)
            if is_wanted(status):
                return status
            await asyncio.sleep(0.02)


def processes(supervisor: int) -> dict[str, int]:
    """Return the processes of a supervisor's pool, by name, the nursery among them."""
    found: dict[str, int] = {}
    for nursery in children(supervisor):
        found[_name(nursery)] = nursery
        for pid in children(nursery):
            found[_name(pid)] = pid
    return found


def children(pid: int) -> list[int]:
    """Return the processes that this one started and that have not been waited for."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(one) for one in text.split()]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return f"gone-{pid}"


def is_alive(pid: int) -> bool:
    """Whether that process runs; one that has ended and waits for its parent does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def memory_of(pid: int) -> bytes:
    """Return all that a process can write to: its heap, stacks and data."""
    content = []
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps.splitlines():
            addresses, rights = line.split()[:2]
            if not rights.startswith("rw") or "[vv" in line:
                continue
            begin, end = (int(one, 16) for one in addresses.split("-"))
            memory.seek(begin)
            content.append(memory.read(end - begin))
    return b"".join(content)
