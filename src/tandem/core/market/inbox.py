"""What one source told of one instrument, as far as it is not final."""

from typing import Final

from tandem.core.market.bars import Growing, Piece, grown, piece_of
from tandem.core.market.numbers import Numbers
from tandem.domain.bars import Bar, Span
from tandem.domain.ids import InstrumentId
from tandem.domain.market_words import PieceTold, Source, TradeTold

BARS_MAX: Final = 50_000


class _Told:
    """What was told of one bar: itself, or the trades or pieces of which it is made."""

    def __init__(self) -> None:
        self.bar: Bar | None = None
        self.trades: Growing | None = None
        self.pieces: dict[int, Piece] = {}


class Inbox:
    """The bars of one source that are not final; of one that is told twice the later word counts.

    A bar that is told counts, whatever trades there were. `is_begun`: the source has said
    something since we started.
    """

    def __init__(self, source: Source, instrument_id: InstrumentId, span: Span) -> None:
        self.source: Final = source
        self.numbers: Final = Numbers()
        self.is_begun = False
        self._instrument_id = instrument_id
        self._span = span
        self._told: dict[int, _Told] = {}
        self._order = 0

    @property
    def is_full(self) -> bool:
        """Whether so much waits to become final that nothing more is taken."""
        return len(self._told) >= BARS_MAX

    def tell_bar(self, bar: Bar) -> None:
        """Take a bar."""
        self._at(bar.begin_ns).bar = bar

    def tell_piece(self, word: TradeTold | PieceTold) -> None:
        """Take what traded; a trade that was told before is not told to us."""
        told = self._at(self._span.begin_ns(word.at_ns))
        self._order += 1
        if isinstance(word, PieceTold):
            told.pieces[word.at_ns] = piece_of(word, 0)
            return
        order = self._order if word.number is None else word.number
        piece = piece_of(word, order)
        if told.trades is None:
            told.trades = Growing(piece)
        else:
            told.trades.add(piece)

    def begins(self, before_ns: int) -> list[int]:
        """Return when those bars begin, before that moment, of which something was told."""
        return sorted(one for one in self._told if one < before_ns)

    def bar_at(self, begin_ns: int) -> Bar | None:
        """Return the bar that begins there, as it is known now."""
        told = self._told.get(begin_ns)
        if told is None or told.bar is not None:
            return None if told is None else told.bar
        growing = told.trades or grown(list(told.pieces.values()))
        return growing.bar(self._instrument_id, self._span)

    def forget(self, before_ns: int) -> None:
        """Forget what is final now."""
        for begin_ns in self.begins(before_ns):
            del self._told[begin_ns]

    def _at(self, begin_ns: int) -> _Told:
        return self._told.setdefault(begin_ns, _Told())
