"""Every check of the risk gate, and all of them against a judge that keeps everything."""

import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.risk import (
    DAY_NS,
    PURGE_MIN,
    Exposure,
    RiskBreach,
    TradingState,
    first_breach,
)
from tandem.domain.ids import ClientOrderId, InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import SECOND_NS, Limits, Session
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.venue import Doubt, Quote

T = InstrumentId("T@x")
F = InstrumentId("F@x")
COIN = InstrumentId("BTCEUR@x")
NOW = Instant(5 * SECOND_NS, 20_000 * DAY_NS)


def instrument(instrument_id: InstrumentId) -> Instrument:
    symbol = instrument_id.removesuffix("@x")
    return Instrument(
        instrument_id=instrument_id,
        symbol=symbol,
        venue_id=VenueId("x"),
        market_id=MarketId("x"),
        base=symbol,
        quote="EUR" if symbol.endswith("EUR") else "USD",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.1") if symbol.endswith("EUR") else Decimal(1),
    )


def order(
    quantity: int,
    limit_price: int | None = 1_000,
    side: Side = Side.BUY,
    instrument_id: InstrumentId = T,
) -> Order:
    return Order(
        client_order_id=ClientOrderId("c"),
        instrument_id=instrument_id,
        side=side,
        quantity=Lots(quantity),
        limit_price=None if limit_price is None else Ticks(limit_price),
        time_in_force=TimeInForce.DAY,
    )


def exposure(*others: InstrumentId) -> Exposure:
    """T at 10.00 dollars a share, nothing held."""
    seen = Exposure()
    for one in (T, *others):
        seen.track(instrument(one))
        seen.note_reference(one, Ticks(1_000), NOW)
    return seen


def breach(intent: Order, seen: Exposure, now: Instant = NOW, **settings: Any) -> RiskBreach | None:
    return first_breach(intent, Limits(**settings), seen, now, intent.quantity)


def send(seen: Exposure, intent: Order, now: Instant = NOW, **settings: Any) -> None:
    seen.note_sent(intent, Limits(**settings), now)


def test_an_order_within_all_limits_passes() -> None:
    assert breach(order(10), exposure()) is None


def test_nothing_passes_when_halted() -> None:
    seen = exposure()
    seen.set_position(T, 100)
    seen.state = TradingState.HALTED
    assert breach(order(10, side=Side.SELL), seen) is RiskBreach.HALTED


@pytest.mark.parametrize("sign", [1, -1])
def test_reducing_lets_only_orders_through_that_bring_the_position_nearer_to_zero(
    sign: int,
) -> None:
    """I10: what is out already counts, so that all of it together cannot turn the position."""
    out, back = (Side.SELL, Side.BUY) if sign > 0 else (Side.BUY, Side.SELL)
    seen = exposure()
    seen.set_position(T, 100 * sign)
    seen.state = TradingState.REDUCING
    assert breach(order(100, side=out), seen) is None
    assert breach(order(101, side=out), seen) is RiskBreach.REDUCING_ONLY
    assert breach(order(1, side=back), seen) is RiskBreach.REDUCING_ONLY
    send(seen, order(60, side=out))
    assert breach(order(40, side=out), seen) is None
    assert breach(order(41, side=out), seen) is RiskBreach.REDUCING_ONLY


def test_a_reduce_only_order_may_not_turn_a_position() -> None:
    """I10, A7: the gate of a worker is the last to look, and knows what is out."""
    seen = exposure()
    seen.set_position(T, 100)
    only = msgspec.structs.replace(order(100, side=Side.SELL), reduce_only=True)
    assert breach(only, seen) is None
    send(seen, order(1, side=Side.SELL))
    assert breach(only, seen) is RiskBreach.REDUCING_ONLY
    buying = msgspec.structs.replace(order(1), reduce_only=True)
    assert breach(buying, seen) is RiskBreach.REDUCING_ONLY


