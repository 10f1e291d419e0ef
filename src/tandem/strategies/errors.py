"""What is wrong with a strategy, and where."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from tandem.domain.errors import TandemError


class StrategyError(TandemError):
    """A strategy that cannot be used, or that failed.

    `line` counts from 1; None where no line can be named. Its text is shown to the user.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line
        self.message = message

    def at(self, line: int | None) -> "StrategyError":
        """Return it with this line, when it names none of its own; there is no line 0."""
        return self if self.line is not None else StrategyError(line or None, self.message)


class Problem(NamedTuple):
    """Something in a text that is wrong (`is_error`), or looks so. Line and column are from 1."""

    line: int
    column: int
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        kind = "" if self.is_error else "warning: "
        return f"{self.line}:{self.column}: {kind}{self.message}"


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question that names what comes near a word; empty when nothing does."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return f"; did you mean '{near[0]}'?" if near else ""
