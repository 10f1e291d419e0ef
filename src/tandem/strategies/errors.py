"""What is wrong with a strategy, and where."""

from tandem.domain.errors import TandemError


class StrategyError(TandemError):
    """A strategy that cannot be used, or that failed.

    `line` counts from 1; None where no line can be named. Its text is shown to the user.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line
        self.message = message
