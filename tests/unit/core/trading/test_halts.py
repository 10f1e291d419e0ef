"""Halts by hand as the desk hears of them: from workers, from the command, in any order."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.halts import HALTS_MAX
from tandem.core.trading.risk import TradingState
from tandem.domain import link
from tandem.domain.commands import Done, HaltTrading
from tandem.domain.ids import HaltId
from tandem.domain.order import Side
from tests.unit.core.trading.desk_driver import Floor, Hand

H = HaltId("h-1")


def tell(hand: Hand, halt_id: HaltId = H) -> None:
    hand.say(link.Halted(reason="enough", halt_id=halt_id))


def is_halted(floor: Floor) -> bool:
    return floor.state.exposure.state is TradingState.HALTED


def test_one_worker_halted_by_hand_halts_the_desk_and_all_workers() -> None:
    """C9 C14."""
    floor = Floor().open()
    floor.buy(4)
    tell(floor.at("s1"))
    assert is_halted(floor)
    assert [one.on for one in floor.sent(link.Halt)] == [True] * 4
    assert len(floor.sent(link.Withdraw)) == 4
    assert floor.refusal(floor.place(Side.BUY, 1)).text == "halted: enough"


def test_a_worker_that_was_halted_while_nobody_heard_says_so_in_its_hello() -> None:
    """C9 F19: the coordinator was dead."""
    floor = Floor().open()
    floor.restart()
    hand = floor.at("s2")
    hand.join(ready=True, halt_id=H)
    assert is_halted(floor)
    assert floor.state.halt_reason == "w2 was halted by hand"


def test_a_resume_lifts_the_halt_of_every_worker_that_told_of_one() -> None:
    """C14."""
    floor = Floor().open()
    for slot in ("s1", "s2"):
        tell(floor.at(slot))
    assert floor.resume() == Done(text="trading")
    assert [one.halt_id for one in floor.sent(link.HaltLifted)] == [H, H]
    floor.halt()
    floor.resume()
    assert floor.sent(link.HaltLifted) == []


def test_a_worker_that_tells_of_a_halt_which_is_over_is_told_so_and_nobody_is_halted() -> None:
    """C14: it was out of reach when trading was resumed."""
    floor = Floor().open()
    away = floor.at("s1")
    away.lose()
    tell(floor.at("s2"))
    floor.resume()
    away.join(ready=True, halt_id=H)
    assert not is_halted(floor)
    assert [one.halt_id for one in floor.sent(link.HaltLifted)] == [H]
    assert floor.state.counters["halts_over_already"] == 1


def test_a_worker_that_tells_of_a_halt_that_still_is_stays_halted_until_resumed() -> None:
    floor = Floor().open()
    floor.ask(HaltTrading(reason="typed", halt_id=H))
    assert is_halted(floor)
    tell(floor.at("s1"))
    assert floor.sent(link.HaltLifted) == []
    assert floor.state.halt_reason == "typed"
    floor.resume()
    assert len(floor.sent(link.HaltLifted)) == 1


def test_a_halt_that_came_and_went_as_a_command_is_over_for_workers_too() -> None:
    """C14: a worker's word is slower than halt and resume."""
    floor = Floor().open()
    floor.ask(HaltTrading(reason="typed", halt_id=H))
    floor.resume()
    tell(floor.at("s1"))
    assert not is_halted(floor)
    assert len(floor.sent(link.HaltLifted)) == 1


def test_only_so_many_halts_are_remembered_and_an_older_one_halts_again() -> None:
    floor = Floor().open()
    floor.look_away()
    tell(floor.at("s1"))
    for number in range(HALTS_MAX):
        tell(floor.at("s1"), HaltId(f"n-{number}"))
    assert len(floor.state.halts) == HALTS_MAX
    floor.resume()
    tell(floor.at("s1"))
    assert is_halted(floor)


ids = st.sampled_from([HaltId("a"), HaltId("b")])
steps = st.lists(st.tuples(st.sampled_from(("tell", "typed", "resume", "restart")), ids))


@given(steps)
def test_the_desk_trades_only_if_all_it_heard_of_was_before_the_last_resume(
    chosen: list[tuple[str, HaltId]],
) -> None:
    """C14: a new halt halts, a known one does not undo a resume."""
    floor = Floor().open()
    heard: dict[HaltId, None] = {}
    halted = False
    for what, halt_id in chosen:
        if what == "tell":
            halted = halted or halt_id not in heard
            heard[halt_id] = None
            tell(floor.at("s1"), halt_id)
        elif what == "typed":
            halted = True
            heard[halt_id] = None
            floor.ask(HaltTrading(reason="typed", halt_id=halt_id))
        elif what == "resume":
            halted = False
            floor.resume()
        else:
            floor.restart()
            floor.at("s1").join(ready=True)
        assert is_halted(floor) is halted
