"""The machines of a pool: whom it has certified, and whom it has removed.

A certificate alone does not let a machine in: its serial number must stand here, under its name.
So removing a machine needs no list that others must fetch in time: this file is looked at when a
machine connects, and again and again while it is connected.
"""

from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.lan.files import held, write_private
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.domain.errors import ConfigurationError

SERIALS_MAX: Final = 8  # the latest certificates of one machine
MACHINES_MAX: Final = 10_000


class Certified(msgspec.Struct, frozen=True):
    """What a certificate says of its holder: its name, and the certificate's serial number."""

    name: str
    serial: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. `key` is the hash of its key; a removed one has no serial numbers.

    `messaging` is the public key (CURVE, hex) with which its evaluators speak; None: it has none.
    """

    name: str
    key: str
    serials: tuple[str, ...]
    joined_s: int
    expires_s: int
    removed_s: int | None = None
    messaging: str | None = None

    @property
    def is_removed(self) -> bool:
        """Whether it is let in no more."""
        return self.removed_s is not None


class Machines:
    """The file `machines.json` in the folder `lan/` of a pool. Times are UTC seconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "machines.json"
        self._seen: tuple[int, int, int] | None = None
        self._read_ones: dict[str, Machine] = {}

    def all(self) -> list[Machine]:
        """Return all machines, removed ones included, in the order of their names."""
        return sorted(self._current().values(), key=lambda one: one.name)

    def named(self, name: str) -> Machine | None:
        """Return the machine of that name; None when there never was one."""
        return self._current().get(name)

    def refuse_taken(self, name: str, *, key: str) -> None:
        """See that the holder of `key` can be called `name`.

        Raises:
            JoinRefusedError: another machine is called so.
        """
        found = self.named(name)
        if found is not None and found.key != key and not found.is_removed:
            raise JoinRefusedError(
                f"another machine is called {name}: choose a name with --name, or remove that one"
            )

    def refuse_stranger(self, name: str, *, key: str) -> None:
        """See that the holder of `key` is in, as `name`.

        Raises:
            JoinRefusedError: it is not.
        """
        found = self.named(name)
        if found is None or found.key != key:
            raise JoinRefusedError(f"no machine {name} with that key is known here: use a token")
        if found.is_removed:
            raise JoinRefusedError(f"{name} was removed from the pool: use a new token")

    def add(self, machine: Machine) -> None:
        """Let a machine in with one more certificate; durable on return.

        Raises:
            JoinRefusedError: its name or its messaging key is taken, or there are too many.
        """
        with held(self._folder):
            ones = dict(self._current())
            self.refuse_taken(machine.name, key=machine.key)
            _refuse_taken_messaging(machine, ones)
            found = ones.get(machine.name)
            if found is not None and found.key == machine.key and not found.is_removed:
                serials = (*found.serials, *machine.serials)[-SERIALS_MAX:]
                machine = msgspec.structs.replace(machine, serials=serials, joined_s=found.joined_s)
            ones[machine.name] = machine
            if len(ones) > MACHINES_MAX:
                raise JoinRefusedError(f"there are {MACHINES_MAX} machines already")
            self._write(ones)

    def remove(self, name: str, now_s: int) -> Machine:
        """Let a machine in no more; durable on return. Return what it was.

        Raises:
            ConfigurationError: there is none of that name, or it was removed already.
        """
        with held(self._folder):
            ones = dict(self._current())
            found = ones.get(name)
            if found is None or found.is_removed:
                known = ", ".join(one.name for one in self.all() if not one.is_removed) or "none"
                raise ConfigurationError(f"no machine {name!r}; there are: {known}")
            ones[name] = msgspec.structs.replace(found, serials=(), removed_s=now_s, messaging=None)
            self._write(ones)
            return found

    def refusal(self, caller: Certified) -> str:
        """Return why the holder of that certificate is not let in; empty when it is.

        With a damaged file nobody is; the process that asks goes on.
        """
        name = caller.name
        try:
            found = self.named(name)
        except ConfigurationError as error:
            return str(error)
        if found is None:
            return f"no machine {name} is known here"
        if found.is_removed:
            return f"{name} was removed from the pool"
        if caller.serial not in found.serials:
            return f"{name} has a newer certificate than that"
        return ""

    def holder(self, messaging: str, now_s: int) -> str | None:
        """Return which machine may speak with that messaging key; None when none may.

        Raises:
            ConfigurationError: the file is damaged.
        """
        for one in self._current().values():
            if one.messaging == messaging and not one.is_removed and one.expires_s > now_s:
                return one.name
        return None

    def _current(self) -> dict[str, Machine]:
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return {}
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            try:
                ones = msgspec.json.decode(self._file.read_bytes(), type=list[Machine])
            except msgspec.MsgspecError as error:
                raise ConfigurationError(f"{self._file}: {error}") from error
            self._read_ones = {one.name: one for one in ones}
            self._seen = seen
        return self._read_ones

    def _write(self, ones: dict[str, Machine]) -> None:
        content = msgspec.json.encode(sorted(ones.values(), key=lambda one: one.name))
        write_private(self._file, content)


def _refuse_taken_messaging(machine: Machine, ones: dict[str, Machine]) -> None:
    if machine.messaging is None:
        return
    for one in ones.values():
        if one.messaging == machine.messaging and one.name != machine.name:
            raise JoinRefusedError(
                f"{one.name} has that messaging key: every machine needs its own"
            )
