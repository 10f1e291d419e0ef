"""How messages leave: at once, after a latency, or as a lying exchange sends them.

Without lies, the messages of a session leave in the order in which they were caused, however
their latencies are drawn. A lie can lose, repeat or delay a message past later ones, or say an
old one again. Nothing but this file and the questions at the door (`exchange`) ever lies: books
and accounts are always true.
"""

from heapq import heappop, heappush
from typing import Final

import msgspec

from tandem.core.matching.state import AccountState, ExchangeState, OrderNews, Parcel
from tandem.domain.exchange import MS, ExchangeEffect, ToSession
from tandem.domain.venue import Misbehavior, VenueMessage

_RECENT_MAX: Final = 8
_HOUR_NS: Final = 3_600_000 * MS


def bounded(misbehavior: Misbehavior) -> Misbehavior:
    """Return it with its times within an hour, so that no sum of times leaves 64 bits."""
    return msgspec.structs.replace(
        misbehavior,
        delay_ns_max=min(max(misbehavior.delay_ns_max, 0), _HOUR_NS),
        read_lag_ns=min(max(misbehavior.read_lag_ns, 0), _HOUR_NS),
        skew_ns=min(max(misbehavior.skew_ns, -_HOUR_NS), _HOUR_NS),
    )


class Delivery:
    """The way out of one exchange; `effects` are those of the event at hand."""

    __slots__ = ("_is_plain", "_state", "effects")

    def __init__(self, state: ExchangeState) -> None:
        """Send for the exchange with that state."""
        self._state = state
        self.effects: list[ExchangeEffect] = []
        self.refresh()

    def refresh(self) -> None:
        """Take a change of settings or misbehavior into account."""
        lie = self._state.misbehavior
        lies = lie.lose_report + lie.repeat_report + lie.delay_report + lie.contradict
        self._is_plain = not lies and not self._state.settings.latency_ns_max

    def report(self, account: AccountState, report: OrderNews) -> None:
        """Tell every session of `account`."""
        if self._is_plain:
            for session in account.sessions:
                self.effects.append(ToSession(session=session, message=report))
            return
        for session in account.sessions:
            self._send(session, report)
        lie = self._state.misbehavior
        lies = self._state.lies
        if account.recent and lies.happens(lie.contradict):
            stale = account.recent[lies.below(len(account.recent))]
            for session in account.sessions:
                self._send(session, stale)
        account.recent.append(report)
        del account.recent[:-_RECENT_MAX]

    def answer(self, session: int, message: VenueMessage) -> None:
        """Tell one session."""
        if self._is_plain:
            self.effects.append(ToSession(session=session, message=message))
        else:
            self._send(session, message)

    def push(self, session: int, message: VenueMessage) -> None:
        """Tell one session at once and truly: logins and quotes."""
        self.effects.append(ToSession(session=session, message=message))

    def _send(self, session: int, message: VenueMessage) -> None:
        state = self._state
        lie = state.misbehavior
        if state.lies.happens(lie.lose_report):
            return
        self._dispatch(session, message)
        if state.lies.happens(lie.repeat_report):
            self._dispatch(session, message)

    def _dispatch(self, session: int, message: VenueMessage) -> None:
        state = self._state
        settings = state.settings
        due_ns = state.now_ns
        if settings.latency_ns_max:
            due_ns += state.lies.between(
                lowest=settings.latency_ns_min, highest=settings.latency_ns_max
            )
        known = state.sessions[session]
        due_ns = known.busy_until_ns = max(due_ns, known.busy_until_ns)
        if state.lies.happens(state.misbehavior.delay_report):
            due_ns += state.lies.between(lowest=0, highest=state.misbehavior.delay_ns_max)
        if due_ns <= state.now_ns:
            self.effects.append(ToSession(session=session, message=message))
            return
        state.parcels_ever += 1
        heappush(
            state.parcels,
            Parcel(due_ns=due_ns, sequence=state.parcels_ever, session=session, message=message),
        )

    def deliver_due(self) -> None:
        """Send what has waited long enough; what was meant for a closed session is dropped."""
        state = self._state
        while state.parcels and state.parcels[0].due_ns <= state.now_ns:
            parcel = heappop(state.parcels)
            if parcel.session in state.sessions:
                self.effects.append(ToSession(session=parcel.session, message=parcel.message))
