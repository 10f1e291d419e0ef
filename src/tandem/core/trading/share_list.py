"""Share lists: the file in which a trader writes what to trade, one order a line.

    # SYMBOL side number TARGET
    ITUB  buy   40  ALL
    BKRF  sell  50  EACH     # every worker the whole 50
    TSLA  buy   60  w1,w3

- Fields are separated by spaces or tabs. A `#` at the start of a line or after a blank begins a
  comment; blank lines are skipped.
- SYMBOL is the venue's own string. The side is `buy` or `sell`, in capitals too.
- The number is the quantity, in plain digits with a point at most: a multiple of the lot size.
- TARGET is `ALL` (the quantity is split over all workers), `EACH` (every worker trades the whole
  quantity), or names of workers, with commas and no blanks, over which it is split.
- The text is UTF-8, outside of comments printable ASCII. A byte order mark and Windows line ends
  are accepted. The limits below keep memory bounded, whatever is fed.

Every line is checked before anything is returned, so a list with a mistake trades nothing.
"""

import re
from collections.abc import Sequence
from typing import Final, NoReturn, Protocol

from tandem.domain.errors import OffGridError, ShareListError
from tandem.domain.ids import InstrumentId, Lots, SlotId
from tandem.domain.instrument import Catalogue, Instrument
from tandem.domain.order import Side
from tandem.domain.parents import Split
from tandem.domain.value import Value

LINE_BYTES_MAX: Final = 1_000  # with its end
LINES_MAX: Final = 100_000
FILE_BYTES_MAX: Final = 10_000_000
SEEN_MAX: Final = 40
NAMES_MAX: Final = 8

EXPECTED: Final = (
    "a symbol",
    "a side, buy or sell",
    "a quantity",
    "a target: ALL, EACH or names of workers",
)
MARK: Final = b"\xef\xbb\xbf"
COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#")
UNPRINTABLE: Final = re.compile(r"[^\t\x20-\x7e]")
FIELD: Final = re.compile(r"[^ \t]+")
NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class LineSource(Protocol):
    """What is read from; a file opened in binary mode is one."""

    def readline(self, limit: int, /) -> bytes:
        """Return the next line with its end, cut after `limit` bytes; empty at the end."""
        ...


class ShareLine(Value, frozen=True, kw_only=True):
    """One order of a share list.

    `text` is the order as it was written, without what surrounds it. `slots` is empty for all.
    `instrument_id` is one of the symbol's instruments; they have one lot size.
    """

    line_number: int
    text: str
    symbol: str
    instrument_id: InstrumentId
    side: Side
    quantity: Lots
    slots: tuple[SlotId, ...]
    split: Split


class Word(Value, frozen=True, kw_only=True):
    """One field, or part of one, and where it stands."""

    line: int
    column: int
    text: str

    def refuse(self, expected: str) -> NoReturn:
        """Say that something else was expected here."""
        short = self.text if len(self.text) <= SEEN_MAX else f"{self.text[:SEEN_MAX]}..."
        raise ShareListError(
            line=self.line, column=self.column, seen=f"saw {short!r}", expected=expected
        )


def parse(source: LineSource, catalogue: Catalogue, slots: Sequence[SlotId]) -> list[ShareLine]:
    """Return the orders of a share list, in the order of its lines; at least one.

    Args:
        source: the open file. Its own errors are passed on.
        catalogue: the instruments that may be traded.
        slots: the names of the workers that a target may name.

    Raises:
        ShareListError: the first line that cannot be traded, and why; or the list is empty,
            too long, or has a line that is too long.
    """
    known = _by_symbol(catalogue)
    found: list[ShareLine] = []
    number = size = 0
    while raw := source.readline(LINE_BYTES_MAX + 1):
        number += 1
        size += len(raw)
        _check_size(raw, number=number, size=size)
        body = _body(raw, number)
        words = [
            Word(line=number, column=one.start() + 1, text=one.group())
            for one in FIELD.finditer(body)
        ]
        if words:
            end = Word(line=number, column=len(body.rstrip(" \t")) + 1, text="")
            found.append(_share_line(words, end, body.strip(" \t"), known, slots))
    if not found:
        raise ShareListError(
            line=max(number, 1), column=1, seen="no order", expected="a line like 'T buy 10 ALL'"
        )
    return found


