"""What a server remembers, so that a repeated request is carried out once. Pure.

A client numbers its requests from 0 on and says with each below which number it awaits nothing
any more. Below that the server forgets; at or above it, it keeps each answer, and knows which
requests are in the making. So a number is carried out at most once while this server lives and
remembers the client. It remembers the `clients_max` it heard last.
"""

import enum

import msgspec

from tandem.messaging.words import Refusal, Reply, Request


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a server remembers; beyond `open_max` a client's requests are refused."""

    clients_max: int = 1_000
    open_max: int = 1_000  # of one client, with their kept answers


class Standing(enum.Enum):
    """What a request is to the server, when there is no answer to send at once."""

    NEW = "new"  # carry it out
    IN_THE_MAKING = "in the making"  # its answer comes
    DONE_WITH = "done with"  # its client awaits nothing: say nothing


class _Client:
    __slots__ = ("answers", "done_below")

    def __init__(self) -> None:
        self.answers: dict[int, Reply | Refusal | None] = {}
        self.done_below = 0


class Answers:
    """The requests of all clients."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: dict[bytes, _Client] = {}
        self.repeated = 0

    def on_request(self, request: Request) -> Standing | Reply | Refusal:
        """Return what to send at once, or what the request is."""
        client = self._heard(request.client)
        if request.done_below > client.done_below:
            client.done_below = request.done_below
            for number in [one for one in client.answers if one < request.done_below]:
                del client.answers[number]
        if request.number < client.done_below:
            return Standing.DONE_WITH
        if request.number in client.answers:
            self.repeated += 1
            return client.answers[request.number] or Standing.IN_THE_MAKING
        if len(client.answers) >= self._limits.open_max:
            return Refusal(request.number, f"{len(client.answers)} requests are open, the most")
        client.answers[request.number] = None
        return Standing.NEW

    def on_answer(self, client_name: bytes, answer: Reply | Refusal) -> None:
        """Keep an answer until its client is done with it."""
        client = self._clients.get(client_name)
        if client is not None and answer.number in client.answers:
            client.answers[answer.number] = answer

    def _heard(self, name: bytes) -> _Client:
        client = self._clients.pop(name, None) or _Client()
        self._clients[name] = client  # behind all others, so that the first is the longest silent
        if len(self._clients) > self._limits.clients_max:
            del self._clients[next(iter(self._clients))]
        return client
