"""One event being decided: what is sent to whom, and which alarms are kept."""

from tandem.domain import link
from tandem.domain.commands import Done, ResumeTrading
from tandem.domain.desk import Tell, ToWorker
from tandem.domain.ids import AskerId, CommandId
from tests.unit.core.trading.desk_driver import SECOND, Floor


def test_words_go_out_on_the_connection_their_decision_was_made_for() -> None:
    """F9."""
    floor = Floor().open()
    floor.at("s1").join(ready=True)
    floor.buy(4)
    sent = {
        one.incarnation: one.connection
        for one in floor.effects
        if isinstance(one, ToWorker) and isinstance(one.message, link.Release)
    }
    assert sent == {"i-w1": 2, "i-w2": 1, "i-w3": 1, "i-w4": 1}


def test_words_to_who_is_not_connected_are_lost() -> None:
    floor = Floor().open()
    floor.at("s1").lose()
    floor.halt()
    assert len(floor.sent(link.Halt)) == 3


def test_answers_go_to_who_asked() -> None:
    floor = Floor()
    (told,) = floor.command(ResumeTrading(), "r")
    assert told == Tell(
        asker=AskerId(1), command_id=CommandId("r"), answer=Done(text="trading was not halted")
    )


def test_alarms_of_one_moment_ring_in_the_order_in_which_they_were_set() -> None:
    """I11."""
    floor = Floor().open()
    floor.buy(4)
    (shared,) = [
        [key for kind, key in alarms if kind == "attempt"]
        for alarms in floor.state.alarms_at.values()
        if ("attempt", floor.attempts()[0].order.client_order_id) in alarms
    ]
    assert shared == [one.order.client_order_id for one in floor.attempts()]
    floor.pass_time(2 * SECOND)
    floor.replay()
