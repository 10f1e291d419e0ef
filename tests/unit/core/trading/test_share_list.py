"""Share lists: those that trade, and those that must not."""

import io
import tracemalloc
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.share_list import (
    FILE_BYTES_MAX,
    LINE_BYTES_MAX,
    LINES_MAX,
    ShareLine,
    parse,
)
from tandem.domain.errors import ShareListError
from tandem.domain.ids import InstrumentId, MarketId, SlotId, VenueId
from tandem.domain.instrument import Catalogue, Instrument
from tandem.domain.order import Side
from tandem.domain.parents import Split

SLOTS = tuple(SlotId(f"w{number}") for number in range(1, 9))


def instrument(symbol: str, lot_size: str = "1", venue: str = "paper") -> Instrument:
    return Instrument(
        instrument_id=InstrumentId(f"{symbol}@{venue}"),
        symbol=symbol,
        venue_id=VenueId(venue),
        market_id=MarketId(venue),
        base=symbol,
        quote="USD",
        tick_size=Decimal("0.01"),
        lot_size=Decimal(lot_size),
    )


CATALOGUE = Catalogue(
    [
        instrument("ITUB"),
        instrument("T"),
        instrument("BRK.B"),
        instrument("BTCUSD", "0.001"),
        instrument("T", venue="other"),
        instrument("ODD", "1"),
        instrument("ODD", "10", venue="other"),
    ]
)


def read(content: bytes) -> list[ShareLine]:
    return parse(io.BytesIO(content), CATALOGUE, SLOTS)


def test_lines_are_returned_in_their_order_with_all_they_say() -> None:
    """A31."""
    first, second, third = read(
        b"# the paper's list\n\nITUB  buy \t 40  ALL\nBTCUSD SELL 0.125 EACH # all\n T Buy 7 w3,w1"
    )
    assert first == ShareLine(
        line_number=3,
        text="ITUB  buy \t 40  ALL",
        symbol="ITUB",
        instrument_id=InstrumentId("ITUB@paper"),
        side=Side.BUY,
        quantity=first.quantity,
        slots=(),
        split=Split.EQUAL,
    )
    assert first.quantity == 40
    assert (second.line_number, second.side, second.quantity) == (4, Side.SELL, 125)
    assert (second.slots, second.split) == ((), Split.EACH)
    assert second.text == "BTCUSD SELL 0.125 EACH"
    assert (third.slots, third.split, third.text) == (
        (SlotId("w3"), SlotId("w1")),
        Split.EQUAL,
        "T Buy 7 w3,w1",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"T buy 10 ALL",
        b"T buy 10 ALL\n",
        b"T buy 10 ALL\r\n",
        b"\xef\xbb\xbfT buy 10 ALL\r\n\r\n",
        b"\tT\tbuy\t10\tALL\t\n",
        b"T buy 10.0 ALL\n",
        b"T buy 0010 ALL\n",
        b"#\xc3\xa9\xe2\x80\xaf\nT buy 10 ALL #\xc3\xa9\x1b\n",
        b"T buy 10 ALL\n   \n\t\n#",
        b"T buy 10 ALL" + b" " * (LINE_BYTES_MAX - 13) + b"\n",
        b"\n" * (LINES_MAX - 1) + b"T buy 10 ALL\n",
    ],
)
def test_sensible_ways_of_writing_one_order_are_read_alike(content: bytes) -> None:
    """A31."""
    (line,) = read(content)
    assert (line.symbol, line.side, line.quantity, line.slots) == ("T", Side.BUY, 10, ())
    assert line.text.split()[0] == "T"


