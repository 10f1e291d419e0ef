"""The desk as a whole: commands answered once, restarts, snapshots, and what it refuses to be."""

import msgspec
import pytest

from tandem.core.trading.desk import Desk
from tandem.core.trading.state import Answered, ParentPhase, Phase
from tandem.core.trading.turn import ANSWERS_MAX
from tandem.domain import link
from tandem.domain.commands import (
    CancelOrders,
    Done,
    HaltTrading,
    PlaceParent,
    Refused,
    ResumeTrading,
    Taken,
)
from tandem.domain.desk import DeskSettings, Due, RoomChanged
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import AccountId, Lots, SlotId, Ticks
from tandem.domain.order import OrderStatus, Side
from tandem.domain.parents import ParentSpec
from tests.unit.core.trading.desk_driver import (
    MS,
    SECOND,
    Floor,
    X,
    but_audits,
    fill_of,
    instrument,
    settings_of,
)


def place(quantity: int) -> PlaceParent:
    spec = ParentSpec(symbol="T", side=Side.BUY, quantity=Lots(quantity), limit_price=Ticks(1_000))
    return PlaceParent(spec=spec)


# -- commands


def test_a_repeated_command_is_answered_again_and_carried_out_once() -> None:
    """F1 F9 A33: the asker repeats its command id until it is answered."""
    floor = Floor().open()
    first = floor.ask(place(10), "mine")
    assert first == Taken(order_id="d-1")  # type: ignore[arg-type]
    assert floor.ask(place(10), "mine") == first
    assert list(floor.state.parents) == ["d-1"]
    assert floor.counted("commands_repeated") == 1


def test_a_known_id_with_other_content_is_refused() -> None:
    floor = Floor().open()
    floor.ask(place(10), "mine")
    refused = floor.refusal(floor.ask(place(11), "mine"))
    assert (refused.reason, refused.text) == (
        "other_content",
        "command mine was asked before, with other content",
    )


def test_a_refusal_stays_a_refusal_for_its_command_id() -> None:
    floor = Floor()
    first = floor.ask(place(10), "mine")
    assert isinstance(first, Refused)
    floor.open()
    assert floor.ask(place(10), "mine") == first
    assert floor.counted("refused_not_set_up") == 1


def test_answers_are_remembered_not_for_ever() -> None:
    floor = Floor(is_checked=False)
    answered = Answered(digest=b"", answer=Done(text=""))
    floor.state.answers.update((str(number), answered) for number in range(ANSWERS_MAX - 1))
    floor.command(ResumeTrading(), "full")
    assert len(floor.state.answers) == ANSWERS_MAX
    assert "0" in floor.state.answers
    floor.command(ResumeTrading(), "one more")
    assert ANSWERS_MAX * 9 // 10 < len(floor.state.answers) <= ANSWERS_MAX
    assert "0" not in floor.state.answers
    assert {"full", "one more"} <= floor.state.answers.keys()


def test_commands_are_answered_by_what_they_did() -> None:
    floor = Floor().open()
    floor.ask(place(4), "order")
    assert floor.ask(CancelOrders(order_id="d-1")) == Done(text="d-1 is being canceled")
    assert isinstance(floor.ask(HaltTrading(reason="")), Done)


# -- the disk


def test_a_full_disk_refuses_new_orders_and_takes_cancels() -> None:
    """F11."""
    floor = Floor().open()
    floor.buy(4)
    floor.on(RoomChanged(short=True))
    assert floor.refusal(floor.ask(place(1))).reason == "disk_full"
    assert isinstance(floor.cancel("d-1"), Done)
    assert len(floor.sent(link.Withdraw)) == 4
    floor.on(RoomChanged(short=False))
    floor.buy(4)


# -- time


def test_an_alarm_that_comes_early_or_late_finds_its_moment() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.on(Due())
    assert floor.counted("unknown") == 0
    floor.now_ns += 10 * SECOND
    floor.on(Due())
    assert attempt.phase is Phase.UNKNOWN


def test_a_desk_without_orders_wants_to_be_woken_only_by_audits() -> None:
    desk = Desk()
    assert desk.next_due_ns is None
    floor = Floor().open()
    assert but_audits(floor.pass_time(60 * SECOND)) == []
    assert {kind for alarms in floor.state.alarms_at.values() for kind, _ in alarms} == {"audit"}


def test_an_alarm_of_what_is_forgotten_is_ignored() -> None:
    floor = Floor(settings_of(finished_max=0)).open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.fill(attempt, 1)
    assert floor.state.attempts == {}
    assert but_audits(floor.pass_time(10 * SECOND)) == []


def test_an_alarm_of_a_parent_that_is_forgotten_is_ignored() -> None:
    floor = Floor(settings_of(finished_max=0)).open()
    floor.at("s1").not_ready()
    parent = floor.buy(4)
    floor.cancel(parent.parent_id)
    assert floor.state.parents == {}
    assert but_audits(floor.pass_time(2 * SECOND)) == []