@pytest.mark.parametrize(
    ("side", "stop", "limit", "passes"),
    [
        (Side.BUY, 1_500, 1_650, True),  # near to where it is triggered
        (Side.BUY, 1_500, 1_651, False),
        (Side.SELL, 500, 450, True),
        (Side.SELL, 500, 449, False),
        (Side.BUY, 900, 1_100, True),  # the market is beyond it: near to the market
        (Side.BUY, 900, 1_101, False),
        (Side.SELL, 1_100, 900, True),
        (Side.SELL, 1_100, 899, False),
    ],
)
def test_the_limit_of_a_stop_is_near_to_the_worse_of_its_stop_price_and_the_market(
    side: Side, stop: int, limit: int, *, passes: bool
) -> None:
    """I10, A7."""
    seen = exposure()
    stopped = msgspec.structs.replace(order(1, limit, side), stop_price=Ticks(stop))
    assert breach(stopped, seen) is (None if passes else RiskBreach.PRICE_COLLAR)


@pytest.mark.parametrize(("stop", "worth"), [(1_500, 1_650), (900, 1_100)])
def test_a_stop_without_a_limit_is_worth_what_the_collar_allows_beyond_it(
    stop: int, worth: int
) -> None:
    """I10, A7."""
    stopped = msgspec.structs.replace(order(1, None), stop_price=Ticks(stop))
    most = Decimal(worth) / 100
    assert breach(stopped, exposure(), max_notional=most) is None
    less = most - Decimal("0.01")
    assert breach(stopped, exposure(), max_notional=less) is RiskBreach.NOTIONAL


def test_a_restricted_symbol_is_not_traded() -> None:
    seen = exposure()
    assert breach(order(1), seen, restricted=("A", "T", "Z")) is RiskBreach.RESTRICTED
    assert breach(order(1), seen, restricted=("A", "S", "U")) is None
    assert breach(order(1), seen, restricted=("A",)) is None


@pytest.mark.parametrize(
    ("market_ns", "is_open"), [(9, False), (10, True), (19, True), (20, False)]
)
def test_orders_are_taken_within_the_session_only(market_ns: int, is_open: bool) -> None:
    seen = exposure()
    seen.note_reference(T, Ticks(1_000), Instant(0, 9))
    found = breach(order(1), seen, Instant(0, market_ns), session=Session(begin_ns=10, end_ns=20))
    assert found is (None if is_open else RiskBreach.SESSION_CLOSED)


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_that_is_none_is_refused(quantity: int) -> None:
    assert breach(order(quantity), exposure()) is RiskBreach.QUANTITY


def test_a_quantity_has_the_limit_of_its_instrument() -> None:
    seen = exposure(F)
    assert breach(order(10), seen, max_quantity={T: 10}) is None
    assert breach(order(11), seen, max_quantity={T: 10}) is RiskBreach.QUANTITY
    assert breach(order(11, instrument_id=F), seen, max_quantity={T: 10}) is None


def test_a_child_is_not_larger_than_what_its_parent_has_left() -> None:
    """I9."""
    assert first_breach(order(10), Limits(), exposure(), NOW, Lots(10)) is None
    found = first_breach(order(10), Limits(), exposure(), NOW, Lots(9))
    assert found is RiskBreach.CHILDREN_EXCEED_PARENT


def test_an_order_on_an_instrument_without_a_price_is_refused() -> None:
    seen = exposure()
    assert breach(order(1, instrument_id=F), seen) is RiskBreach.NO_REFERENCE_PRICE
    seen.track(instrument(F))
    assert breach(order(1, instrument_id=F), seen) is RiskBreach.NO_REFERENCE_PRICE
    seen.note_reference(F, Ticks(1_000), NOW)
    assert breach(order(1, instrument_id=F), seen) is None


def test_a_price_too_old_is_none() -> None:
    seen = exposure()
    limit_ns = Limits().max_reference_age_ns
    assert breach(order(1), seen, Instant(0, NOW.market_ns + limit_ns)) is None
    later = Instant(0, NOW.market_ns + limit_ns + 1)
    assert breach(order(1), seen, later) is RiskBreach.NO_REFERENCE_PRICE
    seen.note_reference(T, Ticks(1_000), later)
    assert breach(order(1), seen, later) is None


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("price", "is_near"), [(899, False), (900, True), (1_100, True), (1_101, False)]
)
def test_a_price_far_from_the_reference_is_refused(side: Side, price: int, is_near: bool) -> None:
    found = breach(order(1, price, side), exposure(), price_collar_ppm=100_000)
    assert found is (None if is_near else RiskBreach.PRICE_COLLAR)


