"""Addresses of other computers, as text: `host:port`, with brackets around an IPv6 address."""

from typing import Final

from tandem.domain.errors import ConfigurationError

PORT_MAX: Final = 65_535


def address_text(host: str, port: int) -> str:
    """Return `host:port`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_address(text: str, *, host: str = "", port: int | None = None) -> tuple[str, int]:
    """Return host and port of an address.

    `host` is what stands for an absent one; with a `port`, that may be absent as well.

    Raises:
        ConfigurationError: it is no address.
    """
    before, colon, after = text.rpartition(":")
    if text.endswith("]") or not colon:
        before, after = ("", text) if _is_number(text) and port is None else (text, "")
    elif ":" in before and not before.startswith("["):
        before, after = text, ""  # an IPv6 address without a port
    if not after and port is None:
        raise ConfigurationError(f"{text!r}: expected HOST:PORT")
    number = int(after) if _is_number(after) else -1 if after else port
    if number is None or not 0 <= number <= PORT_MAX:
        raise ConfigurationError(f"{text!r}: expected a port from 0 to {PORT_MAX}")
    bare = before.removeprefix("[").removesuffix("]") or host
    if not bare:
        raise ConfigurationError(f"{text!r}: expected HOST:PORT")
    return bare, number


def is_remote(address: str) -> bool:
    """Return whether `address` is `host:port`, and not the path of a Unix socket."""
    return "/" not in address and _is_number(address.rpartition(":")[2])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
