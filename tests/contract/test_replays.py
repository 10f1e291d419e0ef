"""Readers of recorded markets: real data gives the facts its collectors counted; junk, an error.

The large recordings lie beside the repository on some machines only. Their facts are checked
there; the samples in examples/ are checked everywhere.
"""

import contextlib
import gzip
import json
import tempfile
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.replays.binance import BinanceFile
from tandem.adapters.replays.files import feeds_at
from tandem.adapters.replays.grid import Grid
from tandem.adapters.replays.lean import LeanFile
from tandem.core.matching import listing
from tandem.core.matching.exchange import Exchange
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import (
    BestShown,
    DepthShown,
    MarketEvent,
    MarketEvents,
    PublicTrade,
    QuoteBar,
    Restarted,
    TradeBar,
)
from tandem.domain.feeds import FeedNews
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "data"
SHARED = ROOT.parent / "shared" / "data"
BINANCE_EXAMPLE = EXAMPLES / "binance_spot_btcusdt_20240808.gz"
BINANCE_WHOLE = sorted(SHARED.glob("binance_feed/spot_btcusdt_20240808.gz"))
COINBASE_EXAMPLE = EXAMPLES / "crypto" / "coinbase" / "minute" / "btcusd"
COINBASE_WHOLE = sorted(SHARED.glob("lean/crypto/coinbase/minute/btcusd"))
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


def listed(symbol: str) -> Instrument:
    (found,) = (one for one in listing.instruments() if one.symbol == symbol)
    return found


def read(path: Path | str) -> list[tuple[int, MarketEvent]]:
    (feed,) = feeds_at(str(path))
    return told(feed.news(listed(feed.symbol)))


def told(news: Iterable[FeedNews]) -> list[tuple[int, MarketEvent]]:
    return [(at_ns, event) for at_ns, _, event, _ in news]


def exchange_after(events: Iterable[tuple[int, MarketEvent]]) -> Exchange:
    exchange = Exchange(msgspec.structs.replace(listing.settings(), synthetic=None))
    exchange.on(Restarted(), Instant(0, 0))
    for number, (at_ns, event) in enumerate(events):
        exchange.on(MarketEvents(events=(event,)), Instant(number, at_ns))
    return exchange