def test_an_order_is_worth_its_price_and_at_the_market_the_reference_and_collar() -> None:
    seen = exposure()
    assert breach(order(10, 1_000), seen, max_notional=Decimal(100)) is None
    assert breach(order(10, 1_001), seen, max_notional=Decimal(100)) is RiskBreach.NOTIONAL
    market = order(10, None)
    assert breach(market, seen, max_notional=Decimal(110)) is None
    assert breach(market, seen, max_notional=Decimal("109.99")) is RiskBreach.NOTIONAL
    # 10.00 and one millionth is 10.01 in whole ticks, rounded up.
    narrow: dict[str, Any] = {"price_collar_ppm": 1, "max_notional": Decimal("100.09")}
    assert breach(market, seen, **narrow) is RiskBreach.NOTIONAL
    assert breach(market, seen, **(narrow | {"max_notional": Decimal("100.10")})) is None


def test_only_so_many_orders_are_open() -> None:
    seen = exposure()
    send(seen, order(1))
    assert breach(order(1), seen, max_open_orders=2) is None
    send(seen, order(1))
    assert breach(order(1), seen, max_open_orders=2) is RiskBreach.OPEN_ORDERS
    seen.note_ended(order(1), leaves_quantity=Lots(1))
    assert breach(order(1), seen, max_open_orders=2) is None


@pytest.mark.parametrize("side", Side)
def test_a_position_counts_with_all_open_orders_of_its_side(side: Side) -> None:
    seen = exposure()
    most: dict[str, Any] = {"max_position_notional": Decimal(1_000)}
    seen.set_position(T, 30 * side.sign)
    send(seen, order(50, side=side))
    send(seen, order(500, side=side.opposite))
    assert breach(order(20, side=side), seen, **most) is None
    assert breach(order(21, side=side), seen, **most) is RiskBreach.POSITION


def test_a_position_over_its_limit_may_be_reduced_but_not_grow() -> None:
    seen = exposure()
    most: dict[str, Any] = {"max_position_notional": Decimal(1_000)}
    seen.set_position(T, -200)
    assert breach(order(200, side=Side.BUY), seen, **most) is None
    assert breach(order(1, side=Side.SELL), seen, **most) is RiskBreach.POSITION
    assert breach(order(300, side=Side.BUY), seen, **most) is None
    assert breach(order(301, side=Side.BUY), seen, **most) is RiskBreach.POSITION


def test_exposure_is_the_sum_of_the_worst_over_all_instruments_of_a_currency() -> None:
    seen = exposure(F, COIN)
    most: dict[str, Any] = {"max_gross_exposure": Decimal(1_000)}
    seen.set_position(F, -40)
    send(seen, order(30))
    send(seen, order(5, side=Side.SELL))
    assert seen.gross == {"USD": Decimal(700), "EUR": Decimal(0)}
    assert breach(order(30), seen, **most) is None
    assert breach(order(31), seen, **most) is RiskBreach.EXPOSURE
    assert breach(order(55, side=Side.SELL), seen, **most) is None
    assert breach(order(61, side=Side.SELL), seen, **most) is RiskBreach.EXPOSURE
    assert breach(order(1_000, instrument_id=COIN), seen, **most) is None
    assert breach(order(1_001, instrument_id=COIN), seen, **most) is RiskBreach.EXPOSURE


def test_an_order_on_the_better_side_adds_nothing_to_a_full_exposure() -> None:
    seen = exposure()
    seen.set_position(T, 100)
    full: dict[str, Any] = {"max_gross_exposure": Decimal(1_000)}
    assert breach(order(200, side=Side.SELL), seen, **full) is None
    assert breach(order(201, side=Side.SELL), seen, **full) is RiskBreach.EXPOSURE
    send(seen, order(150, side=Side.SELL))
    seen.note_reference(T, Ticks(1_010), NOW)
    assert breach(order(50, side=Side.SELL), seen, **full) is None


def test_exposure_follows_the_price() -> None:
    seen = exposure()
    seen.set_position(T, 10)
    seen.note_reference(T, Ticks(1_200), NOW)
    assert seen.gross == {"USD": Decimal(120)}
    seen.note_reference(T, Ticks(1_200), NOW)
    assert seen.gross == {"USD": Decimal(120)}
    seen.note_reference(F, Ticks(7), NOW)
    assert F not in seen.holdings


