"""Reading a venue's clock over its session.

The venue looked at its clock somewhere between our question and its answer. Taking the middle is
wrong by at most half of the way there and back, and a longer way than the bound allows is no
reading at all.
"""

import msgspec


class TimeReading(msgspec.Struct, gc=False):
    """Questions on their way, and the last answer: venue time minus our CLOCK_BOOTTIME."""

    offset_ns: int | None = None
    asked_ns: dict[int, int] = {}
    next_query: int = 1

    def ask(self, now_ns: int) -> int:
        """Return the number of a question that leaves now."""
        query_id = self.next_query
        self.next_query += 1
        self.asked_ns[query_id] = now_ns
        return query_id

    def read(
        self, query_id: int, *, venue_at_ns: int, now_ns: int, error_ns_max: int
    ) -> int | None:
        """Take an answer; return by how much it may be wrong, None for one that nobody awaits.

        Only an answer that may be wrong by no more than `error_ns_max` changes the offset.
        """
        asked_ns = self.asked_ns.pop(query_id, None)
        if asked_ns is None:
            return None
        half_ns = (now_ns - asked_ns) // 2
        if half_ns <= error_ns_max:
            self.offset_ns = venue_at_ns - asked_ns - half_ns
        return half_ns

    def hang_up(self) -> None:
        """No question of this session will be answered; the offset stays good for a while."""
        self.asked_ns.clear()
