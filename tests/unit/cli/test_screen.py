"""The pool on a terminal."""

import io

import msgspec

from tandem.cli.screen import Screen, pool_table, slot_state, summary, worker_state
from tandem.domain.ids import AccountId, ClientOrderId, SlotId
from tandem.domain.views import SlotView, StatusView, WorkerView

STATUS = StatusView(
    pool="trading",
    trading="active",
    reason="",
    coordinator_epoch=1,
    records=10,
    slots=(
        SlotView(
            slot_id=SlotId("w1"),
            account_id=AccountId("A1"),
            venue_id="paper",
            fence_class="A",
            active=True,
            ready=True,
            worker="p2",
            pid=20,
            epoch=1,
            open_orders=3,
        ),
    ),
    workers=(
        WorkerView(name="p1", pid=10, connected=True, confirmed=True, slot_id=None),
        WorkerView(name="p2", pid=20, connected=True, confirmed=True, slot_id=SlotId("w1")),
    ),
    parents_open=3,
    parents_done=4,
    unknown=0,
    for_person=(),
    counters={"takeovers": 2},
)


def test_every_slot_and_every_spare_has_a_line() -> None:
    lines = pool_table(STATUS).splitlines()
    assert len(lines) == 3
    assert lines[1].split() == ["w1", "A1", "p2", "20", "here", "ready", "1", "3"]
    assert lines[2].split() == ["spare", "-", "p1", "10", "here", "ready", "-", "-"]


def test_who_leaves_and_who_is_elsewhere_is_shown() -> None:
    """A4: process numbers are of this computer only."""
    slot, spare = STATUS.slots[0], STATUS.workers[0]
    elsewhere = msgspec.structs.replace(STATUS.workers[1], machine="tower", draining=True)
    both = (spare, elsewhere)
    status = msgspec.structs.replace(STATUS, workers=both)
    line = pool_table(status).splitlines()[1]
    assert line.split() == ["w1", "A1", "p2", "-", "tower", "ready,", "draining", "1", "3"]
    leaving = msgspec.structs.replace(slot, leaving=True)
    line = pool_table(msgspec.structs.replace(status, slots=(leaving,))).splitlines()[1]
    assert line.split()[5] == "leaving"
    empty = msgspec.structs.replace(slot, worker=None, ready=False)
    status = msgspec.structs.replace(STATUS, slots=(empty,), workers=())
    assert pool_table(status).splitlines()[1].split()[2:6] == ["-", "-", "-", "waits"]


def test_a_worker_without_a_slot_is_one_thing() -> None:
    spare = STATUS.workers[0]
    assert worker_state(spare) == "ready"
    assert worker_state(msgspec.structs.replace(spare, confirmed=False)) == "is set up"
    assert worker_state(msgspec.structs.replace(spare, draining=True)) == "drained"
    assert worker_state(msgspec.structs.replace(spare, connected=False)) == "lost"


def test_a_slot_that_is_not_used_says_so() -> None:
    slot = msgspec.structs.replace(STATUS.slots[0], active=False, leaving=True)
    assert slot_state(slot, None) == "not used"


def test_plain_lines_come_only_when_something_has_changed() -> None:
    out = io.StringIO()
    screen = Screen(out, redraws=False)
    screen.show(STATUS, {})
    screen.show(STATUS, {})
    assert out.getvalue() == f"{summary(STATUS)}\n"
    screen.show(msgspec.structs.replace(STATUS, parents_done=5), {})
    assert out.getvalue().count("\n") == 2


def test_the_table_is_drawn_over_itself_and_what_is_said_stays() -> None:
    out = io.StringIO()
    screen = Screen(out, redraws=True)
    screen.show(STATUS, {"coordinator": 5, "exchange": 6, "p1": 7})
    first = out.getvalue()
    assert "coordinator 5, exchange 6" in first
    assert "\x1b" not in first
    screen.show(STATUS, {})
    height = first.count("\n")
    assert f"\x1b[{height}A" in out.getvalue()
    screen.say("p1 ended")
    assert out.getvalue().endswith("\x1b[Jp1 ended\n")


def test_what_waits_for_a_person_and_why_it_is_halted_is_said() -> None:
    halted = msgspec.structs.replace(
        STATUS, trading="halted", reason="lunch", for_person=(ClientOrderId("d1-1-1-1"),)
    )
    assert "halted (lunch)" in summary(halted)
    assert "1 wait for a person" in summary(halted)
