"""What the ends of this library say to each other: msgpack arrays, each with its name in front.

Whatever cannot be read as one of these is counted and dropped: a stranger's bytes stop nobody.
"""

import msgspec


class Word(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Root of what is said."""


class Request(Word, frozen=True):
    """Client to server; a repeat has the same numbers and so is the same request."""

    client: bytes
    number: int  # rises by one with each request of this client
    done_below: int  # the client awaits no answer below this, and will never ask for one again
    payload: bytes


class Reply(Word, frozen=True):
    """Server to client: the answer to its request of that number."""

    number: int
    payload: bytes


class Refusal(Word, frozen=True):
    """Server to client: there is no answer to its request of that number, and why."""

    number: int
    reason: str


class Numbered(Word, frozen=True):
    """Publisher to subscribers, behind the topic: one message."""

    publisher: str
    run: int
    number: int  # within publisher, run and topic; from 0, without a gap
    payload: bytes


class Tide(Word, frozen=True):
    """Publisher to subscribers, behind the topic: how far it has come."""

    publisher: str
    run: int
    oldest: int  # the lowest number that it can still say again
    next: int  # the number of its next message
    answers: int | None  # to one subscriber, after what it asked for: the first that it asked for


class Ask(Word, frozen=True):
    """Subscriber to publisher: say again what you have of this topic, from this number on."""

    subscriber: bytes
    publisher: str
    run: int
    topic: bytes
    first: int


class Ready(Word, frozen=True):
    """Worker to broker: give me tasks, at most `window` at a time."""

    window: int


class Leaving(Word, frozen=True):
    """Worker to broker: give me nothing more; I finish what I have."""


class SetUp(Word, frozen=True):
    """Broker to worker, before it has any task: hold this, and confirm it."""

    run: int
    number: int  # rises with everything that the broker gives to anybody to hold
    payload: bytes


class Confirmed(Word, frozen=True):
    """Worker to broker: of what I was given I hold what has this hash (SHA-256)."""

    run: int
    number: int
    digest: bytes


class Task(Word, frozen=True):
    """Broker to worker: do this."""

    run: int
    attempt: int  # rises with every task that the broker gives to anybody
    payload: bytes


class Ping(Word, frozen=True):
    """Broker to worker: do you live, and what do you have?"""

    run: int
    mark: int  # the last attempt given before this was said


class Goodbye(Word, frozen=True):
    """Broker to worker: you have left."""

    run: int


class Pong(Word, frozen=True):
    """Worker to broker: I live, and of the attempts up to `mark` I still have these."""

    run: int
    mark: int
    held: list[int]


class Done(Word, frozen=True):
    """Worker to broker: the outcome of an attempt."""

    run: int
    attempt: int
    payload: bytes


class Unable(Word, frozen=True):
    """Worker to broker: the attempt was refused, and another worker would refuse it as well."""

    run: int
    attempt: int
    reason: str


encode = msgspec.msgpack.Encoder().encode
