"""Workers on their way in: each holds what the broker gave it, and confirms it, before any task.

Pure, and told the time. A worker that confirms another hash, or none for long, is given it again.
After `TRIES_MAX` times it is refused: it stays without tasks for as long as it lives.
"""

import enum
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec

AGAIN_NS: Final = 15_000_000_000
TRIES_MAX: Final = 3


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker gives its workers to hold: `make` is asked for each of them anew.

    `on_wrong` is told the name of a worker that does not hold what it was given.
    """

    make: Callable[[], Awaitable[bytes]]
    on_wrong: Callable[[str], None]


class Verdict(enum.Enum):
    """What a confirmation means."""

    UNASKED = "of a worker that was given nothing"
    RIGHT = "it may have tasks"
    WRONG = "it is given everything again, or refused"


class Newcomer(msgspec.Struct):
    """One worker that is not let in yet; `digest` is of what it was given as `number`.

    None: it was not given anything yet, or confirmed something else.
    """

    window: int
    number: int = 0
    digest: bytes | None = None
    given_ns: int = 0
    tries: int = 0


class Newcomers:
    """All of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ones: dict[bytes, Newcomer] = {}
        self._numbers = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(list(self._ones))

    def on_ready(self, worker: bytes, window: int) -> bool:
        """Return whether it is new, and to be given what it shall hold."""
        if worker in self._ones or len(self._ones) >= self._most:
            return False
        self._ones[worker] = Newcomer(window)
        return True

    def on_given(self, worker: bytes, *, digest: bytes, now_ns: int) -> int | None:
        """Note that it is given what has this hash; return the number of that, if it is there."""
        one = self._ones.get(worker)
        if one is None:
            return None
        self._numbers += 1
        one.number, one.digest, one.given_ns = self._numbers, digest, now_ns
        return one.number

    def on_confirmed(self, worker: bytes, number: int, *, digest: bytes) -> Verdict:
        """Return what it means that the worker holds what has this hash, of what was given."""
        one = self._ones.get(worker)
        if one is None or one.digest is None or one.number != number:
            return Verdict.UNASKED
        if one.digest == digest:
            return Verdict.RIGHT
        one.digest = None
        return Verdict.WRONG

    def late(self, now_ns: int) -> list[bytes]:
        """Return those that have confirmed nothing for long; what they were given is forgotten."""
        late = [
            worker
            for worker, one in self._ones.items()
            if one.digest is not None and now_ns - one.given_ns >= AGAIN_NS
        ]
        for worker in late:
            self._ones[worker].digest = None
        return late

    def may_try(self, worker: bytes) -> bool:
        """Count that it did not hold what it should; return whether it is given that again."""
        one = self._ones[worker]
        one.tries += 1
        return one.tries < TRIES_MAX

    def let_in(self, worker: bytes) -> int:
        """Forget a worker that has confirmed; return its window."""
        return self._ones.pop(worker).window

    def forget(self, worker: bytes) -> None:
        """Forget a worker that is gone."""
        self._ones.pop(worker, None)
