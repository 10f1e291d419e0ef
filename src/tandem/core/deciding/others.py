"""Which bars of other instruments a strategy sees: a function of its own bar and of what was told.

On its bar that begins at B, a strategy sees those bars of another series that were over at B and
had been told by the time it was asked: those numbered up to `others_told`. So what was seen is said
by one number for each series, recorded with the decision, and can be read again. Nobody is waited
for: a bar that is told late is seen with the next bar, whoever evaluates.

Who is warm is given what was over since. Where that is not known, because numbers were left out or
too many bars wait, everybody is cold until a bar that began after all of them.
"""

from typing import Final

from tandem.core.deciding import roster
from tandem.core.deciding.inputs import chained
from tandem.core.deciding.state import Asked, DeciderState, KeyState
from tandem.domain.bars import FinalBar
from tandem.domain.deciding import HistoryRead
from tandem.domain.evaluation import OtherBar, OtherSeen
from tandem.domain.instrument import Instrument

PENDING_MAX: Final = 2_000


def tell(key: KeyState, final: FinalBar) -> None:
    """Keep a bar of another series until it may be seen; one that was told before is dropped."""
    instrument_id = final.bar.instrument_id
    told = key.others_told.get(instrument_id, 0)
    if final.number <= told:
        return
    if final.number > told + 1:
        key.others_cut_ns = max(key.others_cut_ns, final.bar.end_ns)
    key.others_told[instrument_id] = final.number
    symbol = key.others[instrument_id].symbol
    key.others_pending.append(
        OtherBar(symbol=symbol, bar=final.bar, number=final.number, revision=final.revision)
    )
    if len(key.others_pending) > PENDING_MAX:
        gone = key.others_pending.pop(0)
        key.others_cut_ns = max(key.others_cut_ns, gone.bar.end_ns)


def take(state: DeciderState, key: KeyState, final: FinalBar) -> tuple[OtherBar, ...]:
    """Return the waiting bars that were over when this one began, and wait for them no more.

    A correction among them is no news to anybody, but changes history.
    """
    begin_ns = final.bar.begin_ns
    taken = [one for one in key.others_pending if one.bar.end_ns <= begin_ns]
    key.others_pending = [one for one in key.others_pending if one.bar.end_ns > begin_ns]
    if key.others_cut_ns or any(one.revision for one in taken):
        if begin_ns >= key.others_cut_ns:
            key.others_cut_ns = 0
        roster.history_changed(state, key)
    return tuple(one for one in taken if not one.revision)


def seen(key: KeyState) -> tuple[OtherSeen, ...]:
    """Return how far each series has been told, in the order in which the key has them."""
    return tuple(
        OtherSeen(instrument_id=one, number=key.others_told.get(one, 0)) for one in key.others
    )


def chain(key: KeyState, asked: Asked, history: HistoryRead | None) -> None:
    """Add what was seen to the chains; those of `history`, if it was wanted, have it already.

    Whoever is looked at only since it was asked has no chain yet.
    """
    if history is not None:
        names = (one.instrument_id for one in asked.seen)
        found = dict(zip(names, history.others, strict=False))
        key.others_chains = {one: it for one, it in found.items() if one in key.others}
        return
    for one in asked.others:
        before = key.others_chains.get(one.bar.instrument_id)
        if before is not None:
            key.others_chains[one.bar.instrument_id] = chained(before, one.bar)


def chains_of(key: KeyState, others: tuple[Instrument, ...]) -> tuple[str, ...]:
    """Return the chains of those that one assignment looks at."""
    return tuple(key.others_chains.get(one.instrument_id, "") for one in others)
