"""The paper exchange as a process: `python -m bench.exchange_process FOLDER page|sync [SAMPLES]`.

page: its journal outlives the process but not the power; sync: every batch waits for the disk.
"""

import sys
from pathlib import Path

from bench import cluster_settings
from bench.child_process import serve
from bench.cluster_settings import Shape
from tandem.adapters.journal.log import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import InlineSync, PageSync
from tandem.core.matching.exchange import Exchange
from tandem.shells.exchange import ExchangeShell
from tandem.wiring.networks import pool_network


def main() -> None:
    """Serve until standard input ends."""
    folder = Path(sys.argv[1])
    sync = PageSync() if sys.argv[2] == "page" else InlineSync()
    shape = Shape.read(folder)
    _, journal = open_log(FolderDisk(folder / "exchange", sync))
    shell = ExchangeShell(
        Exchange(cluster_settings.exchange_settings(shape)),
        journal,
        clock=SystemClock(),
        network=pool_network(cluster_settings.lan_folder(folder) if shape.ports else None),
        address=cluster_settings.exchange_address(folder),
        elsewhere=(f"{cluster_settings.HERE}:{shape.ports[1]}",) if shape.ports else (),
    )
    serve(shell.run(), Path(sys.argv[3]) if len(sys.argv) > 3 else None)


if __name__ == "__main__":
    main()
