"""A session file: a pool and what it trades, so that it can be run again without a question.

    workers = 9
    lasts = "5m"

    [[commands]]
    do = "algo twap buy TSLA 400 --for 4m --slices 20"
    after = "2s"

Each command is what one would type behind `tandem`, so whatever can be typed can stand here, and
is checked by the same code. `replay`, `begin` and `speed` are those of `tandem up`; a path that
is not absolute counts from the folder of the file.
"""

import json
import shlex
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.wiring.whole_files import write_whole

ALLOWED: Final = ("order", "algo", "limits", "objectives", "halt", "resume", "positions")
COMMANDS_MAX: Final = 10_000


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command and when it is given, after the pool trades; a span of market time."""

    do: str
    after: str = ""

    @property
    def words(self) -> list[str]:
        """The command's words, as a shell would split them.

        Raises:
            ConfigurationError: a quotation is not closed.
        """
        try:
            return shlex.split(self.do)
        except ValueError as error:
            raise ConfigurationError(f"{self.do!r}: {error}") from error


class SessionFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. After `lasts` of market time, empty for no end, everything is canceled."""

    workers: int
    commands: tuple[Line, ...]
    replay: str = ""
    begin: str = ""
    speed: str = "1"
    lasts: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.commands) <= COMMANDS_MAX:
            raise ConfigurationError(f"{len(self.commands)} commands: expected 1 to {COMMANDS_MAX}")
        for number, line in enumerate(self.commands, start=1):
            name = (line.words or [""])[0]
            if name not in ALLOWED:
                raise ConfigurationError(
                    f"command {number}, {line.do!r}: expected one that begins with "
                    f"{', '.join(ALLOWED)}"
                )


def read_session(path: Path) -> SessionFile:
    """Return what the file says.

    Raises:
        ConfigurationError: it cannot be read, or says what cannot be; names the place.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=SessionFile)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (ConfigurationError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def session_text(session: SessionFile) -> str:
    """Return the file's text; reading it gives an equal session."""
    lines = [
        "# What 'tandem setup' was told; 'tandem session run FILE' trades it without asking.",
        f"workers = {session.workers}",
    ]
    for name in ("replay", "begin", "speed", "lasts"):
        value: str = getattr(session, name)
        if value and (name, value) != ("speed", "1"):
            lines.append(f"{name} = {_quoted(value)}")
    for line in session.commands:
        lines += ["", "[[commands]]", f"do = {_quoted(line.do)}"]
        if line.after:
            lines.append(f"after = {_quoted(line.after)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a TOML basic string: JSON's, but that it escapes DEL too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_session(path: Path, session: SessionFile) -> None:
    """Write the file as a whole: afterwards it is the old or the new.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    write_whole(path, session_text(session))