def test_a_position_of_unknown_value_lets_nothing_grow_in_its_currency() -> None:
    """It fails closed: the sum cannot be known."""
    seen = exposure(COIN)
    seen.track(instrument(F))
    seen.set_position(T, 5)
    seen.set_position(F, 3)
    assert breach(order(1), seen) is RiskBreach.NO_REFERENCE_PRICE
    assert breach(order(5, side=Side.SELL), seen) is None
    assert breach(order(1, instrument_id=COIN), seen) is None
    seen.set_position(F, 0)
    assert breach(order(1), seen) is None
    seen.set_position(F, 3)
    seen.note_reference(F, Ticks(100), NOW)
    assert seen.gross["USD"] == Decimal(53)
    assert breach(order(1), seen) is None


def test_a_fill_before_any_price_is_worth_its_own() -> None:
    seen = exposure()
    seen.track(instrument(F))
    seen.note_filled(order(3, instrument_id=F), Lots(3), Ticks(100), leaves_quantity=Lots(0))
    assert seen.gross["USD"] == Decimal(3)
    assert breach(order(1), seen) is None
    assert breach(order(1, instrument_id=F), seen) is RiskBreach.NO_REFERENCE_PRICE


def test_after_the_daily_loss_only_reducing_orders_pass_until_the_next_day() -> None:
    seen = exposure(COIN)
    most: dict[str, Any] = {"max_daily_loss": Decimal(100)}
    seen.set_position(T, 10)
    seen.note_realized("USD", Decimal("-99.99"), NOW)
    assert breach(order(1), seen, **most) is None
    seen.note_realized("USD", Decimal("-0.01"), NOW)
    assert breach(order(1), seen, **most) is RiskBreach.DAILY_LOSS
    assert breach(order(10, side=Side.SELL), seen, **most) is None
    assert breach(order(1, instrument_id=COIN), seen, **most) is None
    tomorrow = Instant(0, NOW.market_ns + DAY_NS)
    seen.note_reference(T, Ticks(1_000), tomorrow)
    assert breach(order(1), seen, tomorrow, **most) is None
    seen.note_realized("USD", Decimal("-1"), tomorrow)
    assert seen.realized == {"USD": Decimal("-1")}


def test_no_second_sees_more_orders_than_allowed() -> None:
    seen = exposure()
    most: dict[str, Any] = {"max_orders_per_second": 2, "max_duplicates": 100}
    for at in (0, 400_000_000):
        assert breach(order(1), seen, Instant(at, NOW.market_ns), **most) is None
        send(seen, order(1), Instant(at, NOW.market_ns))
    just_before = Instant(SECOND_NS - 1, NOW.market_ns)
    assert breach(order(1), seen, just_before, **most) is RiskBreach.ORDERS_PER_SECOND
    assert breach(order(1), seen, Instant(SECOND_NS, NOW.market_ns), **most) is None


def test_orders_all_alike_are_refused_beyond_their_number_within_the_window() -> None:
    seen = exposure()
    most: dict[str, Any] = {"max_duplicates": 2, "duplicate_window_ns": 50_000_000}
    send(seen, order(7), Instant(0, 0), **most)
    send(seen, order(7), Instant(49_999_998, 0), **most)
    inside, after = Instant(49_999_999, NOW.market_ns), Instant(50_000_000, NOW.market_ns)
    assert breach(order(7), seen, inside, **most) is RiskBreach.DUPLICATE
    for other in (order(8), order(7, 1_001), order(7, None), order(7, side=Side.SELL)):
        assert breach(other, seen, inside, **most) is None
    assert breach(order(7), seen, after, **most) is None
    send(seen, order(7), after, **most)
    assert breach(order(7), seen, after, **most) is None
    send(seen, order(7), after, **most)
    assert breach(order(7), seen, after, **most) is RiskBreach.DUPLICATE


def test_after_a_reboot_old_moments_hold_nothing_up() -> None:
    seen = exposure()
    most: dict[str, Any] = {"max_orders_per_second": 1, "max_duplicates": 1}
    send(seen, order(1), Instant(10**15, NOW.market_ns))
    reboot = Instant(0, NOW.market_ns)
    assert breach(order(1), seen, reboot, **most) is RiskBreach.ORDERS_PER_SECOND
    seen.note_restarted()
    assert breach(order(1), seen, reboot, **most) is None