def archive(path: Path, name: str, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as content:
        content.writestr(name, text)
    return path


def recording(path: Path, *lines: object) -> Path:
    text = "".join(
        f"{number} {one if isinstance(one, str) else json.dumps(one)}\n"
        for number, one in enumerate(lines, start=1)
    )
    path.write_bytes(gzip.compress(text.encode()))
    return path


def depth_line(first: int, last: int, *bids: tuple[str, str]) -> object:
    data = {"e": "depthUpdate", "U": first, "u": last, "b": bids, "a": []}
    return {"stream": "btcusdt@depth@100ms", "data": data}


def best_line(last: int, bid: str) -> object:
    data = {"u": last, "s": "BTCUSDT", "b": bid, "B": "1", "a": "200", "A": "2"}
    return {"stream": "btcusdt@bookTicker", "data": data}


def trade_line(number: int) -> object:
    data = {"e": "trade", "t": number, "p": "100.00", "q": "1.000001", "m": True}
    return {"stream": "btcusdt@trade", "data": data}


def snapshot_line(last: int, *bids: tuple[str, str]) -> object:
    return {"lastUpdateId": last, "bids": bids, "asks": []}


def test_the_binance_sample_has_no_gaps_and_the_trades_that_were_counted() -> None:
    feed = BinanceFile(BINANCE_EXAMPLE)
    events = told(feed.news(listed("BTCUSDT")))
    assert (feed.trades, feed.trade_gaps, feed.depth_gaps) == (2_183, 0, 0)
    assert sum(isinstance(event, PublicTrade) for _, event in events) == 2_183
    times = [at_ns for at_ns, _ in events]
    assert times == sorted(times)
    first = [event for _, event in events if isinstance(event, PublicTrade)]
    assert first[0].price == 6_183_763
    assert first[0].quantity == 2_000
    assert first[0].taker is Side.SELL


@pytest.mark.parametrize("path", BINANCE_WHOLE)
def test_the_whole_binance_recording_ends_with_the_book_that_was_expected(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text())
    feed = BinanceFile(path)
    instrument = listed("BTCUSDT")
    events = told(feed.news(instrument))
    assert (feed.trades, feed.trade_gaps) == (expected["trades"], expected["id_gaps"])
    assert (feed.depth_applied, feed.depth_gaps) == (expected["depth_applied"], 0)
    assert feed.last_update == expected["last_u"]
    trades = [one for _, one in events if isinstance(one, PublicTrade)]
    volume = sum(Decimal(bar[4]) for bar in expected["bars"].values())
    assert sum(one.quantity for one in trades) * instrument.lot_size == volume
    assert max(one.price for one in trades) == max(
        instrument.price(bar[1]) for bar in expected["bars"].values()
    )
    exchange = exchange_after(one for one in events if isinstance(one[1], DepthShown))
    market = exchange.state.markets[instrument.instrument_id]
    assert [len(market.bids), len(market.asks)] == expected["levels"]
    resting = exchange.resting(instrument.instrument_id)
    bid = next(one for one in resting if one.is_buy)
    ask = next(one for one in resting if not one.is_buy)
    for text, order in ((expected["best_bid"], bid), (expected["best_ask"], ask)):
        assert order.price == instrument.price(text[0])
        assert order.leaves == instrument.quantity(text[1])


def test_a_replay_of_the_binance_sample_never_crosses_the_book() -> None:
    exchange = exchange_after(())
    instrument_id = listed("BTCUSDT").instrument_id
    for number, (at_ns, event) in enumerate(read(BINANCE_EXAMPLE)):
        exchange.on(MarketEvents(events=(event,)), Instant(number, at_ns))
        if number % 50 == 0:
            resting = exchange.resting(instrument_id)
            bids = [one.price for one in resting if one.is_buy]
            asks = [one.price for one in resting if not one.is_buy]
            assert not (bids and asks) or bids[0] < asks[0]


def test_the_coinbase_sample_has_the_rows_and_roundings_that_were_counted() -> None:
    events = read(COINBASE_EXAMPLE)
    assert sum(isinstance(one, TradeBar) for _, one in events) == 1_440
    assert sum(isinstance(one, QuoteBar) for _, one in events) == 1_436
    rounded = sum(one.off_lot_rounded for _, one in events if isinstance(one, QuoteBar))
    assert rounded == 1_179
    times = [at_ns for at_ns, _ in events]
    assert times == sorted(times)
    midnight_ns = 1_522_886_400 * SECOND_NS  # 5 April 2018
    assert times[0] == midnight_ns + MINUTE_NS
    first = events[0][1]
    assert isinstance(first, TradeBar)
    assert (first.open, first.high, first.low, first.close) == (679_168, 679_168, 677_801, 677_801)
    assert first.volume == 2_684_379_253


def test_a_folder_and_either_of_its_archives_give_the_same_day() -> None:
    whole = read(COINBASE_EXAMPLE)
    assert read(COINBASE_EXAMPLE / "20180405_trade.zip") == whole
    assert read(COINBASE_EXAMPLE / "20180405_quote.zip") == whole


@pytest.mark.parametrize("path", COINBASE_WHOLE)
def test_several_days_are_read_one_after_the_other(path: Path) -> None:
    times = [at_ns for at_ns, _ in read(path)]
    assert times == sorted(times)
    assert times[-1] - times[0] > 86_400 * SECOND_NS


def test_a_bar_is_known_at_its_end_and_trades_come_before_the_quote(tmp_path: Path) -> None:
    archive(tmp_path / "b_trade.zip", "20180405_btcusd_minute_trade.csv", "0,1,2,1,2,5\n")
    archive(tmp_path / "b_quote.zip", "20180405_btcusd_minute_quote.csv", "0,1,2,1,2,5,3,4,3,4,6\n")
    (trade_ns, trade), (quote_ns, quote) = read(tmp_path)
    assert trade_ns == quote_ns == 1_522_886_400 * SECOND_NS + MINUTE_NS
    assert isinstance(trade, TradeBar)
    assert isinstance(quote, QuoteBar)


@pytest.mark.parametrize(
    "row",
    [
        "",
        "0,1,2,1,2\n",
        "0,1,2,1,2,5,6\n",
        "x,1,2,1,2,5\n",
        "-1,1,2,1,2,5\n",
        "99999999999,1,2,1,2,5\n",
        "0,1,2,1,2,nan\n",
        "0,1,inf,1,2,5\n",
        "0,1,,1,2,5\n",
        "0,1e300,2,1,2,5\n",
        "0," + "9" * 60 + ",2,1,2,5\n",
        "0,1,2,1,2,5\n0,1,2,1,2,5\n",
        "0,1,2,1,2,5\n\n",
        "0,é,2,1,2,5\n",
        "0,1,2,1,2," + "5" * 2_000 + "\n",
    ],
)
def test_a_malformed_row_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    path = archive(tmp_path / "x_trade.zip", "20180405_btcusd_minute_trade.csv", row)
    if row == "":
        assert read(path) == []
    else:
        with pytest.raises(MarketFileError, match=r"x_trade\.zip: line \d"):
            read(path)


@pytest.mark.parametrize("name", ["x.csv", "20181341_btcusd_minute_trade.csv", "a_b_c.csv"])
def test_an_archive_with_a_strange_name_in_it_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MarketFileError):
        LeanFile(archive(tmp_path / "x.zip", name, ""))


