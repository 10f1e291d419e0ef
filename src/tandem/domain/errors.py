"""Every error that a caller can be asked to handle."""


class TandemError(Exception):
    """Root of all Tandem errors, so that a shell can tell ours from Python's."""


class OffGridError(TandemError):
    """A price or quantity does not lie on the instrument's tick or lot grid."""


class UnknownInstrumentError(TandemError):
    """No instrument of that name is in the catalogue."""


class ConfigurationError(TandemError):
    """A setting, or a combination of settings, that cannot be; says which and why."""


class FrameError(TandemError):
    """Bytes on a connection that are not ours, too long, or out of order: close it."""


class JournalCorruptError(TandemError):
    """A bad batch stands before a good one; names the file and the offset."""


class JournalBusyError(TandemError):
    """Another process holds this journal."""


class DiskFullError(TandemError):
    """No room: refuse new orders, allow cancels."""


class DiskFailedError(TandemError):
    """The disk did not confirm a write: nobody knows what it holds, so the process must end."""


class ReplayMismatchError(TandemError):
    """A recorded event gave other effects than those recorded with it."""


class VenueUnreachableError(TandemError):
    """No answer: the venue may or may not have acted. The attempt becomes UNKNOWN."""


class CoordinatorUnreachableError(TandemError):
    """No coordinator answers at the address; whether it acted on the last command is unknown."""


class ProcessUnreachableError(TandemError):
    """A process does not answer on its own control socket: it has gone, or it hangs."""


class ShareListError(TandemError):
    """A share list that cannot be traded as it stands: where, and what was expected there.

    `line` and `column` count from 1; `seen` is shortened and printable.
    """

    def __init__(self, *, line: int, column: int, seen: str, expected: str) -> None:
        super().__init__(f"line {line}, column {column}: {seen}, expected {expected}")
        self.line = line
        self.column = column
        self.seen = seen
        self.expected = expected


class MarketFileError(TandemError):
    """Recorded market data that cannot be read; names the file and the line."""
