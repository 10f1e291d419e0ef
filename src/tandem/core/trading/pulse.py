"""The alarm clock for silence: who has not been heard of for too long.

The argument: a deadline is judged only by a check, and a check that comes late itself says that we
slept, not that they are dead. What they sent meanwhile is still unread. So after a stall of our own
every alarm starts again.
"""

from typing import Final, Generic, TypeVar

import msgspec

HEARTBEAT_NS: Final = 50_000_000
ALARM_NS: Final = 250_000_000
GRACE_NS: Final = 1_000_000_000
STALL_HEARTBEATS: Final = 2

Key = TypeVar("Key", bound=str)


class Pulse(msgspec.Struct, Generic[Key], array_like=True, gc=False):
    """Deadlines of those who should be heard of. `silent` is asked every heartbeat or so.

    Times are one local clock's. Whoever is heard of once is waited for until forgotten or told.
    """

    heartbeat_ns: int = HEARTBEAT_NS
    alarm_ns: int = ALARM_NS
    grace_ns: int = GRACE_NS
    deadlines: dict[Key, int] = {}
    checked_at_ns: int | None = None

    def heard(self, key: Key, now_ns: int) -> None:
        """Start the alarm of `key` again; a longer grace that it has stays."""
        deadline = now_ns + self.alarm_ns
        if deadline > self.deadlines.get(key, 0):
            self.deadlines[key] = deadline

    def forget(self, key: Key) -> None:
        """Wait for `key` no longer: it said goodbye, or is known dead."""
        self.deadlines.pop(key, None)

    def on_restart(self, now_ns: int) -> None:
        """Give everyone the grace: after our own restart they have to find us first."""
        self.checked_at_ns = now_ns
        grace_ns = max(self.grace_ns, self.alarm_ns)
        for key in self.deadlines:
            self.deadlines[key] = now_ns + grace_ns

    def silent(self, now_ns: int) -> list[Key]:
        """Return who is past the deadline, each told once, until heard of again."""
        before_ns, self.checked_at_ns = self.checked_at_ns, now_ns
        if before_ns is None or now_ns - before_ns > STALL_HEARTBEATS * self.heartbeat_ns:
            for key, deadline in self.deadlines.items():
                self.deadlines[key] = max(deadline, now_ns + self.alarm_ns)
            return []
        late = [key for key, deadline in self.deadlines.items() if now_ns > deadline]
        for key in late:
            del self.deadlines[key]
        return late
