"""Iceberg: a piece of it is shown at a time."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos import iceberg
from tandem.domain.algos import Iceberg
from tandem.domain.commands import Done, PlaceAlgo, ReplaceOrder, Taken
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side, TimeInForce
from tests.unit.core.trading.algos.rehearsal import ACTS, Rehearsal
from tests.unit.core.trading.desk_driver import SECOND, Floor


def spec(**changes: Any) -> Iceberg:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.SELL,
        "quantity": Lots(100),
        "limit_price": Ticks(1_000),
        "visible": Lots(20),
    }
    return Iceberg(**(fields | changes))


def test_an_iceberg_that_cannot_be_is_refused_in_words() -> None:
    for changes, word in (
        ({"limit_price": None}, "limit price"),
        ({"visible": Lots(0)}, "visible"),
        ({"visible": Lots(101)}, "visible"),
        ({"jitter_percent": 91}, "jitter"),
        ({"jitter_percent": -1}, "jitter"),
    ):
        text = iceberg.objection(spec(**changes))
        assert text is not None
        assert word in text
    assert iceberg.objection(spec()) is None


def test_the_next_piece_is_shown_when_the_one_before_has_traded() -> None:
    """A14."""
    played = Rehearsal(spec(quantity=Lots(50)))
    for _ in range(3):
        played.look()
        played.look()
        played.fill()
    assert [one.quantity for _, one in played.placed] == [20, 20, 10]
    assert {one.time_in_force for _, one in played.placed} == {TimeInForce.GOOD_TILL_CANCEL}
    assert played.look().is_over


def test_a_piece_that_still_rests_is_left_alone() -> None:
    played = Rehearsal(spec())
    played.look()
    played.fill(0, 19)
    played.look()
    assert len(played.placed) == 1


def test_pieces_vary_within_their_limits_and_are_the_same_for_a_seed() -> None:
    """A14."""
    shown = []
    for seed in (7, 7, 8):
        played = Rehearsal(spec(quantity=Lots(1_000), jitter_percent=50), seed=seed)
        while not played.look().is_over:
            played.fill()
        shown.append([one.quantity for _, one in played.placed])
        assert sum(shown[-1]) == 1_000
    assert shown[0] == shown[1] != shown[2]
    assert len(set(shown[0])) > 5
    assert all(10 <= one <= 20 for one in shown[0][:-1])


def test_one_that_is_wound_up_shows_nothing_more() -> None:
    played = Rehearsal(spec())
    played.is_ending = True
    assert played.look().is_over
    assert not played.placed


@given(st.lists(ACTS, max_size=40), st.integers(1, 100), st.integers(0, 90), st.integers(0, 99))
def test_never_more_than_the_visible_quantity_is_out(
    acts: list[Any], visible: int, jitter: int, seed: int
) -> None:
    """A14, I20."""
    one = spec(visible=Lots(visible), jitter_percent=jitter)
    assert iceberg.objection(one) is None
    played = Rehearsal(one, seed=seed)
    for act in acts:
        played.act(act)
        assert sum(part.quantity - part.traded for part in played.parts) <= visible
        assert played.sight().sold <= played.spec.quantity


def test_the_accounts_together_show_at_most_the_visible_quantity() -> None:
    """A14: also while a piece is tried again elsewhere, and while its price is moved."""
    floor = Floor().open()
    answer = floor.ask(PlaceAlgo(spec=spec()))
    assert isinstance(answer, Taken)
    algo = floor.state.algos[answer.order_id]

    def out() -> list[Any]:
        return [one for one in floor.attempts() if not one.is_final]

    def at_the_venues() -> int:
        return sum(one.order.quantity - one.cum_quantity for one in out())

    assert [one.order.quantity for one in out()] == [5, 5, 5, 5]
    first = out()[0]
    floor.not_sent(first)  # it goes to another account
    floor.pass_time(SECOND)
    assert at_the_venues() == 20
    floor.fill(out()[0], 5)
    assert at_the_venues() == 15  # the others rest, so nothing new is shown
    moved = floor.ask(ReplaceOrder(order_id=algo.algo_id, limit_price=Ticks(1_010)))
    assert isinstance(moved, Done)
    for one in out():
        assert at_the_venues() <= 15
        floor.canceled(one)
    assert {one.order.limit_price for one in out()} == {1_010}
    assert at_the_venues() == 20
    assert algo.shown_max == 20
    assert algo.shown["X"].lots == 20


def test_a_piece_that_nobody_took_is_not_shown_again_at_once() -> None:
    floor = Floor().open()
    floor.ask(PlaceAlgo(spec=spec()))
    for one in floor.attempts():
        floor.expired(one, 0)
    assert all(one.is_final for one in floor.attempts())
    floor.pass_time(SECOND)
    assert sum(one.order.quantity for one in floor.attempts() if not one.is_final) == 20