def test_what_is_no_archive_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK nonsense")
    for path in (tmp_path / "x.zip", tmp_path / "none.zip", tmp_path / "none.gz"):
        with pytest.raises(MarketFileError):
            feeds_at(str(path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MarketFileError, match=r"no \.zip"):
        feeds_at(str(tmp_path / "empty"))


def test_a_folder_of_two_symbols_is_two_feeds(tmp_path: Path) -> None:
    archive(tmp_path / "1.zip", "20180405_btcusd_minute_trade.csv", "")
    archive(tmp_path / "2.zip", "20180405_ethusd_minute_trade.csv", "")
    assert [one.symbol for one in feeds_at(str(tmp_path))] == ["BTCUSD", "ETHUSD"]


def test_one_symbol_in_two_resolutions_is_refused(tmp_path: Path) -> None:
    archive(tmp_path / "1.zip", "20180405_btcusd_minute_trade.csv", "")
    archive(tmp_path / "2.zip", "20180405_btcusd_second_trade.csv", "")
    with pytest.raises(MarketFileError, match="1, 60 seconds"):
        feeds_at(str(tmp_path))


def test_changes_before_the_snapshot_are_kept_or_dropped_by_their_ids(tmp_path: Path) -> None:
    path = recording(
        tmp_path / "x.gz",
        depth_line(1, 3, ("100", "1")),
        depth_line(4, 6, ("101", "1")),
        snapshot_line(4, ("99", "1")),
        depth_line(7, 8, ("102", "1")),
    )
    feed = BinanceFile(path)
    events = [event for _, event in told(feed.news(listed("BTCUSDT")))]
    shown = [one.bids[0][0] for one in events if isinstance(one, DepthShown)]
    assert shown == [9_900, 10_100, 10_200]
    assert [one.is_whole for one in events if isinstance(one, DepthShown)] == [True, False, False]
    assert (feed.depth_applied, feed.depth_gaps) == (2, 0)


def test_gaps_are_counted(tmp_path: Path) -> None:
    path = recording(
        tmp_path / "x.gz",
        snapshot_line(4),
        depth_line(6, 7),
        trade_line(1),
        trade_line(3),
    )
    feed = BinanceFile(path)
    events = [event for _, event in told(feed.news(listed("BTCUSDT")))]
    assert (feed.depth_gaps, feed.trade_gaps) == (1, 1)
    again = BinanceFile(path).news(listed("BTCUSDT"))
    assert [one.is_after_gap for one in again] == [False, True, False, True]
    assert events[-1].off_lot_rounded == 1


def test_best_prices_that_are_newer_than_depth_are_said_again_after_it(tmp_path: Path) -> None:
    path = recording(
        tmp_path / "x.gz",
        snapshot_line(4),
        best_line(9, "100"),
        depth_line(5, 8, ("101", "1")),
        depth_line(9, 10, ("101", "0")),
        '{"stream":"btcusdt@kline","data":{}}',
    )
    events = [one.event for one in BinanceFile(path).news(listed("BTCUSDT"))]
    assert [type(one) for one in events] == [
        DepthShown,
        BestShown,
        DepthShown,
        BestShown,
        DepthShown,
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["no json"],
        ['{"stream":"btcusdt@trade","data":{"t":1}}'],
        ['{"stream":"btcusdt@trade","data":{"t":1,"p":"x","q":"1","m":true}}'],
        ['{"stream":"btcusdt@trade","data":{"t":1,"p":"1","q":"1","m":true,"T":-1}}'],
        ['{"bids":[]}'],
        ["[]"],
    ],
)
def test_a_malformed_line_is_refused_with_its_number(tmp_path: Path, lines: list[str]) -> None:
    path = recording(tmp_path / "x.gz", trade_line(1), *lines)
    with pytest.raises(MarketFileError, match=r"x\.gz: line 2"):
        read(path)


