"""A computer joins a pool: finds it, makes sure that it is the one, and is certified by it.

What it got is kept in the folder `joined/` of its home: its private key, which never leaves it,
its certificate, that of the pool's authority, and where the pool was. With those it may come back
without a token until it is removed.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tandem.adapters.lan import contexts
from tandem.adapters.lan.addresses import address_text, split_address
from tandem.adapters.lan.authority import fingerprint_of, new_key, pool_id_of, request_for
from tandem.adapters.lan.files import write_private
from tandem.adapters.lan.network import TlsNetwork
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.adapters.lan.tokens import FINGERPRINT_BYTES, Token
from tandem.adapters.local.folder import private_folder
from tandem.domain.errors import ConfigurationError, CoordinatorUnreachableError
from tandem.shells.link import Link
from tandem.wiring.join_words import (
    JOIN_PORT,
    AskAuthority,
    AuthorityIs,
    Declined,
    Enroll,
    Enrolled,
    JoinAnswer,
    JoinRequest,
    NotEnrolled,
)
from tandem.wiring.remote_worker import RemotePool
from tandem.wiring.strategies import MESSAGING, is_installed

ANSWER_S: Final = 10.0
REACH_S: Final = 1.0
_NAME_MAX: Final = 63
A = TypeVar("A", AuthorityIs, Enrolled)


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Which pool this computer is a machine of, and under which name."""

    name: str
    pool_id: str
    host: str
    port: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for: all of it optional, once the computer has joined."""

    host: str | None = None
    token: Token | None = None
    name: str | None = None


def read_joined(folder: Path) -> Joined | None:
    """Return which pool this computer joined; None before it has.

    Raises:
        ConfigurationError: the file is damaged.
    """
    path = folder / "joined.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Joined)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path}: {error}") from error


async def join(folder: Path, asked: Asked, say: Callable[[str], None]) -> tuple[Joined, RemotePool]:
    """Join a pool, or come back to it; return which, and where its workers go.

    Raises:
        JoinRefusedError: it does not let us in, or is not the pool that it should be.
        CoordinatorUnreachableError: it is not to be found, or does not answer.
        ConfigurationError: what is kept here is damaged.
    """
    private_folder(folder)
    before = read_joined(folder)
    if asked.token is None and before is None:
        raise JoinRefusedError(
            "this computer has not joined a pool yet: make a token there with "
            "'tandem worker token', and give it here with --token"
        )
    name = asked.name or (before.name if before is not None else own_name())
    host, port = await _place(asked, before, say)
    address = address_text(host, port)
    if asked.token is not None:
        authority = await _authority(address, asked.token)
    else:
        authority = _kept(folder / "authority.crt")
    key = _own_key(folder)
    enroll = Enroll(
        name=name,
        request=request_for(key, name, messaging=_messaging(folder)),
        version=version("tandem-trading"),
        secret=asked.token.secret if asked.token is not None else None,
    )
    answer = await _answer(contexts.joining(authority.decode()), address, enroll, Enrolled)
    joined = Joined(name=name, pool_id=answer.pool_id, host=host, port=port)
    write_private(folder / "authority.crt", authority)
    write_private(folder / "machine.crt", answer.certificate)
    write_private(folder / "joined.json", msgspec.json.encode(joined))
    say(f"joined {joined.pool_id} at {address} as {name}")
    venues = {venue_id: address_text(host, port) for venue_id, port in answer.venue_ports.items()}
    pool = RemotePool(
        coordinator=address_text(host, answer.workers_port),
        venues=venues,
        halts=address_text(host, answer.halts_port),
        certificates=str(folder),
        tasks=address_text(host, answer.tasks_port) if answer.tasks_port is not None else None,
        tasks_key=answer.tasks_key,
    )
    return joined, pool


def own_name() -> str:
    """Return what this computer is called, in letters that a machine's name may have."""
    letters = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().partition(".")[0].lower())
    return letters.strip("-")[:_NAME_MAX] or "machine"


async def _place(
    asked: Asked, before: Joined | None, say: Callable[[str], None]
) -> tuple[str, int]:
    """Return host and port of the pool: as told, as found on the LAN, or where it was."""
    if asked.host is not None:
        return split_address(asked.host, port=JOIN_PORT)
    from tandem.adapters.lan.discovery import FIND_S, find

    pool_id = None
    if asked.token is not None:
        pool_id = pool_id_of(asked.token.fingerprint)
    elif before is not None:
        pool_id = before.pool_id
    say(f"looking for {pool_id} on the LAN")
    try:
        found = [one for one in await find(pool_id) if one.pool_id == pool_id]
    except OSError as error:
        raise CoordinatorUnreachableError(f"cannot look for a pool: {error}") from error
    for one in found:
        for host in one.hosts:
            if await _answers(host, one.port):
                return host, one.port
    if before is not None and before.pool_id == pool_id:
        say(f"nobody announces it: trying {before.host}, where it was")
        return before.host, before.port
    raise CoordinatorUnreachableError(
        f"{pool_id} was not found on this LAN within {FIND_S:g} s: name the host it runs on"
    )


