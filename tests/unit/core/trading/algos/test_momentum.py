"""Momentum: long while the price rises, short while it falls."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos import momentum
from tandem.core.trading.algos.leaving import LEAVES_MAX
from tandem.core.trading.algos.sight import LEFT
from tandem.domain.algos import Leaving, Momentum
from tandem.domain.commands import PlaceAlgo, Taken
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.venue import Quote
from tests.unit.core.trading.algos.rehearsal import ACTS, Rehearsal
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of


def spec(**changes: Any) -> Momentum:
    fields: dict[str, Any] = {
        "symbol": "T",
        "quantity": Lots(10),
        "sample_ns": 10,
        "window": 3,
        "threshold_ppm": 2_000,
        "duration_ns": 1_000,
        "good_for_ns": 50,
    }
    return Momentum(**(fields | changes))


def trend(played: Rehearsal, *prices: int) -> None:
    """Show it one price a sample, and let everything trade."""
    for price in prices:
        played.see(price)
        played.fill()
        played.market_ns += 10


def sides(played: Rehearsal) -> list[tuple[Side, int]]:
    return [(one.side, one.quantity) for _, one in played.placed]


def test_a_momentum_that_cannot_be_is_refused_in_words() -> None:
    for changes, word in (
        ({"window": 0}, "window"),
        ({"duration_ns": 0}, "duration"),
        ({"sample_ns": 0}, "sample"),
        ({"sample_ns": 334}, "sample"),
        ({"threshold_ppm": 0}, "threshold"),
        ({"good_for_ns": 0}, "good for"),
    ):
        text = momentum.objection(spec(**changes))
        assert text is not None
        assert word in text
    assert momentum.objection(spec()) is None


def test_a_rising_price_makes_it_long_and_a_falling_one_short() -> None:
    """A12: on a synthetic trend, and on its reverse."""
    up = [1_000 + 2 * n for n in range(10)]
    played = Rehearsal(spec())
    trend(played, *up)
    assert played.sight().position == 10
    assert sides(played) == [(Side.BUY, 10)]
    trend(played, *reversed(up))
    assert played.sight().position == -10
    assert sides(played) == [(Side.BUY, 10), (Side.SELL, 20)]


def test_long_only_is_flat_where_it_would_be_short() -> None:
    """A12."""
    up = [1_000 + 2 * n for n in range(10)]
    played = Rehearsal(spec(long_only=True))
    trend(played, *reversed(up))
    assert not played.placed
    trend(played, *up)
    assert played.sight().position == 10
    trend(played, *reversed(up))
    assert played.sight().position == 0


def test_a_price_that_stands_asks_for_nothing_and_keeps_what_there_is() -> None:
    played = Rehearsal(spec())
    trend(played, *[1_000] * 10)
    assert not played.placed
    trend(played, 1_010, *[1_010] * 10)
    assert played.sight().position == 10


def test_it_trades_with_the_very_quote_that_shows_the_change() -> None:
    """A13: not with the next sample; at the market, and what does not trade at once is gone."""
    played = Rehearsal(spec())
    trend(played, 1_000, 1_000, 1_000)
    played.market_ns = 22
    step = played.see(1_002)
    assert [one.quantity for one in step.place] == [10]
    assert step.place[0].limit_price is None
    assert step.place[0].time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert step.text == "long"


def test_the_threshold_itself_is_enough_and_one_tick_less_is_not() -> None:
    for price, placed in ((1_001, 0), (1_002, 1)):
        played = Rehearsal(spec())
        trend(played, 1_000, 1_000, 1_000, price)
        assert len(played.placed) == placed


def test_a_decision_too_old_to_be_good_is_dropped_and_counted() -> None:
    """A13."""
    played = Rehearsal(spec(good_for_ns=15))
    trend(played, 1_000, 1_000, 1_000)
    played.see(1_010)
    played.market_ns += 16
    played.end()  # nobody traded with it, and by now its quote is old
    step = played.look()
    assert step.counts == ("decisions_too_old",)
    assert not step.cancel
    assert not step.place
    assert not played.look().counts  # once
    played.see(1_010)  # a new quote makes a new decision
    assert sides(played) == [(Side.BUY, 10)] * 2


def test_what_traded_in_part_is_completed_while_the_decision_is_good() -> None:
    """A13."""
    played = Rehearsal(spec())
    trend(played, 1_000, 1_000, 1_000)
    played.see(1_010)
    played.fill(0, 4)
    played.market_ns += 5
    played.look()
    assert len(played.placed) == 1  # one at a time
    played.end()
    played.look()
    assert sides(played) == [(Side.BUY, 10), (Side.BUY, 6)]


def test_an_order_that_is_still_out_when_it_is_too_old_is_canceled() -> None:
    """A13: it may have waited for a worker all the while."""
    played = Rehearsal(spec(good_for_ns=15))
    trend(played, 1_000, 1_000, 1_000)
    step = played.see(1_010)
    assert step.wake_market_ns == 40
    played.market_ns = 40
    assert played.look().wake_market_ns == 46
    played.market_ns = 46
    step = played.look()
    assert step.cancel == ["d-1"]
    assert step.counts == ("decisions_too_old",)
    assert not played.look().cancel  # once


def test_an_order_that_leads_elsewhere_by_now_is_canceled() -> None:
    """A12."""
    played = Rehearsal(spec())
    trend(played, 1_000, 1_000, 1_000)
    played.see(1_010)
    played.market_ns += 5
    assert played.see(980).cancel == ["d-1"]
    played.end()
    played.look()
    assert sides(played) == [(Side.BUY, 10), (Side.SELL, 10)]


def test_a_smaller_quantity_makes_a_smaller_position() -> None:
    """A12: what was decided before it was replaced included."""
    played = Rehearsal(spec())
    trend(played, 1_000, 1_000, 1_000, *[1_010] * 5)  # and by now it asks for nothing new
    played.spec = spec(quantity=Lots(4))
    played.see(1_010)
    assert sides(played) == [(Side.BUY, 10), (Side.SELL, 6)]


def test_after_a_whole_window_unseen_all_is_forgotten() -> None:
    played = Rehearsal(spec())
    trend(played, 1_000, 1_000, 1_000)
    played.market_ns = 500
    played.see(1_100)
    assert not played.placed
    assert played.memo.samples == [2_200]


def test_missed_samples_have_the_price_before() -> None:
    played = Rehearsal(spec())
    trend(played, 1_000, 1_001)
    played.market_ns = 31
    played.see(1_002)
    assert played.memo.samples == [2_002, 2_002, 2_004]
    assert played.memo.next_sample_ns == 40


def test_without_a_price_it_waits_and_ends_in_time() -> None:
    played = Rehearsal(spec())
    assert played.look().wake_market_ns == 1_000
    played.market_ns = 1_000
    assert played.look().is_over


def test_in_the_end_its_position_is_given_back_or_kept() -> None:
    for leaving, position in ((Leaving.FLATTEN, 0), (Leaving.KEEP, 10)):
        played = Rehearsal(spec(leaving=leaving))
        trend(played, 1_000, 1_000, 1_000, 1_010)
        played.market_ns = 1_000
        assert played.look().is_over
        played.look()
        played.look()  # what is out is waited for
        played.fill()
        assert played.look().is_over
        assert played.sight().position == position


def test_what_nobody_takes_back_is_said_after_some_tries() -> None:
    played = Rehearsal(spec())
    trend(played, 1_000, 1_000, 1_000, 1_010)
    played.is_ending = True
    for _ in range(LEAVES_MAX):
        assert len(played.look().place) == 1
        played.end()
    step = played.look()
    assert step.is_over
    assert (step.text, step.left) == (f"{LEFT} could not be given back", 10)


@given(st.lists(ACTS, max_size=60), st.booleans())
def test_its_position_is_within_its_quantity_whatever_happens(
    acts: list[Any], long_only: bool
) -> None:
    """A12."""
    played = Rehearsal(spec(long_only=long_only, duration_ns=10_000, sample_ns=100))
    most = 10
    for act in acts:
        played.act(act)
        most = max(most, played.spec.quantity)
        sight = played.sight()
        assert sight.position + sight.open_buys <= most
        assert sight.position - sight.open_sells >= (0 if long_only else -most)


def test_a_desk_follows_the_trend_and_is_flat_in_the_end() -> None:
    """A12, A13: from a quote to the release in one event."""
    floor = Floor(settings_of(may_short=True)).open()
    changes = {"sample_ns": SECOND, "duration_ns": 20 * SECOND, "good_for_ns": 5 * SECOND}
    answer = floor.ask(PlaceAlgo(spec=spec(**changes)))
    assert isinstance(answer, Taken)
    algo = floor.state.algos[answer.order_id]
    for price in (1_000, 1_000, 1_000):
        floor.quote(price)
        floor.pass_time(SECOND)
    floor.quote(1_010)
    for one in [one for one in floor.attempts() if not one.is_final]:
        floor.fill(one, one.order.quantity)
    assert (algo.bought, algo.sold) == (10, 0)
    floor.pass_time(20 * SECOND)
    for one in [one for one in floor.attempts() if not one.is_final]:
        floor.fill(one, one.order.quantity)
    assert (algo.bought, algo.sold) == (10, 10)
    assert algo.phase == "done"


def test_a_desk_that_cannot_trade_in_time_drops_what_it_decided() -> None:
    """A13."""
    floor = Floor(settings_of(may_short=True)).open()
    changes = {"sample_ns": SECOND, "duration_ns": 90 * SECOND, "good_for_ns": SECOND}
    floor.ask(PlaceAlgo(spec=spec(**changes)))
    for price in (1_000, 1_000, 1_000):
        floor.quote(price)
        floor.pass_time(SECOND)
    for hand in floor.all_hands():
        hand.not_ready()
    floor.quote(1_010)
    assert len(floor.attempts()) == 4
    floor.pass_time(3 * SECOND)  # no worker is ready in time
    assert floor.counted("decisions_too_old") == 1
    assert all(one.is_final for one in floor.attempts())
    assert [one.sends for one in floor.attempts()] == [0] * 4


def test_a_price_is_as_old_as_its_feed_says() -> None:
    """A13: however new its message is."""
    floor = Floor(settings_of(may_short=True)).open()
    changes = {"sample_ns": SECOND, "duration_ns": 90 * SECOND, "good_for_ns": SECOND}
    floor.ask(PlaceAlgo(spec=spec(**changes)))
    for price in (1_000, 1_000, 1_000):
        floor.quote(price)
        floor.pass_time(SECOND)
    for old_ns, placed in ((2 * SECOND, 0), (SECOND, 4)):
        quote = Quote(
            instrument_id=InstrumentId("T@X"),
            bid=Ticks(1_009),
            ask=Ticks(1_011),
            last=None,
            told_ns=floor.now.market_ns - old_ns,
        )
        floor.on(QuotesSeen(quotes=(quote,)))
        assert len(floor.attempts()) == placed