def test_a_line_without_a_time_and_a_recording_without_streams_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"abc {}\n"))
    with pytest.raises(MarketFileError, match="line 1"):
        read(path)
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(MarketFileError, match="no stream"):
        read(path)


def test_a_truncated_recording_is_refused_after_what_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(BINANCE_EXAMPLE.read_bytes()[:20_000])
    events = BinanceFile(path).news(listed("BTCUSDT"))
    seen: list[FeedNews] = []
    with pytest.raises(MarketFileError, match="after line"):
        seen.extend(events)
    assert seen


def test_receive_times_that_go_back_are_held(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    body = json.dumps(trade_line(1))
    path.write_bytes(gzip.compress(f"9 {body}\n5 {body}\n".encode()))
    assert [at_ns for at_ns, _ in read(path)] == [9, 9]


@given(st.binary(max_size=200))
def test_any_bytes_give_events_or_our_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gz"
        path.write_bytes(gzip.compress(b"1 " + content))
        with contextlib.suppress(MarketFileError):
            list(BinanceFile(path).news(listed("BTCUSDT")))
        path.write_bytes(content)
        with contextlib.suppress(MarketFileError):
            list(BinanceFile(path).news(listed("BTCUSDT")))
        with contextlib.suppress(MarketFileError):
            list(LeanFile(path).news(listed("BTCUSDT")))


@given(st.text(max_size=45))
def test_any_number_gives_steps_or_our_error(text: str) -> None:
    grid = Grid(listed("BTCUSD"))
    try:
        lots = grid.size(text)
    except MarketFileError:
        return
    assert lots * Decimal("0.00000001") <= Decimal(text)


@given(st.decimals(0, 10**6, places=12))
def test_a_bid_is_rounded_down_an_ask_up_and_a_trade_to_the_nearest(price: Decimal) -> None:
    grid = Grid(listed("BTCUSD"))
    text = f"{price:f}"
    bid, ask, traded = grid.bid(text), grid.ask(text), grid.traded(text)
    assert bid * Decimal("0.01") <= price <= ask * Decimal("0.01")
    assert bid <= traded <= ask <= bid + 1