async def _answers(host: str, port: int) -> bool:
    """Return whether anybody listens there; a computer has addresses that others cannot reach."""
    try:
        async with asyncio.timeout(REACH_S):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def _authority(address: str, token: Token) -> bytes:
    """Return the certificate of the authority that the token speaks of."""
    context = contexts.asking()
    answer = await _answer(context, address, AskAuthority(), AuthorityIs)
    try:
        fingerprint = fingerprint_of(answer.certificate)[:FINGERPRINT_BYTES]
    except ValueError as error:
        raise JoinRefusedError(f"{address}: what answers there is no pool: {error}") from error
    if fingerprint != token.fingerprint:
        reason = f"that token is of {pool_id_of(token.fingerprint)}, another pool"
        await _decline(context, address, reason)
        raise JoinRefusedError(
            f"{address}: {reason} than {pool_id_of(fingerprint)}, which is there"
        )
    return answer.certificate


def _kept(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}: join with a new token") from error


def _own_key(folder: Path) -> bytes:
    path = folder / "machine.key"
    if not path.exists():
        write_private(path, new_key())
    return path.read_bytes()


def _messaging(folder: Path) -> str | None:
    """Return the public half of our messaging key; None where nothing is installed to speak it."""
    if not is_installed():
        return None
    from tandem.wiring.messaging_keys import hex_of, take_keys

    return hex_of(take_keys(folder, MESSAGING).public)


async def _decline(context: ssl.SSLContext, address: str, reason: str) -> None:
    """Let the other side know why we do not join; it matters little whether it arrives."""
    visit = _Visit(Declined(reason=reason))
    try:
        await TlsNetwork(dialing=context, say=lambda _: None).connect(address, visit.link)
    except OSError:
        return
    visit.end()


async def _answer(context: ssl.SSLContext, address: str, request: JoinRequest, kind: type[A]) -> A:
    """Return the gate's answer.

    Raises:
        JoinRefusedError: it refuses.
        CoordinatorUnreachableError: it does not answer, or is not of our pool.
    """
    visit = _Visit(request)
    try:
        await TlsNetwork(dialing=context, say=lambda _: None).connect(address, visit.link)
        async with asyncio.timeout(ANSWER_S):
            answer = await visit.answer
    except TimeoutError as error:
        raise CoordinatorUnreachableError(f"{address}: no answer within {ANSWER_S:g} s") from error
    except OSError as error:
        raise CoordinatorUnreachableError(str(error)) from error
    finally:
        visit.end()
    if isinstance(answer, NotEnrolled):
        text = "".join(char for char in answer.reason if char.isprintable())
        raise JoinRefusedError(f"{address} refuses: {text}")
    if not isinstance(answer, kind):
        raise JoinRefusedError(f"{address}: {type(answer).__name__} is no answer to that")
    return answer


class _Visit:
    """One request and its answer."""

    def __init__(self, request: JoinRequest) -> None:
        self._request = request
        self._link: Link[JoinAnswer] | None = None
        self.answer: asyncio.Future[JoinAnswer] = asyncio.get_running_loop().create_future()

    def link(self) -> Link[JoinAnswer]:
        """Return our end."""
        decoder = msgspec.msgpack.Decoder(list[JoinAnswer])
        self._link = Link(decoder, self._on_messages, self._on_open, self._on_lost)
        return self._link

    def end(self) -> None:
        """Hang up, after what was said; nobody waits for an answer any more."""
        self.answer.cancel()
        if self._link is not None and self._link.is_open:
            self._link.close("done")

    def _on_open(self, link: Link[JoinAnswer]) -> None:
        link.send(self._request)

    def _on_messages(
        self, link: Link[JoinAnswer], _epoch: int, messages: Sequence[JoinAnswer]
    ) -> None:
        if messages and not self.answer.done():
            self.answer.set_result(messages[0])
        link.close("done")

    def _on_lost(self, _link: Link[JoinAnswer], reason: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(ConnectionResetError(f"it hung up: {reason}"))
