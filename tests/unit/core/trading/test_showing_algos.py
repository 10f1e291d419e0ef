"""Algorithms in a trader's words."""

from decimal import Decimal

from tandem.core.trading.showing_algos import algo_view, mark_of
from tandem.domain.ids import Ticks
from tandem.domain.order import Side
from tandem.domain.views import ShownView
from tests.unit.core.trading.algos import test_bracket, test_make_market, test_stop
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


def test_a_stop_that_the_desk_holds_says_where_and_what_it_needs() -> None:
    """A11: the screen says that nothing of it is at the venue."""
    floor = Floor().open()
    held = test_stop.begin(floor)
    text = algo_view(floor.state, floor.desk.rules, held).text
    assert text == "stop at 9.50 by last, held here: it needs the coordinator alive"
    trailing = test_stop.begin(floor, stop_price=None, trail=Ticks(5))
    assert "behind the first price" in algo_view(floor.state, floor.desk.rules, trailing).text
    test_stop.trade_at(floor, 950)
    assert algo_view(floor.state, floor.desk.rules, held).text == "its stop was hit"
    for one in out(floor, held):
        floor.fill(one, one.order.quantity)
    assert "held here" not in algo_view(floor.state, floor.desk.rules, held).text


def test_a_bracket_says_where_its_stop_is() -> None:
    floor = Floor().open()
    algo = test_bracket.begin(floor)
    assert "stop at 9.50" in algo_view(floor.state, floor.desk.rules, algo).text


def test_quoting_shows_its_inventory_skew_and_gains() -> None:
    """C3."""
    floor = Floor().open()
    algo = test_make_market.begin(floor)
    for one in out(floor, algo)[:3]:
        floor.fill(one, one.order.quantity)
    gains = algo_view(floor.state, floor.desk.rules, algo).gains
    assert gains is not None
    assert (gains.inventory, gains.skew_percent) == ("2", 20)
    assert gains.realized == 2 * (Decimal("10.05") - Decimal("9.95"))
    assert gains.unrealized == 2 * Decimal("0.05")
    assert gains.fees == Decimal("0.03")


def test_a_market_is_worth_its_middle_or_its_last_price() -> None:
    floor = Floor().open()
    floor.look_away()
    instrument = floor.settings.instruments[0]
    assert mark_of(floor.state, instrument) == 10
    seen = floor.state.quotes[instrument.instrument_id]
    seen.bid, seen.last = None, 990
    assert mark_of(floor.state, instrument) == Decimal("9.90")
    seen.last = None
    assert mark_of(floor.state, instrument) is None
    del floor.state.quotes[instrument.instrument_id]
    assert mark_of(floor.state, instrument) is None
