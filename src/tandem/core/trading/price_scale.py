"""Whether a price is of the scale of what is held: of after as many splits (see `corporate`)."""

from tandem.core.trading import reconciling
from tandem.core.trading.turn import Turn
from tandem.domain.venue import Quote


def is_current(turn: Turn, quote: Quote) -> bool:
    """Whether a price is of the same scale as the lots of every account that could hold them.

    An account that has not heard of a split is asked for soon.
    """
    key = quote.instrument_id
    if not quote.splits and key not in turn.state.splits.instruments:
        return True
    instrument = turn.rules.instruments.get(key)
    if instrument is None:
        return True  # nobody holds what is not listed
    is_alike = True
    for seat in turn.state.seats.values():
        if seat.venue_id == instrument.venue_id and seat.opened:
            known = seat.adjustments.splits.get(key, 0)
            is_alike = is_alike and known == quote.splits
            if known < quote.splits:
                reconciling.hasten(turn, seat)
    return is_alike
