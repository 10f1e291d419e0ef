"""Several computers on this one: network namespaces on a switch, each with an address of its own.

`Computers` needs the rights of root over the network (Debian's iproute2 does the work). Everything
has the maker's process id in its name and is removed again; the namespaces hold no route to
anywhere else.
"""

import os
import subprocess
from collections.abc import Sequence
from types import TracebackType

NETWORK = "10.77.0"
SWITCH_HOST = 254


def may_be_made() -> bool:
    """Whether this process may make network namespaces, and has the tool for it."""
    name = f"tdm{os.getpid()}-try"
    try:
        made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True)
    except OSError:
        return False
    if made.returncode == 0:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
    return made.returncode == 0


class Computers:
    """A switch and so many computers; number `n` has the address `10.77.0.n`, from 1."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._stem = f"tdm{os.getpid()}"

    def __enter__(self) -> "Computers":
        self._remove()
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    @property
    def switch(self) -> str:
        """Name of the namespace in which the cables end, and fault proxies may stand."""
        return f"{self._stem}-switch"

    def name(self, number: int) -> str:
        """Return the namespace of a computer."""
        return f"{self._stem}-{number}"

    @staticmethod
    def address(number: int) -> str:
        """Return the address of a computer, or of a proxy on the switch (from 100)."""
        return f"{NETWORK}.{number}"

    def inside(self, namespace: str, arguments: Sequence[str]) -> list[str]:
        """Return the command that runs `arguments` on that computer."""
        return ["ip", "netns", "exec", namespace, *arguments]

    def plug(self, number: int, *, is_in: bool) -> None:
        """Pull a computer's cable out of the switch, or plug it in again."""
        self._ip("-n", self.switch, "link", "set", f"c{number}", "up" if is_in else "down")

    def add_proxy_address(self, number: int) -> str:
        """Give the switch one more address, for a proxy to stand at; return it."""
        self._ip("-n", self.switch, "address", "add", f"{NETWORK}.{number}/24", "dev", "hub")
        return self.address(number)

    def _make(self) -> None:
        switch = self.switch
        self._ip("netns", "add", switch)
        self._ip("-n", switch, "link", "add", "hub", "type", "bridge", "forward_delay", "0")
        self._ip("-n", switch, "address", "add", f"{NETWORK}.{SWITCH_HOST}/24", "dev", "hub")
        self._ip("-n", switch, "link", "set", "hub", "up")
        self._ip("-n", switch, "link", "set", "lo", "up")
        for number in range(1, self.count + 1):
            there, cable = self.name(number), f"c{number}"
            self._ip("netns", "add", there)
            self._ip(
                *("-n", switch, "link", "add", cable, "type", "veth"),
                *("peer", "name", "lan", "netns", there),
            )
            self._ip("-n", switch, "link", "set", cable, "master", "hub", "up")
            self._ip("-n", there, "address", "add", f"{NETWORK}.{number}/24", "dev", "lan")
            self._ip("-n", there, "link", "set", "lan", "up")
            self._ip("-n", there, "link", "set", "lo", "up")

    def _remove(self) -> None:
        for name in (self.switch, *(self.name(n) for n in range(1, self.count + 1))):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    @staticmethod
    def _ip(*arguments: str) -> None:
        done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
