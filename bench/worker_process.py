"""A worker as a process: `python -m bench.worker_process FOLDER NAME [SAMPLES]`."""

import secrets
import sys
from pathlib import Path

from bench import cluster_settings
from bench.child_process import serve
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.core.trading.pulse import HEARTBEAT_NS
from tandem.core.trading.worker import Worker
from tandem.domain.ids import Incarnation
from tandem.shells.worker import WorkerShell


def worker(folder: Path, name: str) -> WorkerShell:
    """Return a worker that will dial the coordinator and the exchange of `folder`."""
    return WorkerShell(
        Worker(Incarnation(secrets.token_hex(8)), name),
        clock=SystemClock(),
        network=UnixNetwork(),
        coordinator=cluster_settings.workers_address(folder),
        venues={cluster_settings.VENUE: cluster_settings.exchange_address(folder)},
        heartbeat_ns=HEARTBEAT_NS,
    )


def main() -> None:
    """Work until standard input ends."""
    shell = worker(Path(sys.argv[1]), sys.argv[2])
    serve(shell.run(), Path(sys.argv[3]) if len(sys.argv) > 3 else None)


if __name__ == "__main__":
    main()
