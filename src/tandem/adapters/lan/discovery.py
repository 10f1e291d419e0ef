"""Finding a pool on the LAN, and letting it be found: mDNS with DNS-SD (RFC 6762, RFC 6763).

What is found is a hint. Whether it is the right pool its certificate says.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec
from zeroconf import InterfaceChoice, NotRunningException, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

SERVICE: Final = "_tandem._tcp.local."
FIND_S: Final = 3.0
_RESOLVE_MS: Final = 1_000
_ANYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A pool that somebody announces; not all of its addresses need be reachable from here."""

    pool_id: str
    hosts: tuple[str, ...]
    port: int


@contextlib.asynccontextmanager
async def announced(pool_id: str, *, host: str, port: int) -> AsyncIterator[None]:
    """Announce a pool at `host`, or at all our addresses when that is none in particular.

    Raises:
        OSError: there is no network to say it on.
    """
    addresses = _own_addresses() if host in _ANYWHERE else [_resolved(host)]
    service = AsyncServiceInfo(
        SERVICE,
        f"{pool_id}.{SERVICE}",
        port=port,
        parsed_addresses=addresses,
        server=f"{pool_id}.local.",
    )
    zeroconf = AsyncZeroconf(interfaces=_interfaces(host))
    try:
        # Two runs of one pool announce the same: which of them answers, a caller finds out.
        await zeroconf.async_register_service(service, cooperating_responders=True)
        yield
    finally:
        with contextlib.suppress(NotRunningException):
            await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()


async def find(pool_id: str | None, *, host: str = "", wait_s: float = FIND_S) -> list[Found]:
    """Return the pools that are announced, or as soon as it is heard of, the one of that id.

    `host` is the address of our own interface to look on; all of them when empty.

    Raises:
        OSError: there is no network to ask on.
    """
    heard: asyncio.Queue[str] = asyncio.Queue()

    def on_change(name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is ServiceStateChange.Added:
            heard.put_nowait(name)

    zeroconf = AsyncZeroconf(interfaces=_interfaces(host))
    browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[on_change])
    found: list[Found] = []
    try:
        async with asyncio.timeout(wait_s):
            while not any(one.pool_id == pool_id for one in found):
                one = await _looked_up(zeroconf, await heard.get())
                if one is not None:
                    found.append(one)
    except TimeoutError:
        pass
    finally:
        await browser.async_cancel()
        await zeroconf.async_close()
    return found


async def _looked_up(zeroconf: AsyncZeroconf, name: str) -> Found | None:
    service = AsyncServiceInfo(SERVICE, name)
    if not await service.async_request(zeroconf.zeroconf, _RESOLVE_MS):
        return None
    addresses = service.parsed_addresses()
    if not addresses or service.port is None:
        return None
    pool_id = name.removesuffix(f".{SERVICE}")
    return Found(pool_id=pool_id, hosts=tuple(addresses), port=service.port)


def _interfaces(host: str) -> InterfaceChoice | Sequence[str]:
    return InterfaceChoice.All if host in _ANYWHERE else [_resolved(host)]


def _resolved(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return socket.gethostbyname(host)


def _own_addresses() -> list[str]:
    import ifaddr

    found = [
        ip.ip
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str) and not ipaddress.ip_address(ip.ip).is_loopback
    ]
    return found or ["127.0.0.1"]
