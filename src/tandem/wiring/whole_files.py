"""Files for people, written as a whole: afterwards there is the old one or the new one."""

import os
from pathlib import Path

from tandem.domain.errors import ConfigurationError


def write_whole(path: Path, text: str) -> None:
    """Put `text` under `path`, exactly as it is; durable on return.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    half_made = path.with_name(path.name + ".new")
    try:
        with half_made.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half_made.rename(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
