"""Why another computer was turned away, and telling it without drowning the log."""

from collections.abc import Callable
from typing import Final

from tandem.domain.errors import TandemError

LINES_MAX: Final = 20
SPAN_S: Final = 60.0


class JoinRefusedError(TandemError):
    """This computer may not join; says why, and what would help."""


class SparingLog:
    """Passes on at most `LINES_MAX` lines in a minute, and how many it kept back.

    Whoever knocks at an open port a thousand times a second must not fill the disk.
    """

    def __init__(self, say: Callable[[str], None], clock_s: Callable[[], float]) -> None:
        self._say = say
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._said = 0

    def say(self, text: str) -> None:
        """Say it, unless too much was said of late."""
        now_s = self._clock_s()
        if now_s - self._began_s >= SPAN_S:
            if self._said > LINES_MAX:
                self._say(f"{self._said - LINES_MAX} more like these were not written")
            self._began_s, self._said = now_s, 0
        self._said += 1
        if self._said <= LINES_MAX:
            self._say(text)