def test_a_fill_after_the_end_moves_the_position_only() -> None:
    """F4: a late execution stands."""
    seen = exposure()
    send(seen, order(10))
    seen.note_filled(order(10), Lots(4), Ticks(1_000), leaves_quantity=Lots(10))
    assert (seen.holdings[T].position, seen.holdings[T].open_buys) == (4, 6)
    seen.note_ended(order(10), leaves_quantity=Lots(6))
    assert (seen.open_orders, seen.holdings[T].open_buys) == (0, 0)
    seen.note_filled(order(10), Lots(6), Ticks(1_000), leaves_quantity=Lots(0))
    assert (seen.holdings[T].position, seen.holdings[T].open_buys) == (10, 0)
    assert seen.gross["USD"] == Decimal(100)


def test_more_filled_than_was_out_gives_back_only_what_was() -> None:
    seen = exposure()
    send(seen, order(5, side=Side.SELL))
    seen.note_filled(order(5, side=Side.SELL), Lots(8), Ticks(1_000), leaves_quantity=Lots(5))
    assert (seen.holdings[T].position, seen.holdings[T].open_sells) == (-8, 0)


def test_tracking_an_instrument_again_changes_nothing() -> None:
    seen = exposure()
    seen.set_position(T, 7)
    seen.track(instrument(T))
    assert seen.holdings[T].position == 7


@pytest.mark.parametrize(
    ("bid", "ask", "last", "reference"),
    [
        (10, 13, 50, 11),
        (None, 13, 50, 50),
        (10, None, 50, 50),
        (10, None, None, 1_000),
        (None, 13, None, 1_000),
    ],
)
def test_the_reference_is_the_middle_or_the_last_or_stays(
    bid: int | None, ask: int | None, last: int | None, reference: int
) -> None:
    seen = exposure()
    quote = msgspec.convert([T, bid, ask, last], Quote)
    seen.note_quote(quote, NOW)
    assert seen.holdings[T].reference == reference


def test_a_quote_is_as_old_as_its_feed_says_whenever_it_comes() -> None:
    """F17: a feed that stands still repeats itself."""
    age_ns = Limits().max_reference_age_ns
    seen = exposure()
    quote = Quote(instrument_id=T, bid=Ticks(999), ask=Ticks(1_001), last=None, told_ns=5)
    for market_ns, expected in (
        (5 + age_ns, None),
        (6 + age_ns, RiskBreach.NO_REFERENCE_PRICE),
    ):
        now = Instant(NOW.now_ns, market_ns)
        seen.note_quote(quote, now)
        assert breach(order(1), seen, now) is expected
    ahead = msgspec.structs.replace(quote, told_ns=NOW.market_ns + 1)
    seen.note_quote(ahead, NOW)
    assert seen.holdings[T].reference_market_ns == NOW.market_ns


def test_prices_in_doubt_take_no_new_risk_but_let_a_position_be_reduced() -> None:
    """A49."""
    seen = exposure()
    quote = Quote(
        instrument_id=T, bid=Ticks(999), ask=Ticks(1_001), last=None, doubt=Doubt.FEEDS_APART
    )
    seen.note_quote(quote, NOW)
    assert breach(order(1), seen) is RiskBreach.PRICE_IN_DOUBT
    seen.set_position(T, -5)
    assert breach(order(5), seen) is None
    assert breach(order(6), seen) is RiskBreach.PRICE_IN_DOUBT
    seen.note_quote(msgspec.structs.replace(quote, doubt=None), NOW)
    assert breach(order(6), seen) is None
    seen.note_quote(msgspec.structs.replace(quote, instrument_id=InstrumentId("?")), NOW)
    assert InstrumentId("?") not in seen.holdings


@pytest.mark.parametrize("gap_ns", [1_000_000, 100_000])
def test_what_is_remembered_of_pace_is_bounded_and_holds_the_last_second(gap_ns: int) -> None:
    seen = exposure()
    count, live = 25_000, SECOND_NS // gap_ns
    for at in range(count):
        send(seen, order(at + 1), Instant(at * gap_ns, 0))
    assert len(seen.sent_ns) <= 2 * max(live, PURGE_MIN) + 2
    assert seen.sent_ns[-live:] == [at * gap_ns for at in range(count - live, count)]
    assert PURGE_MIN <= len(seen.alike) <= seen.purge_at <= 2 * max(live, PURGE_MIN)
    assert [key[2] for key in seen.alike][-live:] == list(range(count - live + 1, count + 1))


