"""What a source told that is not final."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.inbox import BARS_MAX, Inbox
from tandem.domain.bars import Span
from tests.unit.core.market.market_words import COIN, MINUTE, SOURCE, bar, piece, trade


def inbox() -> Inbox:
    return Inbox(SOURCE, COIN, Span.M1)


def test_the_later_bar_counts_and_a_bar_counts_more_than_trades() -> None:
    """B9."""
    told = inbox()
    told.tell_piece(trade(5, 3))
    told.tell_bar(bar(0, 7))
    told.tell_bar(bar(0, 8))
    assert told.bar_at(0) == bar(0, 8)
    assert told.bar_at(MINUTE) is None


def test_trades_are_ordered_by_their_numbers_and_else_as_they_come() -> None:
    """B8."""
    numbered = inbox()
    for number, price in ((2, 6), (1, 5), (3, 4)):
        numbered.tell_piece(trade(1, price, number))
    assert numbered.bar_at(0) == bar(0, 5, 6, 4, 4, volume=3)
    plain = inbox()
    for price in (6, 5, 4):
        plain.tell_piece(trade(1, price))
    assert plain.bar_at(0) == bar(0, 6, 6, 4, 4, volume=3)


def test_a_piece_that_comes_again_replaces_itself() -> None:
    """B9."""
    told = inbox()
    told.tell_piece(piece(1, 5, volume=9))
    told.tell_piece(piece(0, 4, volume=2))
    told.tell_piece(piece(1, 6, volume=3))
    assert told.bar_at(0) == bar(0, 4, 6, 4, 6, volume=5)


def test_what_is_final_is_forgotten() -> None:
    told = inbox()
    for minute in (3, 1, 2):
        told.tell_bar(bar(minute))
    assert told.begins(3 * MINUTE) == [MINUTE, 2 * MINUTE]
    told.forget(3 * MINUTE)
    assert told.begins(9 * MINUTE) == [3 * MINUTE]


def test_it_is_full_at_its_bound() -> None:
    told = inbox()
    for minute in range(BARS_MAX):
        assert not told.is_full
        told.tell_bar(bar(minute))
    assert told.is_full


@given(st.permutations([(place, 5 + place % 4) for place in range(12)]))
def test_numbered_trades_make_one_bar_in_whatever_order(order: list[tuple[int, int]]) -> None:
    told = inbox()
    for number, price in order:
        told.tell_piece(trade(number, price, number))
    assert told.bar_at(0) == bar(0, 5, 8, 5, 8, volume=12)
