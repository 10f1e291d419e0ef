"""A person's halt of one symbol, while the rest of the desk trades on."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import showing_limits
from tandem.core.trading.showing import show
from tandem.domain import link
from tandem.domain.algos import Twap
from tandem.domain.commands import (
    Answer,
    Done,
    ExitRule,
    HaltTrading,
    PlaceAlgo,
    PlaceBoth,
    PlacePair,
    RefusalReason,
    ResumeTrading,
    SetLimits,
    Taken,
)
from tandem.domain.control import AskStatus
from tandem.domain.ids import AccountId, Lots, SlotId, Ticks
from tandem.domain.limits import LimitChanges
from tandem.domain.order import Side
from tandem.domain.views import StatusView, SymbolHaltView
from tests.unit.core.trading.desk_driver import SECOND, Floor, X, instrument, settings_of


def halt(floor: Floor, symbol: str = "T") -> Answer:
    return floor.ask(HaltTrading(reason="odd prints", symbol=symbol))


def resume(floor: Floor, symbol: str | None = "T") -> Answer:
    return floor.ask(ResumeTrading(symbol=symbol))


def test_a_halted_symbol_takes_nothing_new_and_what_is_open_there_is_canceled() -> None:
    """A28 C14: the rest of the desk trades on."""
    floor = Floor().open()
    floor.buy(4)
    kept = floor.buy(4, symbol="U")
    assert halt(floor) == Done(text="T is halted; 1 orders are being canceled")
    assert len(floor.sent(link.Withdraw)) == 4
    floor.confirm_limits()
    refused = floor.refusal(floor.place(Side.BUY, 1))
    assert (refused.reason, refused.text) == (RefusalReason.HALTED, "T is halted: odd prints")
    assert not kept.cancel_wanted
    floor.buy(4, symbol="U")


def test_it_stands_through_a_restart_and_a_resume_of_the_desk_until_it_is_resumed_by_name() -> None:
    """A28."""
    floor = Floor().open()
    halt(floor)
    floor.restart()
    floor.ask(HaltTrading(reason="lunch"))
    assert resume(floor, None) == Done(text="trading; T stays halted")
    assert floor.state.halted == {"T": "odd prints"}
    assert resume(floor) == Done(text="T is traded again")
    assert resume(floor) == Done(text="T was not halted")
    floor.replay()


def test_it_trades_again_once_the_workers_have_confirmed() -> None:
    floor = Floor().open()
    halt(floor)
    resume(floor)
    floor.confirm_limits()
    floor.buy(4)
    assert len(floor.sent(link.Release)) == 4


def test_no_other_symbol_s_name_halts_anything() -> None:
    floor = Floor().open()
    refused = floor.refusal(halt(floor, "NONE"))
    assert refused.reason is RefusalReason.UNKNOWN_SYMBOL
    assert floor.state.halted == {}


def test_workers_are_told_in_their_own_limits_also_those_with_some_of_their_own() -> None:
    """A28: the last gate before the wire refuses what was decided before."""
    floor = Floor().open()
    own = LimitChanges(restricted=("U",))
    floor.ask(SetLimits(account_id=AccountId("A2"), changes=own))
    halt(floor)
    told = {one.account_id: one.changes.restricted for one in floor.sent(link.Limit)}
    assert told == {"A1": ("T",), "A2": ("T", "U"), "A3": ("T",), "A4": ("T",)}
    resume(floor)
    told = {one.account_id: one.changes.restricted for one in floor.sent(link.Limit)}
    assert told == {"A1": None, "A2": ("U",), "A3": None, "A4": None}


def test_status_and_limits_say_what_is_halted_and_what_may_still_be_open_there() -> None:
    """A28."""
    floor = Floor().open()
    floor.buy(4)
    halt(floor)
    status = show(floor.desk, AskStatus(number=1), 0)
    assert isinstance(status, StatusView)
    said = SymbolHaltView(symbol="T", reason="odd prints", open_orders=4)
    assert status.halted == (said,)
    for attempt in floor.attempts():
        floor.canceled(attempt)
    state, rules = floor.state, floor.desk.rules
    assert [one.open_orders for one in showing_limits.halts(state, rules)] == [0]
    view = showing_limits.limits_view(state, rules, floor.now)
    assert [one.halted for one in view.scopes] == [{"T": "odd prints"}] * 5


def both(symbol: str) -> PlaceBoth:
    return PlaceBoth(
        symbol=symbol,
        quantity=Lots(4),
        buy_price=Ticks(990),
        sell_price=Ticks(1_010),
        inventory_limit=Lots(4),
        lifetime_ns=60 * SECOND,
        exit_rule=ExitRule.FLATTEN,
    )


def pair(buys: str, sells: str) -> PlacePair:
    return PlacePair(
        buy_symbol=buys,
        sell_symbol=sells,
        buy_price=Ticks(1_000),
        sell_price=Ticks(1_000),
        slice_quantity=Lots(2),
        slices=1,
        buy_slots=(SlotId("s1"), SlotId("s2")),
        sell_slots=(SlotId("s3"), SlotId("s4")),
    )


def twap(symbol: str) -> PlaceAlgo:
    spec = Twap(
        symbol=symbol,
        side=Side.BUY,
        quantity=Lots(8),
        limit_price=Ticks(900),
        duration_ns=60 * SECOND,
        slices=2,
    )
    return PlaceAlgo(spec=spec)


INSTRUMENTS = tuple(instrument(one, X, "m") for one in "TUVWZ")


def test_quotes_pairs_and_algorithms_with_a_part_there_are_canceled_and_not_taken() -> None:
    """A28: one leg is enough, and others go on."""
    floor = Floor(settings_of(instruments=INSTRUMENTS)).open()
    for one in (both("T"), both("U"), pair("T", "V"), pair("W", "Z"), twap("T"), twap("U")):
        assert isinstance(floor.ask(one), Taken), one
    halt(floor)
    state = floor.state
    found = [*state.boths.values(), *state.pairs.values()]
    assert [one.cancel_wanted for one in found] == [True, False, True, False]
    assert [one.phase.value for one in state.algos.values()] == ["ending", "working"]
    floor.confirm_limits()
    for one in (both("T"), pair("U", "T"), pair("T", "U"), twap("T")):
        assert floor.refusal(floor.ask(one)).text == "T is halted: odd prints"


def test_what_a_quote_has_bought_stays_when_its_symbol_is_halted() -> None:
    """It cannot be flattened there, and that is said."""
    floor = Floor().open()
    floor.ask(both("T"))
    bid = next(one for one in floor.attempts() if one.order.side is Side.BUY)
    floor.accept(bid)
    floor.fill(bid, 1)
    halt(floor)
    for attempt in floor.attempts():
        floor.canceled(attempt)
    (quote,) = floor.state.boths.values()
    assert quote.phase.value == "done"
    assert "T is halted" in quote.text
    assert floor.state.ledger.lots("A1", "T@X") == 1_001


@given(st.lists(st.tuples(st.sampled_from("TU"), st.booleans()), max_size=6))
def test_a_symbol_takes_orders_just_while_it_is_not_halted(steps: list[tuple[str, bool]]) -> None:
    floor = Floor(is_checked=False).open()
    halted = {"T": False, "U": False}
    for symbol, on in steps:
        halt(floor, symbol) if on else resume(floor, symbol)
        floor.confirm_limits()
        halted[symbol] = on
    floor.restart()
    taken = {one: isinstance(floor.place(Side.BUY, 1, symbol=one), Taken) for one in "TU"}
    assert taken == {one: not on for one, on in halted.items()}
