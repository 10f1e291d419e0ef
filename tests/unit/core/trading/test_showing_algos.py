"""Algorithms in a trader's words."""

from decimal import Decimal

from tandem.core.trading.showing_algos import algo_view
from tandem.domain.order import Side
from tandem.domain.views import ShownView
from tests.unit.core.trading.algos.test_driver import begin, fill_all, out
from tests.unit.core.trading.desk_driver import Floor, X


def test_what_open_parts_have_traded_is_shown_with_its_slippage() -> None:
    """A14: the most that was ever resting is shown as well."""
    floor = Floor().open()
    algo = begin(floor)
    fill_all(floor, algo)
    view = algo_view(floor.state, floor.desk.rules, algo)
    assert (view.kind, view.side, view.bought, view.sold) == ("twap", Side.BUY, "10", "0")
    assert view.arrival == Decimal("10.00")
    assert view.buy_average is not None
    assert view.slippage == (view.buy_average - view.arrival) * 10
    assert view.shown_max == "10"
    shown = algo.shown[X].market_ns
    assert view.shown == (ShownView(venue_id="X", quantity="10", market_ns=shown),)


def test_what_has_traded_of_parts_that_live_counts_on_its_side() -> None:
    """A14."""
    floor = Floor().open()
    for side, figures in ((Side.BUY, ("2", "0")), (Side.SELL, ("0", "2"))):
        algo = begin(floor, side=side, limit_price=None)
        first = out(floor, algo)[0]
        floor.accept(first)
        floor.fill(first, 2)
        view = algo_view(floor.state, floor.desk.rules, algo)
        assert (view.bought, view.sold) == figures
        assert view.open_parts == 1
        floor.cancel(algo.algo_id)
        for one in out(floor, algo):
            floor.canceled(one)


def test_without_a_price_at_its_begin_there_is_no_slippage() -> None:
    floor = Floor().open(quoted=("U",))
    algo = begin(floor)
    view = algo_view(floor.state, floor.desk.rules, algo)
    assert (view.arrival, view.slippage) == (None, None)