def _by_symbol(catalogue: Catalogue) -> dict[str, list[Instrument]]:
    known: dict[str, list[Instrument]] = {}
    for one in catalogue.instruments:
        known.setdefault(one.symbol, []).append(one)
    return known


def _check_size(raw: bytes, *, number: int, size: int) -> None:
    if len(raw) > LINE_BYTES_MAX:
        seen, expected = "a longer line", f"at most {LINE_BYTES_MAX:,} bytes a line"
    elif number > LINES_MAX:
        seen, expected = "one more line", f"at most {LINES_MAX:,} lines"
    elif size > FILE_BYTES_MAX:
        seen, expected = "a longer file", f"at most {FILE_BYTES_MAX:,} bytes"
    else:
        return
    raise ShareListError(line=number, column=1, seen=seen, expected=expected)


def _body(raw: bytes, number: int) -> str:
    """Return the text of a line without its end, a mark and a comment."""
    if number == 1:
        raw = raw.removeprefix(MARK)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode()) + 1
        seen = f"byte 0x{raw[error.start]:02x}"
        raise ShareListError(
            line=number, column=column, seen=seen, expected="text in UTF-8"
        ) from error
    text = text.removesuffix("\n").removesuffix("\r")
    comment = COMMENT.search(text)
    body = text[: comment.start()] if comment else text
    odd = UNPRINTABLE.search(body) or re.search("\0", text)
    if odd:
        raise ShareListError(
            line=number,
            column=odd.start() + 1,
            seen=f"character U+{ord(odd.group()):04X}",
            expected="printable ASCII, spaces and tabs",
        )
    return body


def _share_line(
    words: list[Word],
    end: Word,
    text: str,
    known: dict[str, list[Instrument]],
    slots: Sequence[SlotId],
) -> ShareLine:
    if len(words) < len(EXPECTED):
        raise ShareListError(
            line=end.line,
            column=end.column,
            seen="the end of the line",
            expected=EXPECTED[len(words)],
        )
    if len(words) > len(EXPECTED):
        words[len(EXPECTED)].refuse("the end of the line")
    symbol, side, number, target = words
    instrument = _instrument(symbol, known)
    found_side = _side(side)
    quantity = _quantity(number, instrument)
    chosen, split = _target(target, slots)
    return ShareLine(
        line_number=end.line,
        text=text,
        symbol=instrument.symbol,
        instrument_id=instrument.instrument_id,
        side=found_side,
        quantity=quantity,
        slots=chosen,
        split=split,
    )


def _instrument(word: Word, known: dict[str, list[Instrument]]) -> Instrument:
    found = known.get(word.text)
    if found is None:
        like = word.text.upper()
        word.refuse(f"a symbol, such as {like}" if like in known else "a symbol that is traded")
    if any(one.lot_size != found[0].lot_size for one in found):
        word.refuse("a symbol with one lot size on all its venues")
    return found[0]


def _side(word: Word) -> Side:
    name = word.text.lower()
    if name not in Side.__members__.values():
        word.refuse(EXPECTED[1])
    return Side(name)


def _quantity(word: Word, instrument: Instrument) -> Lots:
    if not NUMBER.fullmatch(word.text):
        word.refuse("a positive number such as 40 or 0.25")
    try:
        return instrument.quantity(word.text)
    except OffGridError:
        word.refuse(f"a positive multiple of {instrument.lot_size:f}")


def _target(word: Word, slots: Sequence[SlotId]) -> tuple[tuple[SlotId, ...], Split]:
    if word.text == "ALL":
        return (), Split.EQUAL
    if word.text == "EACH":
        return (), Split.EACH
    chosen: list[SlotId] = []
    column = word.column
    for text in word.text.split(","):
        name = Word(line=word.line, column=column, text=text)
        column += len(text) + 1
        if text not in slots:
            name.refuse(f"ALL, EACH or workers of {_some(slots)}")
        if text in chosen:
            name.refuse("each worker once")
        chosen.append(SlotId(text))
    return tuple(chosen), Split.EQUAL


def _some(slots: Sequence[SlotId]) -> str:
    names = ", ".join(slots[:NAMES_MAX])
    return f"{names}, ..." if len(slots) > NAMES_MAX else names
