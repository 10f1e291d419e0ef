"""What assignments want of one account is one order; what they hand each other is none."""

from tandem.domain.commands import SetTargets
from tests.unit.core.trading.strategy_floor import strategy_floor


def test_a_position_that_is_wanted_is_bought_and_its_reverse_sold() -> None:
    """B20, B22."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    assert floor.sizes() == [10]
    floor.fill_all()
    assert floor.held() == 10
    floor.pass_time(60 * 10**9)
    floor.quote()
    floor.set(position=0)
    assert floor.sizes() == [-10]
    floor.fill_all()
    assert floor.held() == 0
    floor.replay()


def test_two_that_want_the_opposite_trade_only_the_difference() -> None:
    """B22."""
    floor = strategy_floor(may_short=True)
    floor.assign("a")
    floor.assign("b", lots=4, may_short=True)
    floor.ask(SetTargets(targets=(floor.target("a", 1), floor.target("b", -1))))
    assert floor.sizes() == [6]
    floor.fill_all()
    assert (floor.held("a"), floor.held("b")) == (10, -4)
    assert floor.counted("targets_handed") == 1
    floor.replay()
