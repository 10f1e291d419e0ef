"""Pools that other computers join: here both are this one, with a home each."""

import json
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.system.running import WAIT_S, ended_at_last, start, tandem

HERE = "127.0.0.1"


def free_ports() -> int:
    """Return the first of five ports in a row at which nobody listens.

    They lie below those that the system gives to whoever connects.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            with ExitStack() as stack:
                for number in range(5):
                    probe = stack.enter_context(socket.socket())
                    probe.bind((HERE, port + number))
        except OSError:
            continue
        return port


def token_of(home: Path) -> str:
    code, out, err = tandem("worker", "token", "--json", "--home", home)
    assert code == 0, err
    return str(json.loads(out)["token"])


@contextmanager
def machine(home: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Yield a running `tandem worker join`."""
    with ended_at_last(start("worker", "join", *arguments, "--home", home)) as process:
        yield process


def lines_until(process: subprocess.Popen[str], wanted: str, count: int = 1) -> list[str]:
    """Return what a process prints until it has said `wanted` so often.

    Fails when it ends without; it is ended when it takes too long.
    """
    assert process.stdout is not None
    lines: list[str] = []
    too_late = threading.Timer(WAIT_S, process.kill)
    too_late.start()
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            count -= wanted in line
            if not count:
                return lines
    finally:
        too_late.cancel()
    raise AssertionError("\n".join([f"it ended without {wanted!r}:", *lines]))