def test_orders_alike_are_remembered_while_others_are_forgotten() -> None:
    seen = exposure()
    send(seen, order(1), Instant(0, 0))
    for at in range(PURGE_MIN):
        send(seen, order(2 + at), Instant(SECOND_NS - 1, 0))
    assert len(seen.alike) == PURGE_MIN + 1
    now = Instant(SECOND_NS - 1, NOW.market_ns)
    for at in range(1 + PURGE_MIN):
        seen.note_ended(order(1 + at), leaves_quantity=Lots(1 + at))
    most: dict[str, Any] = {"max_duplicates": 1, "max_orders_per_second": 10_000}
    assert breach(order(1), seen, now, **most) is RiskBreach.DUPLICATE
    assert breach(order(2), seen, now, **most) is RiskBreach.DUPLICATE
    for at in range(PURGE_MIN):
        send(seen, order(5_000 + at), Instant(SECOND_NS, 0))
    assert order(1).quantity not in [key[2] for key in seen.alike]


class Judge:
    """Keeps every order for ever, and sums everything anew for each question."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.live: list[tuple[Order, int]] = []
        self.position: dict[InstrumentId, int] = {T: 0, F: 0, COIN: 0}
        self.price: dict[InstrumentId, int] = {}
        self.sent: list[tuple[int, Order]] = []

    def worst(self, instrument_id: InstrumentId, *more: Order) -> int:
        out = {side: 0 for side in Side}
        for one, leaves in [*self.live, *((one, one.quantity) for one in more)]:
            if one.instrument_id == instrument_id:
                out[one.side] += leaves
        held = self.position[instrument_id]
        return max(held + out[Side.BUY], out[Side.SELL] - held)

    def gross(self, quote: str, *more: Order) -> Decimal:
        total = Decimal(0)
        for instrument_id in self.position:
            one = instrument(instrument_id)
            if one.quote == quote and instrument_id in self.price:
                price = Ticks(self.price[instrument_id])
                total += one.notional(price, Lots(self.worst(instrument_id, *more)))
        return total

    def is_within(self, intent: Order, now_ns: int) -> bool:
        """Whether nothing could break the limits on money and pace with this order out too."""
        one = instrument(intent.instrument_id)
        reduces = self.reduces(intent)
        reference = Ticks(self.price[intent.instrument_id])
        side_worst = self.side_worst(intent)
        value = one.notional(reference, Lots(side_worst))
        growth = self.worst(intent.instrument_id, intent) - self.worst(intent.instrument_id)
        recent = [at for at, _ in self.sent if at > now_ns - SECOND_NS]
        return (
            len(self.live) < self.limits.max_open_orders
            and (reduces or value <= self.limits.max_position_notional)
            and (growth <= 0 or self.gross(one.quote, intent) <= self.limits.max_gross_exposure)
            and len(recent) < self.limits.max_orders_per_second
        )

    def side_worst(self, intent: Order) -> int:
        out = sum(
            leaves
            for one, leaves in self.live
            if one.instrument_id == intent.instrument_id and one.side is intent.side
        )
        return self.position[intent.instrument_id] * intent.side.sign + out + intent.quantity

    def reduces(self, intent: Order) -> bool:
        return self.side_worst(intent) <= 0


@pytest.mark.parametrize("seed", range(6))
def test_the_gate_agrees_with_a_judge_that_sums_everything_anew(seed: int) -> None:
    """I10: and never lets through what could break a limit."""
    drawn = random.Random(seed)
    limits = Limits(
        max_position_notional=Decimal(3_000),
        max_gross_exposure=Decimal(5_000),
        max_open_orders=12,
        max_orders_per_second=8,
        max_duplicates=1_000_000,
        price_collar_ppm=1_000_000,
    )
    seen, judge = Exposure(), Judge(limits)
    for one in judge.position:
        seen.track(instrument(one))
    passed = now_ns = 0
    for _ in range(2_500):
        now_ns += drawn.randrange(200_000_000)
        now = Instant(now_ns, now_ns)
        name = drawn.choice([T, F, COIN])
        if drawn.random() < 0.3 or name not in judge.price:
            judge.price[name] = drawn.randrange(500, 1_500)
            seen.note_reference(name, Ticks(judge.price[name]), now)
        side = drawn.choice(list(Side))
        intent = order(drawn.randrange(1, 200), drawn.choice([None, 1_000]), side, name)
        found = first_breach(intent, limits, seen, now, intent.quantity)
        assert (found is None) is judge.is_within(intent, now_ns), (seed, found)
        if found is None:
            passed += 1
            seen.note_sent(intent, limits, now)
            judge.live.append((intent, intent.quantity))
            judge.sent.append((now_ns, intent))
        if judge.live and drawn.random() < 0.6:
            settle(drawn, seen, judge)
        assert seen.open_orders == len(judge.live)
        assert seen.gross == {quote: judge.gross(quote) for quote in ("USD", "EUR")}
    assert 200 < passed < 2_400
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(seen), type=Exposure)
    assert again == seen
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(seen)


def settle(drawn: random.Random, seen: Exposure, judge: Judge) -> None:
    """Fill a random live order in part or whole, or end it."""
    at = drawn.randrange(len(judge.live))
    intent, leaves = judge.live.pop(at)
    filled = drawn.randrange(leaves + 1)
    if filled:
        seen.note_filled(intent, Lots(filled), Ticks(1_000), leaves_quantity=Lots(leaves))
        judge.position[intent.instrument_id] += filled * intent.side.sign
    if filled == leaves or drawn.random() < 0.3:
        seen.note_ended(intent, leaves_quantity=Lots(leaves - filled))
    else:
        judge.live.insert(at, (intent, leaves - filled))


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 400_000_000)), max_size=80),
    st.integers(1, 4),
)
def test_of_orders_alike_no_more_pass_than_allowed_since_the_first_of_them(
    asked: list[tuple[int, int]], most: int
) -> None:
    """I10."""
    limits = Limits(max_duplicates=most, duplicate_window_ns=500_000_000)
    seen, now_ns = exposure(), 0
    runs: dict[int, tuple[int, int]] = {}
    for quantity, delay in asked:
        now_ns += delay
        first_ns, count = runs.get(quantity, (0, 0))
        if count and now_ns - first_ns >= limits.duplicate_window_ns:
            count = 0
        now = Instant(now_ns, NOW.market_ns)
        found = first_breach(order(quantity), limits, seen, now, Lots(quantity))
        assert found is (RiskBreach.DUPLICATE if count == most else None)
        if found is None:
            runs[quantity] = (first_ns if count else now_ns, count + 1)
            seen.note_sent(order(quantity), limits, now)


@pytest.mark.parametrize(
    ("market_ns", "is_open"),
    [(9, False), (10, True), (19, True), (20, False), (30, True), (40, False), (99, False)],
)
def test_between_sessions_only_what_reduces_a_position_passes(
    market_ns: int, is_open: bool
) -> None:
    """A28: half-days are shorter windows; exits are never kept back."""
    seen, now = exposure(), Instant(0, market_ns)
    windows = (Session(begin_ns=10, end_ns=20), Session(begin_ns=30, end_ns=40))
    seen.note_reference(T, Ticks(1_000), now)
    seen.set_position(T, 5)
    expected = None if is_open else RiskBreach.SESSION_CLOSED
    assert breach(order(1), seen, now, sessions=windows) is expected
    assert breach(order(5, side=Side.SELL), seen, now, sessions=windows) is None
    assert breach(order(6, side=Side.SELL), seen, now, sessions=windows) is expected


def test_a_price_of_another_scale_is_forgotten_and_so_is_what_was_valued_by_it() -> None:
    """A29: until the next one; what is held meanwhile is not valued."""
    seen = exposure()
    seen.set_position(T, 10)
    before = dict(seen.gross)
    seen.forget_reference(T)
    seen.forget_reference(T)
    assert seen.gross["USD"] == 0
    assert seen.unvalued == {T: "USD"}
    assert breach(order(1), seen) is RiskBreach.NO_REFERENCE_PRICE
    seen.note_reference(T, Ticks(1_000), NOW)
    assert seen.gross == before
    seen.set_position(T, 0)
    seen.forget_reference(T)
    assert seen.unvalued == {}


def test_a_market_with_sessions_of_its_own_is_judged_by_those() -> None:
    """A28 A29: what grows a position is refused while its market is closed."""
    over = (Session(begin_ns=0, end_ns=1),)
    seen = exposure()
    closed = RiskBreach.SESSION_CLOSED
    assert breach(order(1), seen, market_sessions={MarketId("x"): over}) is closed
    assert breach(order(1), seen, market_sessions={MarketId("y"): over}) is None
    assert breach(order(1), seen, sessions=over, market_sessions={MarketId("x"): ()}) is None
