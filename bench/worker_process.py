"""A worker as a process: `python -m bench.worker_process FOLDER NAME HOST [SAMPLES]`.

In a pool whose shape has ports it dials them at HOST over mutual TLS, as one of another computer.
"""

import secrets
import sys
from pathlib import Path

from bench import cluster_settings
from bench.child_process import serve
from bench.cluster_settings import Shape
from tandem.adapters.lan import contexts
from tandem.adapters.lan.network import TlsNetwork
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.core.trading.pulse import HEARTBEAT_NS
from tandem.core.trading.worker import Worker
from tandem.domain.ids import Incarnation
from tandem.shells.worker import WorkerShell


def worker(folder: Path, name: str, host: str) -> WorkerShell:
    """Return a worker that will dial the coordinator and the exchange of `folder`."""
    ports = Shape.read(folder).ports
    incarnation = Incarnation(secrets.token_hex(8))
    if ports is not None:
        dialing = contexts.dialing(cluster_settings.lan_folder(folder))
        return WorkerShell(
            Worker(incarnation, name, shares_clock=False),
            clock=SystemClock(),
            network=TlsNetwork(dialing=dialing, say=lambda _: None),
            coordinator=f"{host}:{ports[0]}",
            venues={cluster_settings.VENUE: f"{host}:{ports[1]}"},
            heartbeat_ns=HEARTBEAT_NS,
        )
    return WorkerShell(
        Worker(incarnation, name),
        clock=SystemClock(),
        network=UnixNetwork(),
        coordinator=cluster_settings.workers_address(folder),
        venues={cluster_settings.VENUE: cluster_settings.exchange_address(folder)},
        heartbeat_ns=HEARTBEAT_NS,
    )


def main() -> None:
    """Work until standard input ends."""
    shell = worker(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    serve(shell.run(), Path(sys.argv[4]) if len(sys.argv) > 4 else None)


if __name__ == "__main__":
    main()