# -- restarts


def test_a_restart_raises_the_epoch_and_keeps_everything_that_was_decided() -> None:
    """F19."""
    floor = Floor().open()
    parent = floor.buy(4)
    floor.fill(floor.attempts(parent)[0], 1)
    floor.restart()
    assert floor.state.epoch == 2
    assert [one.phase for one in floor.attempts(parent)] == [Phase.FINAL] + [Phase.UNKNOWN] * 3
    assert floor.refusal(floor.place(Side.SELL, 1, 1_000)).reason == "self_trade"
    for hand in floor.all_hands():
        hand.seen = dict.fromkeys(floor.state.attempts, link.Progress.SENT)
        hand.join(ready=True)
        hand.ready()
    floor.pass_time(2 * SECOND)
    for one in floor.attempts(parent)[1:]:
        floor.found(one, OrderStatus.FILLED, [fill_of(one, 1, "e")])
    assert parent.phase is ParentPhase.DONE
    floor.replay()


def test_what_was_planned_before_a_restart_is_released_after_it() -> None:
    """F1 F2."""
    floor = Floor().open()
    floor.at("s4").not_ready()
    parent = floor.buy(4)
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
        hand.ready()
    assert {one.phase for one in floor.attempts(parent)} == {Phase.RELEASED}


def test_a_parent_that_nobody_helps_after_a_restart_ends_in_time() -> None:
    """I2."""
    floor = Floor().open()
    floor.at("s4").not_ready()
    parent = floor.buy(4)
    floor.restart()
    floor.pass_time(61 * SECOND)
    assert parent.phase is ParentPhase.DONE


def test_a_restored_snapshot_goes_on_in_the_same_way() -> None:
    """I11: after each event of every test here, and once more with everything in it."""
    floor = Floor().open()
    floor.buy(10)
    floor.fill(floor.attempts()[0], 1)
    again = Desk.restore(floor.desk.snapshot())
    assert again.snapshot() == floor.desk.snapshot()
    assert again.rules.bundle_hash == floor.desk.rules.bundle_hash
    assert Desk.restore(Desk().snapshot()).state.settings is None


def test_new_slots_and_instruments_may_come_with_a_restart() -> None:
    floor = Floor().open()
    more = settings_of(
        slots=6,
        instruments=(*settings_of().instruments, instrument("V", X, "m")),
    )
    floor.restart(more)
    assert list(floor.state.seats) == ["s1", "s2", "s3", "s4", "s5", "s6"]


def changed(settings: DeskSettings, kind: str) -> DeskSettings:
    first, *rest = settings.slots
    if kind == "slot gone":
        return msgspec.structs.replace(settings, slots=tuple(rest))
    if kind == "account changed":
        other = msgspec.structs.replace(first, account_id=AccountId("B"))
        return msgspec.structs.replace(settings, slots=(other, *rest))
    return msgspec.structs.replace(settings, instruments=settings.instruments[:1])


@pytest.mark.parametrize("kind", ["slot gone", "account changed", "instrument gone"])
def test_what_was_traded_once_cannot_be_taken_out_by_a_restart(kind: str) -> None:
    """Its reports could not be understood; the state is as before."""
    floor = Floor().open()
    before = floor.desk.snapshot()
    with pytest.raises(ConfigurationError, match="it must stay so"):
        floor.restart(changed(floor.settings, kind))
    assert floor.desk.snapshot() == before


# -- takeover in the middle of an order


@pytest.mark.parametrize("step", ["released", "accepted", "partly filled", "canceling"])
def test_a_worker_killed_at_any_step_loses_and_repeats_nothing(step: str) -> None:
    """A18 C2 F2 F3 F4 F15: the spare learns from the venue, and only the rest is open."""
    floor = Floor().open()
    spare = floor.spare()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    if step != "released":
        floor.accept(attempt)
    if step == "partly filled":
        floor.fill(attempt, 3, execution="e1")
    if step == "canceling":
        floor.cancel(parent.parent_id)
    floor.at("s1").die()
    spare.ready()
    floor.pass_time(1_300 * MS)
    fills = [fill_of(attempt, 3, "e1"), fill_of(attempt, 4, "e2")]
    floor.found(attempt, OrderStatus.CANCELED, fills)
    assert (attempt.cum_quantity, parent.done_quantity) == (7, 7)
    again = floor.attempts(parent)[1:]
    assert sum(one.order.quantity for one in again) == (0 if step == "canceling" else 3)
    floor.replay()


def test_a_new_order_trades_on_the_spare_at_once_while_the_old_one_is_unknown() -> None:
    """A18."""
    floor = Floor().open()
    spare = floor.spare()
    floor.buy(10, slots=("s1",))
    floor.at("s1").die()
    spare.ready()
    floor.buy(5, slots=("s1",))
    (sent,) = floor.sent(link.Release)
    assert (sent.account_id, sent.account_epoch) == (floor.state.seats[SlotId("s1")].account_id, 2)
