import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.book import BACKGROUND, Book, Resting
from tandem.domain.exchange import SelfMatch
from tests.unit.core.matching.naive_book import NaiveBook, NaiveMeeting, NaiveOrder

ENDS_TAKER = (SelfMatch.REJECT, SelfMatch.EXPIRE_TAKER, SelfMatch.EXPIRE_BOTH)
MODES = list(SelfMatch)


def buy(number: int, price: int, leaves: int = 10, owner: int = 1) -> Resting:
    return Resting(number, owner, True, price, leaves)


def sell(number: int, price: int, leaves: int = 10, owner: int = 2) -> Resting:
    return Resting(number, owner, False, price, leaves)


def book_of(*orders: Resting, mode: SelfMatch = SelfMatch.EXPIRE_TAKER) -> Book:
    book = Book(mode)
    for order in orders:
        book.add(order)
    return book


class Pair:
    """Our book and its judge, fed alike and compared after every operation."""

    def __init__(self, mode: SelfMatch) -> None:
        self.mode = mode
        self.book = Book(mode)
        self.judge = NaiveBook(mode)

    def submit(self, order: Resting, *, rests: bool) -> None:
        copy = NaiveOrder(
            order.number,
            order.owner,
            is_buy=order.is_buy,
            price=order.price,
            leaves=order.leaves,
        )
        meetings = self.book.match(order)
        ours = [NaiveMeeting(one.maker.number, one.quantity, one.is_own) for one in meetings]
        assert ours == self.judge.submit(copy, rests=rests)
        assert order.leaves == copy.leaves
        stopped = self.mode in ENDS_TAKER and meetings and meetings[-1].is_own
        if order.leaves and rests and not stopped:
            self.book.add(order)

    def cancel(self, number: int) -> None:
        assert self.book.cancel(number) == self.judge.cancel(number)

    def compare(self) -> None:
        resting = self.book.resting()
        for is_buy in (True, False):
            ours = [(one.number, one.leaves) for one in resting if one.is_buy is is_buy]
            assert ours == self.judge.sorted_side(is_buy=is_buy)


def feed(pair: Pair, seed: int, *, count: int, width: int, compare_every: int) -> None:
    draw = random.Random(seed)
    for number in range(1, count + 1):
        if draw.random() < 0.3:
            pair.cancel(draw.randint(1, number))
        else:
            order = Resting(
                number,
                draw.randint(1, 4),
                draw.random() < 0.5,
                1_000 + draw.randint(-width, width),
                draw.randint(1, 20),
            )
            pair.submit(order, rests=draw.random() < 0.9)
        if number % compare_every == 0:
            pair.compare()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [2, 60])
def test_the_book_is_equal_to_its_judge_trade_by_trade(mode: SelfMatch, width: int) -> None:
    """A long random stream per mode, through few and through many prices."""
    feed(Pair(mode), 7 * width, count=2_500, width=width, compare_every=50)


@pytest.mark.parametrize("seed", range(300))
def test_the_book_is_equal_to_its_judge_after_every_operation(seed: int) -> None:
    """Short streams, compared as a whole after each operation."""
    feed(Pair(MODES[seed % len(MODES)]), seed, count=60, width=1 + seed % 9, compare_every=1)


ORDERS = st.tuples(
    st.integers(1, 3), st.booleans(), st.integers(97, 103), st.integers(1, 9), st.booleans()
)


@given(st.sampled_from(MODES), st.lists(st.one_of(ORDERS, st.integers(1, 40)), max_size=60))
def test_no_stream_of_orders_and_cancels_tells_book_and_judge_apart(
    mode: SelfMatch, steps: list[tuple[int, bool, int, int, bool] | int]
) -> None:
    pair = Pair(mode)
    for number, one in enumerate(steps, start=1):
        if isinstance(one, int):
            pair.cancel(one)
        else:
            owner, is_buy, price, leaves, rests = one
            pair.submit(Resting(number, owner, is_buy, price, leaves), rests=rests)
        pair.compare()


