"""Longer bars out of shorter ones, and bars out of trades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.bars import (
    VOLUME_MAX,
    Growing,
    Piece,
    chain_of,
    filled_bar,
    grown,
    longer_bar,
    piece_of,
)
from tandem.domain.bars import Bar, Span
from tandem.domain.ids import Ticks
from tests.unit.core.market.market_words import COIN, MINUTE, bar, piece, trade


def flat(price: int) -> tuple[Ticks, Ticks, Ticks, Ticks]:
    return Ticks(price), Ticks(price), Ticks(price), Ticks(price)


def one(moment: int, price: int, size: int = 1) -> Piece:
    return Piece((moment, 0), *flat(price), size)


def test_a_bar_opens_with_its_first_trade_and_closes_with_its_last_however_they_come() -> None:
    """B8: bars built from trades."""
    growing = grown([one(30, 7, 2), one(10, 5), one(50, 6, 3), one(20, 9)])
    made = growing.bar(COIN, Span.M1)
    assert (made.open, made.high, made.low, made.close, made.volume) == (5, 9, 5, 6, 7)


def test_the_volume_stays_within_what_a_store_can_hold() -> None:
    growing = Growing(one(0, 5, VOLUME_MAX))
    growing.add(one(1, 5, VOLUME_MAX))
    assert growing.bar(COIN, Span.M1).volume == VOLUME_MAX


def test_trades_and_pieces_are_pieces_at_their_moments() -> None:
    assert piece_of(trade(1, 5, size=3), 7) == Piece((10**9, 7), *flat(5), 3)
    told = piece_of(piece(2, 5, 9, 4, 6, volume=8), 0)
    assert told == Piece((2 * 10**9, 0), Ticks(5), Ticks(9), Ticks(4), Ticks(6), 8)


def test_minutes_without_trades_do_not_change_a_longer_bar() -> None:
    first = filled_bar(bar(0, 3), 0)
    assert (first.open, first.volume, first.is_filled) == (3, 0, True)
    made = longer_bar(Span.M3, [first, bar(1, 5, 9, 4, 6, volume=2)])
    assert made == bar(0, 5, 9, 4, 6, volume=2, span=Span.M3)
    empty = longer_bar(Span.M3, [first, filled_bar(first, MINUTE)])
    assert (empty.begin_ns, empty.close, empty.volume, empty.is_filled) == (0, 3, 0, True)


def test_each_span_is_made_of_the_longest_that_divides_it() -> None:
    """B10: 3m 5m 15m 30m 1h 4h 1d, and weeks."""
    assert chain_of(Span.M1) == {
        Span.M3: Span.M1,
        Span.M5: Span.M1,
        Span.M15: Span.M5,
        Span.M30: Span.M15,
        Span.H1: Span.M30,
        Span.H4: Span.H1,
        Span.D1: Span.H4,
        Span.W1: Span.D1,
    }
    assert chain_of(Span.M3)[Span.M15] is Span.M3
    assert Span.M5 not in chain_of(Span.M3)
    assert chain_of(Span.W1) == {}


@pytest.mark.parametrize("span", [Span.M3, Span.M5, Span.M15])
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 99), st.integers(0, 9)), min_size=1, max_size=9
    )
)
def test_bars_of_bars_are_the_bars_of_their_trades(
    span: Span, trades: list[tuple[int, int, int]]
) -> None:
    pieces = [
        Piece((minute * MINUTE, place), *flat(price), size)
        for place, (minute, price, size) in enumerate(trades)
    ]
    minutes: dict[int, list[Piece]] = {}
    for told in pieces:
        minutes.setdefault(told.place[0], []).append(told)
    made: list[Bar] = []
    for begin in sorted(minutes):
        made.append(grown(minutes[begin]).bar(COIN, Span.M1))
    assert longer_bar(span, made) == grown(pieces).bar(COIN, span)
