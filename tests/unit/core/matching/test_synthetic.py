import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.book import Book
from tandem.core.matching.chance import seeded
from tandem.core.matching.state import MarketState
from tandem.core.matching.synthetic import step
from tandem.domain.exchange import (
    DepthShown,
    PublicTrade,
    SelfMatch,
    SyntheticBook,
    SyntheticMarket,
)
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.venue import Quote
from tests.unit.core.matching.paper import ALL_THERE_IS, BUY, SELL, SHARE, Paper, kinds, quoted

SECOND_NS = 1_000_000_000
PLAN = SyntheticBook(
    instrument_id=SHARE, reference=Ticks(1_000), stride=Ticks(1), depth=Lots(100), levels=5
)
MARKET = SyntheticMarket(books=(PLAN,))


def market(center: int) -> MarketState:
    quoted = Quote(instrument_id=SHARE, bid=None, ask=None, last=None)
    return MarketState(quoted=quoted, center=center)


def test_the_market_is_quoted_and_trades_now_and_then() -> None:
    paper = Paper(synthetic=MARKET)
    lasts = 0
    for _ in range(100):
        paper.wait(SECOND_NS)
        book = paper.book()
        assert len(book) >= 8
        lasts += paper.exchange.state.markets[SHARE].last is not None
    assert lasts > 90


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    def run(seed: int) -> bytes:
        paper = Paper(synthetic=MARKET, seed=seed)
        paper.wait(60 * SECOND_NS)
        return paper.exchange.snapshot()

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_resting_order_inside_the_touch_is_filled_by_the_background(side: Side) -> None:
    paper = Paper(synthetic=MARKET)
    paper.wait(SECOND_NS)
    paper.place("A1-1", side, 10, paper.exchange.state.markets[SHARE].center)
    paper.wait(60 * SECOND_NS)
    assert paper.account("A1").executions
    assert paper.sums() == ALL_THERE_IS


def test_what_was_taken_comes_back_after_a_while() -> None:
    paper = Paper(synthetic=MARKET)
    paper.wait(SECOND_NS)
    assert kinds(paper.place("A1-1", BUY, 2_000, None))[-1] == "Expired"
    assert not [one for one in paper.book() if one[0] == "sell"]
    paper.wait(2 * SECOND_NS)
    assert [one for one in paper.book() if one[0] == "sell"]


def test_quotes_are_pushed_to_sessions_while_the_market_moves() -> None:
    paper = Paper(synthetic=MARKET)
    pushed = quoted(paper.wait(60 * SECOND_NS), 1)
    assert 10 < len(pushed) <= 300


@given(st.integers(0, 2**64), st.integers(1, 60), st.integers(1, 12), st.integers(1, 3))
def test_prices_and_sizes_stay_positive_whatever_the_plan(
    seed: int, reference: int, stride: int, depth: int
) -> None:
    plan = SyntheticBook(
        instrument_id=SHARE, reference=Ticks(reference), stride=Ticks(stride), depth=Lots(depth)
    )
    state = market(reference)
    chance = seeded(seed)
    for _ in range(60):
        for event in step(plan, state, Book(SelfMatch.REJECT), chance):
            assert isinstance(event, DepthShown)
            assert all(price > 0 and lots > 0 for price, lots in (*event.bids, *event.asks))


@pytest.mark.parametrize("center", [800, 1_200])
def test_a_price_that_went_far_is_drawn_back(center: int) -> None:
    state = market(center)
    chance = seeded(1)
    book = Book(SelfMatch.REJECT)
    for _ in range(2_000):
        step(PLAN, state, book, chance)
    assert 890 < state.center < 1_110


def test_nobody_trades_where_nothing_rests() -> None:
    state = market(1_000)
    chance = seeded(1)
    events = [one for _ in range(200) for one in step(PLAN, state, Book(SelfMatch.REJECT), chance)]
    assert not any(isinstance(one, PublicTrade) for one in events)