@given(st.lists(ORDERS, max_size=40))
def test_a_book_rebuilt_from_its_resting_orders_behaves_the_same(
    orders: list[tuple[int, bool, int, int, bool]],
) -> None:
    """I11: a snapshot of resting orders is the whole book."""
    book = Book(SelfMatch.DECREMENT)
    copy = Book(SelfMatch.DECREMENT)
    for number, (owner, is_buy, price, leaves, _) in enumerate(orders, start=1):
        copy = Book(SelfMatch.DECREMENT)
        for one in book.resting():
            copy.add(msgspec.structs.replace(one))
        here = Resting(number, owner, is_buy, price, leaves)
        there = Resting(number, owner, is_buy, price, leaves)
        assert book.match(here) == copy.match(there)
        if here.leaves:
            book.add(here)
            copy.add(there)
        assert book.resting() == copy.resting()


def test_the_older_order_at_a_price_trades_first() -> None:
    book = book_of(buy(1, 100), buy(2, 100))
    taker = sell(3, 100, 15)
    assert [(m.maker.number, m.quantity) for m in book.match(taker)] == [(1, 10), (2, 5)]
    assert taker.leaves == 0


def test_the_better_price_trades_first_and_at_its_own_price() -> None:
    book = book_of(buy(1, 100), buy(2, 101))
    meetings = book.match(sell(3, 99, 12))
    assert [(m.maker.price, m.quantity) for m in meetings] == [(101, 10), (100, 2)]


def test_nothing_meets_beyond_its_limit() -> None:
    book = book_of(buy(1, 100))
    assert book.match(sell(2, 101)) == []
    book.add(sell(2, 101))
    assert book.match(buy(3, 100)) == []


def test_an_unknown_or_repeated_cancel_does_nothing() -> None:
    book = book_of(buy(1, 100))
    assert book.cancel(1)
    assert not book.cancel(1)
    assert not book.cancel(2)
    assert book.resting() == []


def test_many_cancels_in_one_queue_leave_no_graves_behind() -> None:
    book = book_of(*(buy(number, 100) for number in range(1, 1_001)))
    for number in range(1, 1_000):
        assert book.cancel(number)
    queue = book._bids.levels[100].queue  # memory is the promise here
    assert len(queue) <= 20
    assert [m.maker.number for m in book.match(sell(2_000, 100))] == [1_000]


def test_a_level_in_the_middle_goes_with_its_last_order() -> None:
    book = book_of(buy(1, 100), buy(2, 99), buy(3, 98))
    book.cancel(2)
    assert [one.number for one in book.resting()] == [1, 3]
    assert book.at(is_buy=True, price=99) == []


def test_taking_reduces_or_removes_a_resting_order() -> None:
    book = book_of(sell(1, 100), sell(2, 100))
    first, second = book.at(is_buy=False, price=100)
    book.take(first, 4)
    book.take(second, 10)
    assert book.resting() == [sell(1, 100, 6)]


def test_best_is_none_on_an_empty_side() -> None:
    book = book_of(buy(1, 100), buy(2, 103), sell(3, 105), sell(4, 104))
    assert book.best(is_buy=True) == 103
    assert book.best(is_buy=False) == 104
    assert Book(SelfMatch.REJECT).best(is_buy=True) is None


def test_crossed_by_yields_what_a_taker_would_meet_in_that_order() -> None:
    book = book_of(sell(1, 102), sell(2, 101), sell(3, 101), sell(4, 103))
    book.cancel(2)
    met = [one.number for one in book.crossed_by(is_buy=True, price=102)]
    assert met == [3, 1]
    assert [one.number for one in book.crossed_by(is_buy=True, price=200)] == [3, 1, 4]
    assert list(book.crossed_by(is_buy=False, price=1)) == []


def test_displayed_liquidity_is_met_by_every_owner() -> None:
    book = book_of(Resting(1, BACKGROUND, False, 100, 5))
    assert not book.match(buy(2, 100))[0].is_own


def test_a_reduced_order_keeps_its_place_and_at_nothing_it_is_gone() -> None:
    book = book_of(buy(1, 100), buy(2, 100))
    book.reduce(1, by=4)
    assert [(one.number, one.leaves) for one in book.resting()] == [(1, 6), (2, 10)]
    book.reduce(1, by=6)
    book.reduce(7, by=1)
    assert [one.number for one in book.resting()] == [2]
