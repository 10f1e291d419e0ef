"""What strategies of a storm have decided, told the desk, traded and left in three journals."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from tandem.domain.errors import JournalCorruptError, ReplayMismatchError
from tandem.domain.ids import AccountId, InstrumentId
from tandem.wiring.home import Home
from tandem.wiring.journals import journals_of, replay_journal
from tests.system.storm.decided import closed_bars, judge_decisions, missing_bars
from tests.system.storm.judge import Ours, Venue


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a storm leaves beside its home.

    `lacking` is who never held what he wanted, and until `hushed_ns` candles were told.
    """

    lacking: Sequence[str]
    hushed_ns: int | None


class Strategic(msgspec.Struct, kw_only=True):
    """What must not be, and the counts of what was done; those must not be zero."""

    bad: list[str]
    done: Counter[str]


def judge_strategies(home: Home, venue: Venue, ours: Ours, ended: Ended) -> Strategic:
    """Return what became of all decisions."""
    bad = [f"lacks: {one}" for one in ended.lacking]
    told = judge_decisions(home)
    bad += told.bad
    done = told.done
    if ended.hushed_ns is None:
        bad.append("the feed never told all that it owed")
    bad += list(missing_bars(home, closed_bars(home), ended.hushed_ns or 0))
    done["decisions at the desk"] = sum(ours.taken.values())
    bad += [f"taken {times} times: {one}" for one, times in ours.taken.items() if times > 1]
    if ours.taken_again:
        bad.append(f"{ours.taken_again} decisions were taken that were not of a newer bar")
    bad += [f"never taken: {one}" for one in sorted(told.sent) if not ours.taken[one]]
    bad += list(_unlike(venue, ours, done))
    bad += list(_replayed(home))
    return Strategic(bad=bad, done=done)


def _unlike(venue: Venue, ours: Ours, done: Counter[str]) -> Iterator[str]:
    """Yield where strategies hold something else than was traded for them at the venue."""
    held: Counter[tuple[AccountId, InstrumentId]] = Counter()
    for net in ours.state.strategies.nets.values():
        place = (ours.state.seats[net.slot_id].account_id, net.instrument_id)
        held[place] += sum(one.held for one in net.members.values())
        done["lots held in the end"] += abs(held[place])
        done["nets"] += 1
    for place, lots in held.items():
        done["lots traded for strategies"] += venue.turnover[place]
        if venue.traded[place] != lots:
            yield f"strategies hold {lots} and traded {venue.traded[place]} on {place}"
    if not all(one.debits == one.credits for one in ours.state.ledger.trial_balance()):
        yield "the ledger does not balance"


def _replayed(home: Home) -> Iterator[str]:
    """Yield which journal does not give the same bytes again."""
    for name in journals_of(home):
        try:
            replay_journal(home, name, lambda _: None)
        except (ReplayMismatchError, JournalCorruptError) as error:
            yield f"{name}: {error}"