REFUSED = {
    "empty file": (b"", 1, 1, "no order"),
    "only comments": (b"# nothing\n\n", 2, 1, "no order"),
    "only a mark": (b"\xef\xbb\xbf", 1, 1, "no order"),
    "wrong side": (b"T bye 10 ALL", 1, 3, "saw 'bye', expected a side, buy or sell"),
    "side of other letters": ("T bu\u0443 10 ALL".encode(), 1, 5, "U+0443"),
    "both": (b"T both 10 ALL", 1, 3, "a side"),
    "negative": (b"T buy -5 ALL", 1, 7, "saw '-5', expected a positive number"),
    "signed": (b"T buy +5 ALL", 1, 7, "saw '+5', expected a positive number"),
    "zero": (b"T buy 0 ALL", 1, 7, "saw '0', expected a positive multiple of 1"),
    "zero point zero": (b"T buy 0.000 ALL", 1, 7, "positive multiple"),
    "fractional lot": (b"T buy 1.5 ALL", 1, 7, "saw '1.5', expected a positive multiple of 1"),
    "below the lot": (b"BTCUSD buy 0.0005 ALL", 1, 12, "a positive multiple of 0.001"),
    "nearly a lot": (b"T buy 1.00000000000000000000000000000000001 ALL", 1, 7, "multiple of 1"),
    "exponent": (b"T buy 1e3 ALL", 1, 7, "saw '1e3', expected a positive number"),
    "underscore": (b"T buy 1_000 ALL", 1, 7, "saw '1_000'"),
    "thousands": (b"T buy 1,000 ALL", 1, 7, "saw '1,000'"),
    "hexadecimal": (b"T buy 0x10 ALL", 1, 7, "saw '0x10'"),
    "arabic digit": ("T buy \u0663 ALL".encode(), 1, 7, "U+0663"),
    "wide digit": ("T buy \uff15 ALL".encode(), 1, 7, "U+FF15"),
    "word for a number": (b"T buy ten ALL", 1, 7, "saw 'ten'"),
    "not a number": (b"T buy nan ALL", 1, 7, "saw 'nan'"),
    "infinity": (b"T buy inf ALL", 1, 7, "saw 'inf'"),
    "point at the end": (b"T buy 5. ALL", 1, 7, "saw '5.'"),
    "point in front": (b"T buy .5 ALL", 1, 7, "saw '.5'"),
    "two points": (b"T buy 1.0.0 ALL", 1, 7, "saw '1.0.0'"),
    "too many lots": (b"T buy 9007199254740993 ALL", 1, 7, "positive multiple"),
    "endless number": (b"T buy " + b"9" * 900 + b" ALL", 1, 7, f"saw '{'9' * 40}...'"),
    "only a symbol": (b"T\n", 1, 2, "the end of the line, expected a side"),
    "no number": (b"T buy  \n", 1, 6, "the end of the line, expected a quantity"),
    "no target": (b"T buy 10 # ALL\n", 1, 9, "the end of the line, expected a target"),
    "extra field": (b"T buy 10 ALL now\n", 1, 14, "saw 'now', expected the end of the line"),
    "two orders in a line": (b"T buy 10 ALL T buy 10 ALL", 1, 14, "the end of the line"),
    "fields in another order": (b"buy T 10 ALL", 1, 1, "saw 'buy', expected a symbol"),
    "commas between fields": (b"T,buy,10,ALL", 1, 13, "the end of the line"),
    "unknown symbol": (b"ZZZZ buy 10 ALL", 1, 1, "saw 'ZZZZ', expected a symbol that is traded"),
    "small letters": (b"itub buy 10 ALL", 1, 1, "saw 'itub', expected a symbol, such as ITUB"),
    "symbol of two lot sizes": (b"ODD buy 10 ALL", 1, 1, "one lot size"),
    "unknown worker": (b"T buy 10 w9", 1, 10, "ALL, EACH or workers of w1, w2, w3, w4"),
    "unknown second worker": (b"T buy 10 w1,w9", 1, 13, "saw 'w9'"),
    "worker named twice": (b"T buy 10 w1,w2,w1", 1, 16, "saw 'w1', expected each worker once"),
    "no name before a comma": (b"T buy 10 ,w1", 1, 10, "saw ''"),
    "no name after a comma": (b"T buy 10 w1,", 1, 13, "saw ''"),
    "blank in a target": (b"T buy 10 w1, w2", 1, 14, "the end of the line"),
    "all in small letters": (b"T buy 10 all", 1, 10, "saw 'all', expected ALL, EACH"),
    "all and one": (b"T buy 10 ALL,w1", 1, 10, "saw 'ALL'"),
    "comment without a blank": (b"T buy 10 ALL#", 1, 10, "saw 'ALL#'"),
    "mistake in the last line": (b"T buy 10 ALL\nT buy 10 ALL\nT buy x ALL", 3, 7, "saw 'x'"),
    "zero bytes": (b"T buy 10\x00 ALL", 1, 9, "U+0000"),
    "zero byte in a comment": (b"# \x00\nT buy 10 ALL", 1, 3, "U+0000"),
    "escape sequence": (b"\x1b[2JT buy 10 ALL", 1, 1, "U+001B"),
    "bad text": (b"T buy 10 \xff", 1, 10, "byte 0xff, expected text in UTF-8"),
    "bad text after good": ("# \u00e9".encode() + b"\xc3\n", 1, 4, "byte 0xc3"),
    "another encoding": ("T buy 10 ALL".encode("utf-16"), 1, 1, "byte 0xff"),
    "no-break space": ("T\u00a0buy 10 ALL".encode(), 1, 2, "U+00A0"),
    "line separator": ("T buy 10 ALL\u2028T buy 10 ALL".encode(), 1, 13, "U+2028"),
    "mark in a later line": (b"T buy 10 ALL\n\xef\xbb\xbfT buy 10 ALL", 2, 1, "U+FEFF"),
    "form feed": (b"T\x0cbuy 10 ALL", 1, 2, "U+000C"),
    "old line ends": (b"T buy 10 ALL\rT buy 10 ALL", 1, 13, "U+000D"),
    "a picture": (b"\x89PNG\r\n\x1a\n", 1, 1, "byte 0x89"),
    "long line": (b"T buy 10 ALL" + b" " * LINE_BYTES_MAX, 1, 1, "at most 1,000 bytes a line"),
    "long comment": (b"T buy 10 ALL\n#" + b"x" * LINE_BYTES_MAX, 2, 1, "a longer line"),
    "too many lines": (b"\n" * (LINES_MAX + 1), LINES_MAX + 1, 1, "at most 100,000 lines"),
    "too many bytes": (b"#%b\n" % (b"x" * 900) * 20_000, 11_087, 1, "at most 10,000,000 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_list_is_refused_with_line_column_and_reason(name: str) -> None:
    """A31: nothing of it is returned, so nothing is sent."""
    content, line, column, message = REFUSED[name]
    with pytest.raises(ShareListError) as caught:
        read(content)
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert str(message) in str(caught.value)
    assert str(caught.value) == (
        f"line {line}, column {column}: {caught.value.seen}, expected {caught.value.expected}"
    )
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_at_least_forty_malformed_lists_are_tried() -> None:
    assert len(REFUSED) >= 40


class Endless:
    """A file that never ends, and counts what is asked of it."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.given = 0

    def readline(self, limit: int, /) -> bytes:
        line = self.piece[:limit] if self.piece.endswith(b"\n") else self.piece * limit
        self.given += len(line[:limit])
        return line[:limit]


@pytest.mark.parametrize("piece", [b"x", b"\x00", b"\n", b"#" * 500 + b"\n"])
def test_of_endless_input_no_more_than_the_limits_is_read(piece: bytes) -> None:
    """A line of 100 MB, a million lines."""
    source = Endless(piece)
    with pytest.raises(ShareListError, match="at most"):
        parse(source, CATALOGUE, SLOTS)
    assert source.given <= FILE_BYTES_MAX + LINE_BYTES_MAX + 1


def test_an_endless_line_is_refused_in_bounded_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ShareListError, match="at most 1,000 bytes"):
            parse(Endless(b"x"), CATALOGUE, SLOTS)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_errors_of_the_file_itself_are_passed_on() -> None:
    class Folder:
        def readline(self, limit: int, /) -> bytes:
            raise IsADirectoryError(limit)

    with pytest.raises(IsADirectoryError):
        parse(Folder(), CATALOGUE, SLOTS)


def test_only_some_of_many_workers_are_named_in_an_error() -> None:
    many = [SlotId(f"w{number}") for number in range(1, 12)]
    with pytest.raises(ShareListError, match=r"workers of w1, .*, w8, \.\.\.$"):
        parse(io.BytesIO(b"T buy 1 x"), CATALOGUE, many)
    with pytest.raises(ShareListError, match=r"workers of w1, .*, w7, w8$"):
        parse(io.BytesIO(b"T buy 1 x"), CATALOGUE, SLOTS)


@given(st.binary(max_size=400))
def test_any_bytes_give_orders_or_our_error(content: bytes) -> None:
    with suppress(ShareListError):
        assert read(content)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ITUB", "T", "BTCUSD", "ZZ", ""]),
            st.sampled_from(["buy", "sell", "SELL", "hold", ""]),
            st.one_of(st.integers(-1, 10**6).map(str), st.just("0.5"), st.just("")),
            st.sampled_from(["ALL", "EACH", "w1", "w2,w8", "w2,w2", "w9", ""]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_list_is_traded_whole_or_not_at_all(
    rows: list[tuple[str, str, str, str]],
) -> None:
    """A31."""
    content = "\n".join(" ".join(row) for row in rows).encode()

    def is_good(row: tuple[str, str, str, str]) -> bool:
        symbol, side, number, target = row
        step = Decimal("0.001") if symbol == "BTCUSD" else Decimal(1)
        return (
            symbol in {"ITUB", "T", "BTCUSD"}
            and side.lower() in {"buy", "sell"}
            and number not in {"", "-1", "0"}
            and Decimal(number) % step == 0
            and target in {"ALL", "EACH", "w1", "w2,w8"}
        )

    wanted = [row for row in rows if any(row)]
    if wanted and all(is_good(row) for row in wanted):
        assert [(one.symbol, one.side) for one in read(content)] == [
            (symbol, side.lower()) for symbol, side, _, _ in wanted
        ]
    else:
        with pytest.raises(ShareListError):
            read(content)
