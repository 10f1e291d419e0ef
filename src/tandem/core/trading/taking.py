"""Whether the desk takes anything new now."""

from typing import Final

from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import PoolPhase
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason, Refused

_TRADING: Final = PoolPhase.TRADING  # finding a member of an enum costs more than comparing it
_HALTED: Final = TradingState.HALTED


def closed(turn: Turn) -> Refused | None:
    """Why nothing new may be placed now."""
    state = turn.state
    if state.exposure.state is _HALTED:
        return Refused(reason=RefusalReason.HALTED, text=f"halted: {state.halt_reason}")
    if state.short_of_room:
        text = "the disk of the journal is full; cancels still work"
        return Refused(reason=RefusalReason.DISK_FULL, text=text)
    if state.pool.phase is not _TRADING:
        if state.pool.phase is PoolPhase.NONE:
            return Refused(reason=RefusalReason.NOT_SET_UP, text="the pool is not set up")
        return Refused(reason=RefusalReason.SETTING_UP, text="the pool is being set up")
    for venue_id, clock in state.clocks.items():
        if not clock.trusted:
            text = f"the clock of {venue_id} jumped by more than its bound"
            return Refused(reason=RefusalReason.VENUE_CLOCK, text=text)
    return None
