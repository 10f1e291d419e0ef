"""CURVE keys between a pool's broker and the evaluators of other computers.

Each side makes its own, keeps the secret half in a file that only it can read, and lets the other
one know the public half over the authenticated connection on which machines join.
"""

from pathlib import Path

import zmq
import zmq.utils.z85

from tandem.adapters.lan.files import held, write_private
from tandem.domain.errors import ConfigurationError
from tandem.messaging.places import KeyPair, new_keys


def take_keys(folder: Path, name: str) -> KeyPair:
    """Return the keys in `NAME.curve` of that folder, made now when there are none.

    Raises:
        ConfigurationError: the file is damaged.
    """
    path = folder / f"{name}.curve"
    with held(folder):
        if not path.exists():
            write_private(path, new_keys().secret)
    secret = path.read_bytes()
    try:
        return KeyPair(zmq.curve_public(secret), secret)
    except (ValueError, zmq.ZMQError) as error:
        raise ConfigurationError(f"{path}: expected a secret key of CURVE: {error}") from error


def hex_of(public: bytes) -> str:
    """Return a public key (Z85) as a certificate request and the list of machines have it."""
    return zmq.utils.z85.decode(public).hex()
