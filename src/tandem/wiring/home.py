"""The home folder: where journals, sockets and settings of one pool are, and who runs it."""

import fcntl
import os
from pathlib import Path

from tandem.adapters.local.folder import private_folder
from tandem.domain.errors import ConfigurationError

SOCKETS = ("workers.sock", "control.sock", "exchange.sock", "candles.ipc", "tasks.ipc")
OWN_SOCKET = ".control.sock"


class HomeBusyError(ConfigurationError):
    """Another `tandem up` runs in this home; `pid` is its process."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        super().__init__(f"{folder}: a pool runs here already, as process {pid or 'unknown'}")
        self.pid = pid


class Home:
    """Paths below one folder. Nothing is made before it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.coordinator = folder / "coordinator"
        self.exchange = folder / "exchange"
        self.run = folder / "run"
        self.lan = folder / "lan"  # the pool's authority, and which machines are in
        self.joined = folder / "joined"  # of which pool this computer is a machine
        self.market = folder / "market"  # bars
        self.decisions = folder / "decisions"  # what was decided on them
        self.workers_socket = str(self.run / "workers.sock")
        self.control_socket = str(self.run / "control.sock")
        self.exchange_socket = str(self.run / "exchange.sock")
        self.stage_file = self.run / "stage.json"  # what the exchange plays, for the others
        self.settings_file = folder / "tandem.toml"
        self.paper_file = folder / "paper.json"
        self.log_file = folder / "log.txt"
        self.lock_file = folder / "supervisor.lock"
        self.halt_file = folder / "halt.json"
        self.bars_file = folder / "bars.sqlite"

    def fault_file(self, name: str) -> Path:
        """Return where the process `name` says what made it end."""
        return self.run / f"{name}.fault"

    @property
    def is_machine(self) -> bool:
        """Whether this is the home of a machine in another computer's pool."""
        return self.joined.is_dir() and not self.paper_file.exists()

    def own_socket(self, name: str) -> str:
        """Return where the process `name` can be asked whether it lives, and be halted."""
        return str(self.run / f"{name}{OWN_SOCKET}")

    def own_sockets(self) -> dict[str, str]:
        """Return those of all processes of this home, by name; some may have ended."""
        found = sorted(self.run.glob(f"*{OWN_SOCKET}")) if self.run.is_dir() else []
        return {one.name.removesuffix(OWN_SOCKET): str(one) for one in found}

    def make(self) -> None:
        """Make the folders, closed to other users.

        Raises:
            ConfigurationError: a folder cannot be made, or is open to others.
        """
        for folder in (self.folder, self.run):
            private_folder(folder)

    def running_pid(self) -> int | None:
        """Return the process that runs a pool here; None when nobody does."""
        try:
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _pid_in(descriptor) or 0
        finally:
            os.close(descriptor)
        return None

    def sweep(self) -> None:
        """Remove what the processes of an ended run left in `run/`; only under the lock."""
        for path in self.run.iterdir():
            # The stage too: what an exchange that was killed played is no longer so.
            is_known = path == self.stage_file or path.name in SOCKETS
            if is_known or path.name.endswith((OWN_SOCKET, ".fault")):
                path.unlink(missing_ok=True)


class HomeLock:
    """Held by the process that supervises the pool of a home, until it ends."""

    def __init__(self, home: Home) -> None:
        """Take the lock.

        Raises:
            HomeBusyError: somebody has it.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(home.lock_file, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = _pid_in(self._descriptor)
            os.close(self._descriptor)
            raise HomeBusyError(home.folder, pid) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let the next one have it."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _pid_in(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None


def default_folder() -> Path:
    """Return `$XDG_DATA_HOME/tandem`, or `~/.local/share/tandem`."""
    data = os.environ.get("XDG_DATA_HOME", "")
    # The specification says that a relative path there is to be ignored.
    folder = Path(data) if data.startswith("/") else Path.home() / ".local" / "share"
    return folder / "tandem"
