"""What ends or begins at a moment of the market's clock: orders, days and trading sessions.

With sessions, a day order lives as long as the session that took it; without, until the same
time of every day. Between two sessions nothing trades, as in a halt.
"""

from bisect import bisect_right
from collections.abc import Sequence

from tandem.core.matching.floor import Floor
from tandem.core.matching.liquidity import Liquidity
from tandem.core.matching.state import ExchangeState
from tandem.domain.exchange import DAY_NS
from tandem.domain.limits import Session
from tandem.domain.order import OrderStatus, TimeInForce


class Days:
    """The calendar of one exchange, told when its clocks have moved."""

    __slots__ = ("_floor", "_liquidity", "_sessions", "_state")

    def __init__(self, state: ExchangeState, floor: Floor, liquidity: Liquidity) -> None:
        """Follow the market's clock of `state`."""
        self._state = state
        self._floor = floor
        self._liquidity = liquidity
        self._sessions = state.settings.sessions

    def start(self) -> None:
        """Begin with the first day that the exchange sees."""
        self._set_day()

    def advance(self) -> None:
        """Do what became due by the market's time, which may have been turned back."""
        state = self._state
        for record in self._floor.deadlines.due(state.market_ns):
            self._floor.end_resting(record, OrderStatus.EXPIRED)
        if self._sessions:
            self._follow_sessions()
        elif state.market_ns >= state.day_ends_at_ns:
            self._end_day()
            self._set_day()
        elif state.market_ns < state.day_ends_at_ns - DAY_NS:  # a replay begins again
            self._set_day()

    @property
    def next_ns(self) -> int | None:
        """The market time at which something more will be due, None when nothing will."""
        state = self._state
        day_ns: int | None = state.day_ends_at_ns
        if self._sessions:
            day_ns = state.session_ends_at_ns or next_begin_ns(self._sessions, state.market_ns)
        wanted = [one for one in (day_ns, self._floor.deadlines.next_ns) if one is not None]
        return min(wanted, default=None)

    def _set_day(self) -> None:
        """Let the day end at the first such moment after now."""
        state = self._state
        since_ns = (state.market_ns - state.settings.day_ends_at_ns) % DAY_NS
        state.day_ends_at_ns = state.market_ns + DAY_NS - since_ns

    def _end_day(self) -> None:
        for record in self._floor.open_orders:
            if record.order.time_in_force is TimeInForce.DAY:
                self._floor.end_resting(record, OrderStatus.EXPIRED)

    def _follow_sessions(self) -> None:
        state = self._state
        before_ns = state.session_ends_at_ns
        now = session_at(self._sessions, state.market_ns)
        state.session_ends_at_ns = None if now is None else now.end_ns
        if state.session_ends_at_ns == before_ns:
            return
        if before_ns is not None:
            self._end_day()
        if before_ns is None or now is None:
            for instrument_id, market in state.markets.items():
                if not market.is_halted:
                    self._liquidity.change(instrument_id, trades=now is not None)


def session_at(sessions: Sequence[Session], market_ns: int) -> Session | None:
    """Return the session that is at hand then, None between two; they are in order."""
    at = bisect_right(sessions, market_ns, key=lambda one: one.begin_ns) - 1
    return sessions[at] if at >= 0 and market_ns < sessions[at].end_ns else None


def next_begin_ns(sessions: Sequence[Session], market_ns: int) -> int | None:
    """Return when the first session after that moment begins, None when there is none."""
    at = bisect_right(sessions, market_ns, key=lambda one: one.begin_ns)
    return sessions[at].begin_ns if at < len(sessions) else None
