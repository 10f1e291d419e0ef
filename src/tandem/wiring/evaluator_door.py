"""Where evaluators of other computers come in: a second address of the broker, with keys.

A key is let in while the machine that it came with is a member. libzmq judges a connection once,
when it is made, so whoever is in is looked at again and again, and when one of them may not be
there any more everybody is cut off, and judged anew.
"""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tandem.adapters.lan.addresses import address_text, split_address
from tandem.adapters.lan.machines import Machines
from tandem.domain.errors import ConfigurationError
from tandem.messaging.broker import Broker
from tandem.messaging.errors import AddressError
from tandem.messaging.places import Bind, BindKeys
from tandem.wiring.messaging_keys import hex_of, take_keys

LOOK_EVERY_S: Final = 0.5


class EvaluatorDoor:
    """That address, over the machines of the pool whose files are in `folder`."""

    def __init__(
        self, folder: Path, address: str, *, now_s: Callable[[], int], say: Callable[[str], None]
    ) -> None:
        """Find the address.

        Raises:
            ConfigurationError: it cannot be, or the keys in the folder are damaged.
        """
        self._machines = Machines(folder)
        self._now_s = now_s
        self._say = say
        keys = BindKeys(own=take_keys(folder, "broker"), allowed=self.holder)
        self._bind = Bind(f"tcp://{_numeric(address)}", keys)
        self._inside: dict[bytes, str] = {}  # keys, and whose they are

    def holder(self, key: bytes) -> str | None:
        """Return whose that key is, if it may speak; with a damaged list of machines nobody's."""
        name = self._member(key)
        if name is None:
            self._say("an evaluator was refused: its key is of no machine of this pool")
        else:
            self._inside[key] = name
        return name

    def _member(self, key: bytes) -> str | None:
        try:
            return self._machines.holder(hex_of(key), self._now_s())
        except ConfigurationError as error:
            self._say(str(error))
            return None

    async def run(self, broker: Broker) -> None:
        """Stand open, until canceled."""
        is_open = False
        while True:
            gone = [name for key, name in self._inside.items() if self._member(key) != name]
            if gone or not is_open:
                if gone:
                    self._say(f"evaluators of {', '.join(gone)} are let in no more")
                is_open = self._open(broker)
            await asyncio.sleep(LOOK_EVERY_S)

    def _open(self, broker: Broker) -> bool:
        self._inside.clear()
        try:
            broker.admit(self._bind)
        except AddressError as error:
            self._say(f"evaluators of other computers cannot come in: {error}")
            return False
        return True


def _numeric(address: str) -> str:
    """Return the address with a number for its host: ZeroMQ binds to no names."""
    host, port = split_address(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigurationError(f"{address}: {error.strerror}") from error
    return address_text(str(found[0][4][0]), port)
