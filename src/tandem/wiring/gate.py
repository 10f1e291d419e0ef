"""The gate of a pool: the process in which machines are certified, and that others find by mDNS.

It alone reads the key of the pool's authority, and it trades nothing: whatever may be wrong with
what strangers send, it is far from the desk.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.lan import contexts
from tandem.adapters.lan.authority import Authority, key_hash, key_in, messaging_in, take_authority
from tandem.adapters.lan.machines import Machine, Machines
from tandem.adapters.lan.network import Door, TlsNetwork, refuse_taken
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.adapters.lan.tokens import Tokens, WrongTokenError, WrongTokens
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.folder import private_folder
from tandem.domain.ids import VenueId
from tandem.shells.link import Link
from tandem.wiring.join_words import (
    AskAuthority,
    AuthorityIs,
    Declined,
    Enroll,
    Enrolled,
    JoinAnswer,
    JoinRequest,
    NotEnrolled,
)
from tandem.wiring.networks import sparing_log
from tandem.wiring.settings import LanPlan

VISIT_S: Final = 10.0
VISITORS_MAX: Final = 64
_REASON_MAX: Final = 200
GateLink = Link[JoinRequest]


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where members reach what: coordinator, venues, relay, and the broker with its public key."""

    workers: int
    venues: dict[VenueId, int]
    halts: int
    tasks: int | None = None
    tasks_key: bytes | None = None


class Gate:
    """Certifies the machines of one pool. Times are UTC seconds."""

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        ports: Ports,
        *,
        now_s: Callable[[], int],
        say: Callable[[str], None],
    ) -> None:
        self._authority = authority
        self._tokens = Tokens(folder)
        self._machines = Machines(folder)
        self._wrong = WrongTokens()
        self._ports = ports
        self._now_s = now_s
        self._say = say
        self._decoder = msgspec.msgpack.Decoder(list[JoinRequest])
        self._visitors = 0

    def link(self) -> GateLink:
        """Return one end of a connection with somebody who wants to join."""
        made: GateLink = Link(self._decoder, self._on_messages, self._on_open, self._on_lost)
        return made

    def _on_open(self, link: GateLink) -> None:
        peername = link.transport.get_extra_info("peername")
        link.tag = str(peername[0]) if peername else "somebody"
        self._visitors += 1
        if self._visitors > VISITORS_MAX:
            link.drop("too many want to join at once")
            return
        asyncio.get_running_loop().call_later(VISIT_S, link.drop, "it took too long")

    def _on_lost(self, link: GateLink, reason: str) -> None:
        self._visitors -= 1
        if reason not in ("", "closed by the other end", "it took too long"):
            self._say(f"{link.tag}: {reason}")

    def _on_messages(self, link: GateLink, _epoch: int, messages: Sequence[JoinRequest]) -> None:
        for message in messages:
            match message:
                case AskAuthority():
                    link.send(AuthorityIs(certificate=self._authority.certificate))
                case Enroll():
                    link.send(self.enroll(message, link.tag))
                case Declined():
                    reason = "".join(c for c in message.reason if c.isprintable())[:_REASON_MAX]
                    self._say(f"{link.tag} does not join: {reason}")

    def enroll(self, asked: Enroll, host: str) -> JoinAnswer:
        """Certify a machine, or say why not; what lets it in is durable before it is told."""
        try:
            answer = self._enrolled(asked, host)
        except JoinRefusedError as error:
            self._say(f"{host} refused: {error}")
            return NotEnrolled(reason=str(error))
        self._say(f"{host} joined as {asked.name}")
        return answer

    def _enrolled(self, asked: Enroll, host: str) -> Enrolled:
        now_s = self._now_s()
        self._wrong.refuse(host, now_s)
        ours = version("tandem-trading")
        if asked.version != ours:
            seen = asked.version[:40]
            raise JoinRefusedError(f"it runs Tandem {seen!r}, and this pool runs {ours}")
        key = key_hash(key_in(asked.request))
        messaging = messaging_in(asked.request)
        # Signed before the token is used up: a name that cannot be costs nobody a token.
        signed = self._authority.sign(asked.request, name=asked.name, now_s=now_s)
        self._machines.refuse_taken(asked.name, key=key)
        if asked.secret is None:
            self._machines.refuse_stranger(asked.name, key=key)
        else:
            try:
                self._tokens.redeem(asked.secret, key=key, now_s=now_s)
            except WrongTokenError:
                self._wrong.count(host, now_s)
                raise
        self._machines.add(
            Machine(
                name=asked.name,
                key=key,
                serials=(signed.serial,),
                joined_s=now_s,
                expires_s=signed.expires_s,
                messaging=messaging,
            )
        )
        return Enrolled(
            certificate=signed.certificate,
            pool_id=self._authority.pool_id,
            workers_port=self._ports.workers,
            venue_ports=self._ports.venues,
            halts_port=self._ports.halts,
            tasks_port=self._ports.tasks,
            tasks_key=self._ports.tasks_key,
        )


def utc_s() -> int:
    """Return the seconds since 1970."""
    return SystemClock().now().market_ns // 1_000_000_000


def open_lan(folder: Path, lan: LanPlan) -> str:
    """Make what a pool that others join needs; return what the pool is called.

    Raises:
        ConfigurationError: a port is taken, or the files in the folder cannot be used.
    """
    private_folder(folder)
    authority = take_authority(folder, utc_s())
    authority.certify_server(utc_s())
    for address in (lan.joining, lan.workers, lan.exchange, lan.halting, lan.tasks):
        refuse_taken(address)
    return authority.pool_id


async def run_gate(
    folder: Path, lan: LanPlan, *, venue_id: VenueId, has_evaluators: bool = False
) -> None:
    """Let machines join, until canceled; with `has_evaluators` those may have evaluators.

    Raises:
        OSError: the port is taken.
        ConfigurationError: the files of the authority are damaged.
    """
    authority = take_authority(folder, utc_s())
    say = sparing_log()
    ports = Ports(
        workers=lan.port + 1,
        venues={venue_id: lan.port + 2},
        halts=lan.port + 3,
        tasks=lan.port + 4 if has_evaluators else None,
        tasks_key=_tasks_key(folder) if has_evaluators else None,
    )
    gate = Gate(authority, folder, ports, now_s=utc_s, say=say)
    door = Door(context=contexts.serving(folder, asks_certificate=False))
    await TlsNetwork(door=door, say=say).listen(lan.joining, gate.link)
    async with _announced(authority.pool_id, lan):
        await asyncio.get_running_loop().create_future()


def _tasks_key(folder: Path) -> bytes:
    # What speaks CURVE is loaded only where strategies are evaluated.
    from tandem.wiring.messaging_keys import take_keys

    return take_keys(folder, "broker").public


@contextlib.asynccontextmanager
async def _announced(pool_id: str, lan: LanPlan) -> AsyncIterator[None]:
    """Let others find the pool meanwhile; where that cannot be, they must name its host."""
    if not lan.announce:
        yield
        return
    from tandem.adapters.lan.discovery import announced

    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(announced(pool_id, host=lan.host, port=lan.port))
        except OSError as error:
            sys.stderr.write(f"the pool is not announced on the LAN: {error}\n")
        yield
