"""The halt of a home: a small file that stands until trading is resumed.

`tandem halt` writes it before it tells anybody, and a coordinator that finds it starts halted. So a
halt that no coordinator heard is still one, whatever ends in the meantime.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.local.clock import SystemClock
from tandem.domain.commands import HaltTrading
from tandem.domain.ids import HaltId
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_name

DAMAGED: Final = "the halt file is damaged"


class HaltFile(msgspec.Struct, frozen=True, kw_only=True):
    """One halt: its id, why, and when it was typed (UTC in nanoseconds)."""

    halt_id: HaltId
    reason: str
    at_ns: int

    @property
    def command(self) -> HaltTrading:
        """What a coordinator is told."""
        return HaltTrading(reason=self.reason, halt_id=self.halt_id)


def new_halt(reason: str) -> HaltFile:
    """Return a halt with an id that was never used."""
    at_ns = SystemClock().now().market_ns
    return HaltFile(halt_id=HaltId(fresh_name("halt")), reason=reason, at_ns=at_ns)


def write_halt(home: Home, halt: HaltFile) -> None:
    """Make the halt durable; an earlier one is replaced.

    Raises:
        OSError: the disk refuses; an earlier halt may still stand.
    """
    half_made = home.halt_file.with_suffix(f".{halt.halt_id}")
    descriptor = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(halt))
        file.flush()
        os.fsync(descriptor)
    half_made.rename(home.halt_file)
    _sync_folder(home.folder)


def read_halt(home: Home) -> HaltFile | None:
    """Return the halt that stands; one that cannot be read is one as well."""
    try:
        return msgspec.json.decode(home.halt_file.read_bytes(), type=HaltFile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError):
        return HaltFile(halt_id=HaltId(DAMAGED), reason=DAMAGED, at_ns=0)


def clear_halt(home: Home) -> None:
    """Let no later coordinator start halted because of it; durable on return.

    Raises:
        OSError: the disk refuses.
    """
    home.halt_file.unlink(missing_ok=True)
    _sync_folder(home.folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
