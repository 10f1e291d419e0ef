"""Pools and machines with real certificates, in folders of one test."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from tandem.adapters.lan import contexts
from tandem.adapters.lan.authority import new_key, request_for, take_authority
from tandem.adapters.lan.files import write_private
from tandem.adapters.lan.machines import Machine, Machines
from tandem.adapters.lan.network import HANDSHAKE_S, Door, TlsListener, TlsNetwork
from tandem.adapters.local.clock import SystemClock
from tandem.ports import Listener

ANYWHERE = "127.0.0.1:0"


def now_s() -> int:
    return SystemClock().now().market_ns // 1_000_000_000


class Pool:
    """The serving side, with all that was said of refusals."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.authority = take_authority(folder, now_s())
        self.authority.certify_server(now_s())
        self.machines = Machines(folder)
        self.said: list[str] = []

    def network(self, handshake_s: float = HANDSHAKE_S) -> TlsNetwork:
        context = contexts.serving(self.folder, asks_certificate=True)
        refusal = self.machines.refusal
        door = Door(context=context, refusal=refusal, handshake_s=handshake_s)
        return TlsNetwork(door=door, say=self.said.append)

    def add(self, name: str, *, days: int = 300) -> Path:
        """Return the folder of a new machine of this pool."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        key = new_key()
        signed = self.authority.sign(request_for(key, name), name=name, now_s=now_s(), days=days)
        write_private(folder / "machine.key", key)
        write_private(folder / "machine.crt", signed.certificate)
        write_private(folder / "authority.crt", self.authority.certificate)
        self.machines.add(
            Machine(
                name=name,
                key=signed.key,
                serials=(signed.serial,),
                joined_s=now_s(),
                expires_s=signed.expires_s,
            )
        )
        return folder


def dialing(machine: Path, say: Callable[[str], None] = lambda _: None) -> TlsNetwork:
    """Return the network of a machine."""
    return TlsNetwork(dialing=contexts.dialing(machine), say=say)


def address_of(listener: Listener) -> str:
    return cast(TlsListener, listener).address
