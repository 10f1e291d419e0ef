"""Folders that belong to one user alone."""

import os
import stat
from pathlib import Path

from tandem.domain.errors import ConfigurationError


def private_folder(folder: Path) -> Path:
    """Return `folder`, made with mode 0700 when it is not there.

    Raises:
        ConfigurationError: it exists and is not ours, or is open to others. It is not changed:
            it may have been named by mistake.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error
    if status.st_uid != os.geteuid():
        raise ConfigurationError(f"{folder}: belongs to user {status.st_uid}, not to us")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise ConfigurationError(f"{folder}: open to others (mode {mode:04o}), must be 0700")
    return folder
