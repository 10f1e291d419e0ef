"""The hostile strategies, as files: `NAME.OUTCOME.LANGUAGE`.

Each tries to get out, to take what is not its own, to run for ever, or to change what others hear.
One that got what it wanted returns `ESCAPED`, or leaves the file `MARK`, or says the secret.
"""

import enum
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.strategies import Language, StrategyText

FOLDER: Final = Path(__file__).parent
ESCAPED_PPM: Final = 666_000
MARK: Final = Path("/tmp/tandem-hostile-escaped")
PLANTED: Final = "a-secret-of-the-evaluator"
PLANTED_NAME: Final = "TANDEM_HOSTILE_SECRET"


class Outcome(enum.StrEnum):
    """How a hostile strategy ends."""

    FAILED = "failed"  # refused, or an error of its own: it is suspended alone
    HARMLESS = "harmless"  # it did what it wanted, and that harms nobody
    ENDED = "ended"  # its process ended, or had to be ended


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    name: str
    expected: Outcome
    text: StrategyText


def scripts(language: Language) -> list[Script]:
    """Return all in one language, by name."""
    found = []
    for path in sorted((FOLDER / language).glob(f"*.{language}")):
        name, expected, _ = path.name.split(".")
        # Not `read_text`, which would mend line ends: a lone carriage return is one of the tricks.
        text = path.read_bytes().decode("utf-8")
        found.append(
            Script(
                name=name,
                expected=Outcome(expected),
                text=StrategyText(name=name, language=language, text=text),
            )
        )
    return found
