"""What ends or begins at a moment of the market's clock: orders, days and trading sessions.

With sessions, a day order lives as long as the session that took it; without, until the same
time of every day. Between two sessions nothing trades, as in a halt.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from tandem.core.matching.floor import Floor
from tandem.core.matching.liquidity import Liquidity
from tandem.core.matching.state import ExchangeState
from tandem.domain.exchange import DAY_NS
from tandem.domain.ids import InstrumentId, MarketId
from tandem.domain.limits import Session
from tandem.domain.order import OrderStatus, TimeInForce


class _Calendar(msgspec.Struct, frozen=True, gc=False):
    """The sessions of some instruments: of one market, or (None) of all that have no own."""

    market_id: MarketId | None
    sessions: tuple[Session, ...]
    instruments: dict[InstrumentId, None]


class Days:
    """The calendars of one exchange, told when its clocks have moved."""

    __slots__ = ("_calendars", "_floor", "_has_days", "_liquidity", "_state")

    def __init__(self, state: ExchangeState, floor: Floor, liquidity: Liquidity) -> None:
        """Follow the market's clock of `state`."""
        self._state = state
        self._floor = floor
        self._liquidity = liquidity
        settings = state.settings
        own = settings.market_sessions
        found: dict[MarketId | None, dict[InstrumentId, None]] = {}
        for one in settings.instruments:
            key = one.market_id if one.market_id in own else None
            found.setdefault(key, {})[one.instrument_id] = None
        self._calendars = [
            _Calendar(key, settings.sessions if key is None else own[key], instruments)
            for key, instruments in found.items()
        ]
        self._has_days = any(not one.sessions for one in self._calendars)
        for calendar in self._calendars:
            is_closed = bool(calendar.sessions) and self._ends_ns(calendar) is None
            for instrument_id in calendar.instruments:
                state.markets[instrument_id].is_closed = is_closed

    def start(self) -> None:
        """Begin with the first day that the exchange sees."""
        self._set_day()

    def advance(self) -> None:
        """Do what became due by the market's time, which may have been turned back."""
        state = self._state
        for record in self._floor.deadlines.due(state.market_ns):
            self._floor.end_resting(record, OrderStatus.EXPIRED)
        for calendar in self._calendars:
            if calendar.sessions:
                self._follow_sessions(calendar)
        if not self._has_days:
            return
        if state.market_ns >= state.day_ends_at_ns:
            for calendar in self._calendars:
                if not calendar.sessions:
                    self._end_day(calendar)
            self._set_day()
        elif state.market_ns < state.day_ends_at_ns - DAY_NS:  # a replay begins again
            self._set_day()

    @property
    def next_ns(self) -> int | None:
        """The market time at which something more will be due, None when nothing will."""
        state = self._state
        wanted = [self._floor.deadlines.next_ns]
        if self._has_days:
            wanted.append(state.day_ends_at_ns)
        for one in self._calendars:
            if one.sessions:
                begins_ns = next_begin_ns(one.sessions, state.market_ns)
                wanted.append(self._ends_ns(one) or begins_ns)
        return min((one for one in wanted if one is not None), default=None)

    def _set_day(self) -> None:
        """Let the day end at the first such moment after now."""
        state = self._state
        since_ns = (state.market_ns - state.settings.day_ends_at_ns) % DAY_NS
        state.day_ends_at_ns = state.market_ns + DAY_NS - since_ns

    def _end_day(self, calendar: _Calendar) -> None:
        for record in self._floor.open_orders:
            order = record.order
            is_meant = order.instrument_id in calendar.instruments
            if is_meant and order.time_in_force is TimeInForce.DAY:
                self._floor.end_resting(record, OrderStatus.EXPIRED)

    def _ends_ns(self, calendar: _Calendar) -> int | None:
        state = self._state
        if calendar.market_id is None:
            return state.session_ends_at_ns
        return state.market_ends_at_ns.get(calendar.market_id)

    def _set_end(self, calendar: _Calendar, ends_ns: int | None) -> None:
        state = self._state
        if calendar.market_id is None:
            state.session_ends_at_ns = ends_ns
        elif ends_ns is None:
            state.market_ends_at_ns.pop(calendar.market_id, None)
        else:
            state.market_ends_at_ns[calendar.market_id] = ends_ns

    def _follow_sessions(self, calendar: _Calendar) -> None:
        state = self._state
        before_ns = self._ends_ns(calendar)
        now = session_at(calendar.sessions, state.market_ns)
        ends_ns = None if now is None else now.end_ns
        if ends_ns == before_ns:
            return
        self._set_end(calendar, ends_ns)
        for instrument_id in calendar.instruments:
            state.markets[instrument_id].is_closed = now is None
        if before_ns is not None:
            self._end_day(calendar)
        if before_ns is None or now is None:
            for instrument_id in calendar.instruments:
                if not state.markets[instrument_id].is_halted:
                    self._liquidity.change(instrument_id, trades=now is not None)


def session_at(sessions: Sequence[Session], market_ns: int) -> Session | None:
    """Return the session that is at hand then, None between two; they are in order."""
    at = bisect_right(sessions, market_ns, key=lambda one: one.begin_ns) - 1
    return sessions[at] if at >= 0 and market_ns < sessions[at].end_ns else None


def next_begin_ns(sessions: Sequence[Session], market_ns: int) -> int | None:
    """Return when the first session after that moment begins, None when there is none."""
    at = bisect_right(sessions, market_ns, key=lambda one: one.begin_ns)
    return sessions[at].begin_ns if at < len(sessions) else None
