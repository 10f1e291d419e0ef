"""One network for both kinds of addresses: paths of Unix sockets, and `host:port` over TLS."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from tandem.adapters.lan import contexts
from tandem.adapters.lan.addresses import is_remote
from tandem.adapters.lan.machines import Machines
from tandem.adapters.lan.network import Door, TlsNetwork
from tandem.adapters.lan.refusals import SparingLog
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.ports import Listener, Network, Peer


class EitherNetwork:
    """Satisfies `tandem.ports.Network` by one of two others, as the address is."""

    def __init__(self, *, here: Network, elsewhere: Network) -> None:
        self._here = here
        self._elsewhere = elsewhere

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        """See `Network.listen`."""
        return await self._of(address).listen(address, make)

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        """See `Network.connect`."""
        await self._of(address).connect(address, make)

    def peer(self, transport: asyncio.BaseTransport) -> Peer | None:
        """See `Network.peer`."""
        is_tls = transport.get_extra_info("ssl_object") is not None
        return (self._elsewhere if is_tls else self._here).peer(transport)

    def _of(self, address: str) -> Network:
        return self._elsewhere if is_remote(address) else self._here


def pool_network(lan_folder: Path | None) -> Network:
    """Return the network of a pool's processes; with a folder, machines may call as well.

    Raises:
        ConfigurationError: the certificates in the folder cannot be used.
    """
    if lan_folder is None:
        return UnixNetwork()
    door = Door(
        context=contexts.serving(lan_folder, asks_certificate=True),
        refusal=Machines(lan_folder).refusal,
    )
    return EitherNetwork(here=UnixNetwork(), elsewhere=TlsNetwork(door=door, say=sparing_log()))


def sparing_log() -> Callable[[str], None]:
    """Return what writes a line to the log of the process, a few a minute."""

    def write(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    return SparingLog(write, lambda: SystemClock().now().now_ns / 1e9).say
