"""Limits in a trader's words."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.showing import show
from tandem.core.trading.showing_limits import text_of
from tandem.domain import link
from tandem.domain.commands import HaltTrading
from tandem.domain.control import AskLimits, AskStatus
from tandem.domain.ids import InstrumentId
from tandem.domain.limits import LimitChanges, Limits
from tandem.domain.views import LimitsView, LimitView, ScopeView, StatusView
from tests.unit.core.trading.desk_driver import SECOND, Floor, fill_of, settings_of


def look(floor: Floor) -> LimitsView:
    before = floor.desk.snapshot()
    view = show(floor.desk, AskLimits(number=1), records=0, now=floor.now)
    assert floor.desk.snapshot() == before
    assert isinstance(view, LimitsView)
    assert len(msgspec.msgpack.encode([view])) < link.MESSAGE_BYTES_MAX
    return view


def line_of(scope: ScopeView, name: str, unit: str = "") -> LimitView:
    (found,) = [one for one in scope.limits if (one.name, one.unit) == (name, unit)]
    return found


def test_every_limit_shows_what_is_allowed_used_and_left() -> None:
    """A28."""
    floor = Floor(settings_of(limits=Limits(max_open_orders=10))).open()
    floor.buy(40)
    desk, first, *_ = look(floor).scopes
    assert (desk.account_id, desk.trading, desk.reason) == (None, "active", "")
    assert first.account_id == "A1"
    position = line_of(desk, "max_position_notional", "T")
    assert (position.used, position.left) == ("40400", "4959600")
    assert line_of(first, "max_position_notional", "T").used == "10100"
    assert line_of(desk, "max_gross_exposure", "USD").used == "80400"
    orders = line_of(desk, "max_open_orders")
    assert (orders.limit, orders.used, orders.left) == ("10", "4", "6")
    assert line_of(first, "max_open_orders").used == "1"
    pace = line_of(desk, "max_orders_per_second")
    assert (pace.used, pace.left) == ("4", "996")
    assert line_of(desk, "max_notional") == LimitView(name="max_notional", unit="", limit="1000000")
    assert line_of(desk, "duplicate_window_ns").limit == "1s"
    assert line_of(desk, "price_collar_ppm").limit == "10%"
    assert line_of(desk, "max_quantity").limit == line_of(desk, "restricted").limit == "none"


def test_a_second_later_nothing_of_the_pace_is_used() -> None:
    floor = Floor().open()
    floor.buy(4)
    floor.now_ns += 2 * SECOND
    assert line_of(look(floor).scopes[0], "max_orders_per_second").used == "0"


def test_the_day_s_loss_is_shown_by_currency_and_is_over_with_the_day() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.sell(10, 990, slots=("s2",)))
    floor.teller(attempt).report(fill_of(attempt, 10, "e", price=990))
    desk, _, second, _, _ = look(floor).scopes
    assert line_of(desk, "max_daily_loss", "USD").used == "1.01"
    assert line_of(second, "max_daily_loss", "USD").left == "99998.99"
    floor.now_ns += 86_400 * SECOND
    assert line_of(look(floor).scopes[0], "max_daily_loss", "USD").used == "0"


def test_what_was_set_shows_where_and_what_the_pool_was_started_with() -> None:
    """A28: who wins, and what it hides."""
    floor = Floor().open()
    t = InstrumentId("T@X")
    floor.limit(max_open_orders=9, max_quantity={t: 5}, restricted=("U", "T"))
    floor.limit(account="A2", max_open_orders=3)
    desk, first, second, *_ = look(floor).scopes
    line = line_of(desk, "max_open_orders")
    assert (line.limit, line.settings, line.is_set) == ("9", "1000", True)
    line = line_of(first, "max_open_orders")
    assert (line.limit, line.settings, line.is_set) == ("9", "1000", False)
    line = line_of(second, "max_open_orders")
    assert (line.limit, line.settings, line.is_set) == ("3", "1000", True)
    assert line_of(desk, "max_quantity").limit == "T:5"
    assert line_of(desk, "restricted").limit == "T,U"


def test_who_only_reduces_says_why_and_a_halt_stands_over_it() -> None:
    """A28."""
    floor = Floor().open()
    floor.reduce_only()
    floor.reduce_only("A2")
    desk, first, second, *_ = look(floor).scopes
    assert (desk.trading, desk.reason) == ("reducing", "by hand")
    assert (first.trading, first.reason) == ("active", "")
    assert (second.trading, second.reason) == ("reducing", "by hand")
    status = show(floor.desk, AskStatus(number=1), records=0)
    assert isinstance(status, StatusView)
    assert (status.trading, status.reason) == ("reducing", "by hand")
    assert status.notes == ("A2 only reduces: by hand",)
    floor.ask(HaltTrading(reason="fire"))
    assert {(one.trading, one.reason) for one in look(floor).scopes} == {("halted", "fire")}


def test_an_account_that_trades_again_is_not_noted() -> None:
    floor = Floor().open()
    floor.reduce_only("A2")
    floor.reduce_only("A2", on=False)
    status = show(floor.desk, AskStatus(number=1), records=0)
    assert isinstance(status, StatusView)
    assert status.notes == ()


@given(st.integers(1_000_000, 3_600 * SECOND), st.integers(1, 1_000_000))
def test_a_time_and_a_share_are_written_in_full(time_ns: int, ppm: int) -> None:
    rules = Floor().desk.rules
    time = text_of(rules, "duplicate_window_ns", time_ns)
    assert Decimal(time.removesuffix("s")) * SECOND == time_ns
    share = text_of(rules, "price_collar_ppm", ppm)
    assert Decimal(share.removesuffix("%")) * 10_000 == ppm
    assert LimitChanges(price_collar_ppm=ppm).named
