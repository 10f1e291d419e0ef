"""Bars, made of trades, of pieces of a span, or of the bars of a shorter span."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tandem.domain.bars import Bar, Span
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.market_words import PieceTold, TradeTold

VOLUME_MAX: Final = 2**63 - 1  # what a store can hold


class Piece(NamedTuple):
    """What traded in a part of a span; parts have their order by `place`, whenever they come."""

    place: tuple[int, int]
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: int


class Growing:
    """A bar that is not over: of its pieces only what counts is kept."""

    def __init__(self, piece: Piece) -> None:
        """Begin with one of its pieces."""
        self._first = self._last = piece.place
        _, self._open, self._high, self._low, self._close, self._volume = piece

    def add(self, piece: Piece) -> None:
        """Take a piece that it did not have; of two at one place the later word is the later."""
        place, opened, high, low, close, volume = piece
        if place < self._first:
            self._first, self._open = place, opened
        if place >= self._last:
            self._last, self._close = place, close
        self._high = max(self._high, high)
        self._low = min(self._low, low)
        self._volume = min(self._volume + volume, VOLUME_MAX)

    def bar(self, instrument_id: InstrumentId, span: Span) -> Bar:
        """Return it as if it were over; `place` begins with a moment."""
        return Bar(
            instrument_id=instrument_id,
            span=span,
            begin_ns=span.begin_ns(self._first[0]),
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=Lots(self._volume),
        )


def grown(pieces: Sequence[Piece]) -> Growing:
    """Return what these pieces make, one or more."""
    growing = Growing(pieces[0])
    for piece in pieces[1:]:
        growing.add(piece)
    return growing


def piece_of(word: TradeTold | PieceTold, order: int) -> Piece:
    """Return what was told as a piece; of one moment they are in this order."""
    place = (word.at_ns, order)
    if isinstance(word, PieceTold):
        return Piece(place, word.open, word.high, word.low, word.close, word.volume)
    return Piece(place, word.price, word.price, word.price, word.price, word.quantity)


def longer_bar(span: Span, parts: Sequence[Bar]) -> Bar:
    """Return the bar of `span` that shorter ones make: one or more, in order, all within it.

    Parts in which nothing traded say nothing, unless they are all there is.
    """
    traded = [one for one in parts if not one.is_filled]
    pieces = [
        Piece((one.begin_ns, 0), one.open, one.high, one.low, one.close, one.volume)
        for one in traded or parts
    ]
    made = grown(pieces).bar(parts[0].instrument_id, span)
    return made if traded else filled_bar(made, made.begin_ns)


def filled_bar(before: Bar, begin_ns: int) -> Bar:
    """Return the bar of a span in which nothing traded: the last close again."""
    return Bar(
        instrument_id=before.instrument_id,
        span=before.span,
        begin_ns=begin_ns,
        open=before.close,
        high=before.close,
        low=before.close,
        close=before.close,
        volume=Lots(0),
        is_filled=True,
    )


def chain_of(base: Span) -> dict[Span, Span]:
    """Return, for each span that bars of `base` make, of which shorter span it is made.

    That is the longest one that divides it, so that no bar has more than twelve parts.
    """
    made: dict[Span, Span] = {}
    for span in Span:
        if span.ns > base.ns:
            parts = [one for one in (base, *made) if span.ns % one.ns == 0]
            if parts:
                made[span] = parts[-1]
    return made
