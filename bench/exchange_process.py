"""The paper exchange as a process: `python -m bench.exchange_process FOLDER page|sync [SAMPLES]`.

page: its journal outlives the process but not the power; sync: every batch waits for the disk.
"""

import sys
from pathlib import Path

from bench import cluster_settings
from bench.child_process import serve
from tandem.adapters.journal.log import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.network import UnixNetwork
from tandem.adapters.local.sync import InlineSync, PageSync
from tandem.core.matching.exchange import Exchange
from tandem.shells.exchange import ExchangeShell


def main() -> None:
    """Serve until standard input ends."""
    folder = Path(sys.argv[1])
    sync = PageSync() if sys.argv[2] == "page" else InlineSync()
    _, journal = open_log(FolderDisk(folder / "exchange", sync))
    shell = ExchangeShell(
        Exchange(cluster_settings.exchange_settings()),
        journal,
        clock=SystemClock(),
        network=UnixNetwork(),
        address=cluster_settings.exchange_address(folder),
    )
    serve(shell.run(), Path(sys.argv[3]) if len(sys.argv) > 3 else None)


if __name__ == "__main__":
    main()
