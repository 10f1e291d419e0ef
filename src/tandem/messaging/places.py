"""Where a socket stands, and with which keys."""

from collections.abc import Callable
from typing import Final

import msgspec
import zmq

BYTES_MAX: Final = 16 * 1024 * 1024  # of one payload; a longer one ends the connection
OVERHEAD: Final = 1_000  # bytes that our own words may add to it
NAME_BYTES_MAX: Final = 200  # of a name or a topic


class KeyPair(msgspec.Struct, frozen=True):
    """A CURVE key pair, each half as 40 characters of Z85 text. `repr` hides the secret."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r})"


Holder = Callable[[bytes], str | None]


class BindKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of an end that is connected to: only who holds an allowed key may speak there.

    `allowed` are public keys (Z85), or a function that is told one at each new connection and
    returns the name of its holder, None for who may not speak.
    """

    own: KeyPair
    allowed: frozenset[bytes] | Holder


class ConnectKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of an end that connects: it speaks to the holder of key `server` only."""

    own: KeyPair
    server: bytes  # its public key, Z85


class Bind(msgspec.Struct, frozen=True):
    """Be connected to at `address`: `ipc://PATH` (at most 107 bytes) or `tcp://HOST:PORT`.

    With `keys`, plain text and unknown keys are refused. Without, whoever reaches the address may
    speak, so an `ipc` path belongs into a folder that only its user can enter.
    """

    address: str
    keys: BindKeys | None = None


class Connect(msgspec.Struct, frozen=True):
    """Connect to `address`, now or as soon as somebody is there, and again whenever it breaks."""

    address: str
    keys: ConnectKeys | None = None


Place = Bind | Connect


def new_keys() -> KeyPair:
    """Return a new CURVE key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public, secret)
