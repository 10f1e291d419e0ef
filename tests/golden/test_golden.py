"""A recorded session: its events in, its effects out, byte for byte.

A changed file means that a journal written before would not replay any more: explain it in the
commit, and write it anew with `python -m tests.golden.session`.
"""

import msgspec
import pytest

from tandem.core.trading.desk import Desk
from tandem.domain.desk import DeskEffect, DeskEvent
from tandem.domain.errors import ReplayMismatchError
from tandem.shells.recording import Record, replay
from tests.golden import session

RECORDS = msgspec.json.Decoder(Record[DeskEvent, DeskEffect])
JOURNAL = msgspec.msgpack.Decoder(Record[DeskEvent, DeskEffect])


def recorded() -> tuple[list[bytes], str]:
    """Return the lines of the records, and the digest that they lead to."""
    *found, last = session.PLACE.read_bytes().splitlines()
    return found, msgspec.json.decode(last, type=str)


def test_the_recorded_events_give_the_recorded_effects_and_state() -> None:
    """C6 I11."""
    desk = Desk()
    found, digest = recorded()
    for line in found:
        record = RECORDS.decode(line)
        effects = desk.on(record.event, record.now)
        again = Record(record.number, record.now, record.event, effects)
        assert session.ENCODER.encode(again) == line, f"record {record.number}"
    assert session.digest(desk) == digest


def test_the_session_is_recorded_as_it_is_played() -> None:
    """C6: the same story gives the same file."""
    assert list(session.lines(session.play())) == session.PLACE.read_bytes().splitlines()


def test_a_journal_of_it_replays_and_one_changed_effect_is_found() -> None:
    """C6 F19."""
    found, digest = recorded()
    journal = [msgspec.msgpack.encode(RECORDS.decode(line)) for line in found]
    desk = Desk()
    assert replay(desk, journal, JOURNAL) == len(found)
    assert session.digest(desk) == digest
    at = next(number for number, one in enumerate(journal) if JOURNAL.decode(one).effects)
    record = JOURNAL.decode(journal[at])
    journal[at] = msgspec.msgpack.encode(msgspec.structs.replace(record, effects=[]))
    with pytest.raises(ReplayMismatchError, match=f"record {at + 1} "):
        replay(Desk(), journal, JOURNAL)
