"""Every kind of recorded feed behind one port: real data gives its facts; junk, an error.

The large recordings lie beside the repository on some machines only. Their facts are checked
there; the samples in examples/, and files made here, are checked everywhere.
"""

import contextlib
import gzip
import json
import tempfile
import zipfile
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.replays.files import feeds_at
from tandem.core.market.facts import FeedFacts
from tandem.core.matching import listing
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import BestShown, PublicTrade, QuoteBar, TradeBar
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.ports import Feed

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "data"
SHARED = ROOT.parent / "shared" / "data"
LEAN = SHARED / "lean"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
COIN = next(one for one in listing.instruments() if one.symbol == "BTCUSD")
APRIL_5 = 1_522_886_400 * SECOND


def only(place: Path | str) -> Feed:
    (feed,) = feeds_at(str(place))
    return feed


def read(place: Path | str, instrument: Instrument = COIN) -> list[FeedNews]:
    return list(only(place).news(instrument))


def facts_of(place: Path | str) -> FeedFacts:
    feed = only(place)
    facts = FeedFacts(feed.symbol, feed.span_ns)
    for news in feed.news(COIN):
        facts.note(news)
    return facts


def archive(path: Path, name: str, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as content:
        content.writestr(name, text)
    return path


def table(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return path


# -- LEAN, all resolutions and classes


def test_hours_and_days_begin_as_their_rows_say_and_are_known_at_their_ends(
    tmp_path: Path,
) -> None:
    """A26: LEAN's hour and daily archives hold everything in one file."""
    text = "20180405 00:00,1,2,1,2,5\n20180405 02:00,2,3,2,3,6\n"
    hours = only(archive(tmp_path / "crypto/x/hour/btcusd_trade.zip", "btcusd.csv", text))
    assert (hours.symbol, hours.span_ns, hours.asset_class) == ("BTCUSD", HOUR, AssetClass.CRYPTO)
    assert [one.at_ns for one in hours.news(COIN)] == [APRIL_5 + HOUR, APRIL_5 + 3 * HOUR]
    text = "20180405 00:00,1,2,1,2,5,3,4,3,4,6\n"
    name = "adausdt_quote_perp.csv"
    (day,) = read(archive(tmp_path / "cryptofuture/x/daily/adausdt_quote.zip", name, text))
    assert (day.at_ns, type(day.event)) == (APRIL_5 + DAY, QuoteBar)


def test_forex_has_quotes_only_and_sizes_that_nobody_told(tmp_path: Path) -> None:
    text = "20180405 00:00,1,2,1,2,0,3,4,3,4,0\n"
    feed = only(archive(tmp_path / "forex/oanda/daily/eurusd.zip", "eurusd.csv", text))
    assert feed.asset_class is AssetClass.FOREX
    (news,) = feed.news(COIN)
    assert isinstance(news.event, QuoteBar)
    assert news.event.bid_quantity == COIN.quantity("1000000")


def test_us_equities_are_in_ten_thousandths_and_new_york_time(tmp_path: Path) -> None:
    """A29: a session of NASDAQ and NYSE opens at 13:30 UTC in summer, at 14:30 in winter."""
    share = next(one for one in listing.instruments() if one.symbol == "AAPL")
    row = "34200000,1251300,1252000,1250900,1251950,700\n"
    folder = tmp_path / "equity/usa/minute/aapl"
    name = "20180405_aapl_minute_trade.csv"
    (summer,) = read(archive(folder / "20180405_trade.zip", name, row), share)
    assert summer.at_ns == APRIL_5 + 13 * HOUR + 31 * MINUTE
    assert isinstance(summer.event, TradeBar)
    assert share.price_text(summer.event.open) == "125.13"
    assert share.price_text(summer.event.close) in ("125.19", "125.20")
    name = "20180105_aapl_minute_trade.csv"
    (winter,) = read(archive(tmp_path / "equity/usa/minute/b/c.zip", name, row), share)
    assert winter.at_ns == APRIL_5 - 90 * DAY + 14 * HOUR + 31 * MINUTE
    text = "20180310 00:00,1,2,1,2,5\n20180311 00:00,1,2,1,2,5\n20180312 00:00,1,2,1,2,5\n"
    days = read(archive(tmp_path / "equity/usa/daily/aapl.zip", "aapl.csv", text), share)
    first, second, third = (one.at_ns for one in days)
    assert (second - first, third - second) == (23 * HOUR, DAY)


@pytest.mark.parametrize(
    "row",
    [
        "20180405,1,2,1,2,5\n",
        "20181305 00:00,1,2,1,2,5\n",
        "20180405 25:00,1,2,1,2,5\n",
        "20180405 00:00,1,2,1,2\n",
        "20180405 01:00,1,2,1,2,5\n20180405 01:00,1,2,1,2,5\n",
    ],
)
def test_a_malformed_row_of_hours_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    path = archive(tmp_path / "crypto/x/hour/btcusd_trade.zip", "btcusd.csv", row)
    with pytest.raises(MarketFileError, match=r"btcusd_trade\.zip: line \d"):
        read(path)


def test_a_whole_file_outside_of_hour_and_daily_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketFileError, match="folder hour or daily"):
        feeds_at(str(archive(tmp_path / "btcusd_trade.zip", "btcusd.csv", "")))


# -- tables


def test_a_table_of_bars_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    """A26: CSV; the time is guessed, or said."""
    path = table(
        tmp_path / "x.csv",
        "Timestamp,Open,High,Low,Close,Volume,Other",
        "2018-04-05 00:00:00.000000,10.0,12.5,9,11,3,x",
        "2018-04-05 00:01:00.000000,11,11,11,11,0.5,y",
    )
    feed = only(f"{path}?symbol=btcusd&span=1m")
    assert (feed.symbol, feed.span_ns) == ("BTCUSD", MINUTE)
    first, second = feed.news(COIN)
    assert (first.at_ns, first.told_ns) == (APRIL_5 + MINUTE, APRIL_5 + MINUTE)
    assert isinstance(first.event, TradeBar)
    assert (first.event.open, first.event.high) == (1_000, 1_250)
    assert isinstance(second.event, TradeBar)
    assert second.event.volume == 50_000_000
    (early, _) = read(f"{path}?symbol=BTCUSD&span=1m&stamp=end&zone=America/New_York")
    assert early.at_ns == APRIL_5 + 4 * HOUR


@pytest.mark.parametrize(
    ("time", "clock"),
    [
        ("1522886400", ""),
        ("1522886400.0", ""),
        ("1522886400000", ""),
        ("1522886400000000", ""),
        ("1522886400000000000", ""),
        ("1522886400", "&clock=s"),
        ("2018-04-05", ""),
        ("2018-04-05T02:00:00+02:00", "&clock=iso"),
    ],
)
def test_times_may_be_counts_or_words(tmp_path: Path, time: str, clock: str) -> None:
    path = table(tmp_path / "x.csv", "ts,price,size,side", f"{time},10,1,SELL")
    (news,) = read(f"{path}?symbol=BTCUSD{clock}")
    assert news.at_ns == APRIL_5
    assert isinstance(news.event, PublicTrade)
    assert news.event.taker is Side.SELL


def test_quotes_and_trades_are_known_by_their_columns(tmp_path: Path) -> None:
    path = table(tmp_path / "q.csv", "t,bid,ask,bid_size,ask_size", "5,1,2,3,4")
    (quote,) = read(f"{path}?symbol=BTCUSD&time=t&clock=s")
    assert isinstance(quote.event, BestShown)
    assert quote.event.ask == (200, 400_000_000)
    path = table(tmp_path / "t.csv", "time,price,qty", "7,1,2")
    (trade,) = read(f"{path}?symbol=BTCUSD&clock=ns")
    assert isinstance(trade.event, PublicTrade)
    assert (trade.at_ns, trade.event.taker) == (7, None)


def test_a_volume_in_quote_units_is_turned_into_base_units(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "time,open,high,low,close,volume", "60,4,5,4,5,10")
    (news,) = read(f"{path}?symbol=BTCUSD&span=1m&clock=s&volume_in=quote")
    assert isinstance(news.event, TradeBar)
    assert news.event.volume == 200_000_000


def test_a_time_that_goes_back_is_held_and_left_to_the_filter(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "time,bid,ask,bid_size,ask_size", "9,1,2,1,1", "5,1,3,1,1", "")
    place = f"{path}?symbol=BTCUSD&clock=s"
    assert [(one.at_ns, one.told_ns) for one in read(place)] == [
        (9 * SECOND, 9 * SECOND),
        (9 * SECOND, 5 * SECOND),
    ]
    assert facts_of(place).watch.filter.faults == {"backwards": 1}


@pytest.mark.parametrize(
    ("header", "row", "options", "words"),
    [
        ("time,price,size", "5,1,2", "", "whose prices"),
        ("time,price", "5,1", "?symbol=A", "expected time and open high low close volume"),
        ("time,open,high,low,close,volume", "5,1,1,1,1,1", "?symbol=A", "how long is a bar"),
        ("time,open,high,low,close,volume", "5,1,1,1,1,1", "?symbol=A&span=0m", "expected such"),
        ("time,open,high,low,close,volume", "5,1,1,1,1,1", "?symbol=A&span=9y", "expected such"),
        ("time,price,size", "5,1,2", "?symbol=A&nonsense=1", "'nonsense=1' behind"),
        ("time,price,size", "5,1,2", "?symbol=A&symbol=B", "once"),
        ("time,price,size", "5,1,2", "?symbol", "NAME=VALUE"),
        ("time,price,size", "5,1,2", "?symbol=A&time=when", "no column 'when'"),
        ("time,price,size", "5,1,2", "?symbol=A&class=art", "expected one of crypto"),
        ("time,price,size", "5,1,2", "?symbol=A&zone=Mars/Base", "America/New_York"),
        ("time,price,size", "5,1,2", "?symbol=A&zone=../x", "America/New_York"),
        ("time,price,size", "5,1", "?symbol=A", "line 2: 2 columns, expected 3"),
        ("time,price,size", "x,1,2", "?symbol=A", "line 2: time 'x'"),
        ("time,price,size", "1900-01-01,1,2", "?symbol=A", "before 1970"),
        ("time,price,size", "0,1,2", "?symbol=A", "a count of s"),
        ("time,price,size", "1e99,1,2", "?symbol=A&clock=s", "a count of s"),
        ("time,price,size", "5,x,2", "?symbol=A", "line 2: 'x' is no price"),
        ("time,price,size,side", "5,1,2,up", "?symbol=A", "side 'up', expected buy or sell"),
        (
            "time,open,high,low,close,volume",
            "5,1,1,1,0,1",
            "?symbol=A&span=1s&volume_in=quote",
            "no",
        ),
        ("", "", "?symbol=A", "names of the columns"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, header: str, row: str, options: str, words: str
) -> None:
    path = table(tmp_path / "x.csv", header, row)
    with pytest.raises(MarketFileError, match=words) as caught:
        read(f"{path}{options}")
    assert "x.csv" in str(caught.value)


def test_a_damaged_table_is_refused_after_what_could_be_read(tmp_path: Path) -> None:
    text = "time,price,size\n" + "".join(f"{n},1,2\n" for n in range(1, 50_000))
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(text.encode())[:-2_000])
    with pytest.raises(MarketFileError, match="after line"):
        read(f"{path}?symbol=A")
    (tmp_path / "y.csv").write_bytes(b"time,price,size\n5,\xff,1\n")
    with pytest.raises(MarketFileError, match=r"y\.csv"):
        read(f"{tmp_path / 'y.csv'}?symbol=A")


@given(st.binary(max_size=200))
def test_any_bytes_give_news_or_our_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("x.csv", "tBTCUSD_1m.json"):
            path = Path(folder) / name
            path.write_bytes(b"time,price,size\n" * (name == "x.csv") + content)
            with contextlib.suppress(MarketFileError):
                read(f"{path}?symbol=BTCUSD")


# -- Parquet


def test_a_parquet_table_is_read_like_any_other(tmp_path: Path) -> None:
    """A26: Parquet through DuckDB."""
    path = tmp_path / "x.parquet"
    rows = "(TIMESTAMP '2018-04-05 00:00:00', 10.25, 0.5), (TIMESTAMP '2018-04-05 00:00:01', 11, 1)"
    table = f'FROM (VALUES {rows}) AS t(time, price, "si""ze")'
    duckdb.sql(f"COPY ({table}) TO '{path}' (FORMAT parquet)")
    first, second = read(f'{path}?symbol=BTCUSD&size=si"ze')
    assert (first.at_ns, second.at_ns) == (APRIL_5, APRIL_5 + SECOND)
    assert isinstance(first.event, PublicTrade)
    assert (first.event.price, first.event.quantity) == (1_025, 50_000_000)
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(MarketFileError, match=r"x\.parquet"):
        read(f"{path}?symbol=BTCUSD")


def test_without_duckdb_parquet_is_refused_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.adapters.replays.parquet.find_spec", lambda _: None)
    (tmp_path / "x.parquet").write_bytes(b"")
    with pytest.raises(MarketFileError, match=r"pip install 'tandem-trading\[parquet\]'"):
        feeds_at(str(tmp_path / "x.parquet"))


# -- candles


def test_candles_are_read_in_both_orders(tmp_path: Path) -> None:
    candles = [[60_000 * n, 10 + n, 11 + n, 12 + n, 9 + n, 1.25] for n in range(1, 4)]
    path = tmp_path / "tBTCUSD_1m_x.json"
    path.write_text(json.dumps(candles))
    rising = read(path)
    assert [one.at_ns for one in rising] == [2 * MINUTE, 3 * MINUTE, 4 * MINUTE]
    event = rising[0].event
    assert isinstance(event, TradeBar)
    assert (event.open, event.close, event.high, event.low) == (1_100, 1_200, 1_300, 1_000)
    path.write_text(json.dumps(candles[::-1]))
    assert read(path) == rising
    other = tmp_path / "x.json"
    other.write_text(json.dumps(candles))
    assert [one.at_ns for one in read(f"{other}?symbol=BTCUSD&span=1m")] == [
        one.at_ns for one in rising
    ]
    with pytest.raises(MarketFileError, match="expected a name such as"):
        feeds_at(str(other))


@pytest.mark.parametrize(
    "content",
    [
        *("{}", "[[1,2]]", "[[1,1,1,1,1,true]]", "[[-1,1,1,1,1,1]]", "[[1,1e300,1,1,1,1]]"),
        *("[[1,1,1,1,1,1],[1,1,1,1,1,1]]", "[[1,1,1,1,1,1],[5,1,1,1,1,1],[3,1,1,1,1,1]]"),
    ],
)
def test_malformed_candles_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tBTCUSD_1m.json"
    path.write_text(content)
    with pytest.raises(MarketFileError, match="tBTCUSD_1m"):
        read(path)


def test_what_no_reader_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    archive(tmp_path / "a.zip", "20180405_btcusd_minute_trade.csv", "")
    for place, words in (
        ("x.txt", r"expected \.zip, \.csv"),
        ("none.csv", "no such file"),
        ("a.zip?symbol=A", "without a"),
        ("?symbol=A", "says all by itself"),
    ):
        with pytest.raises(MarketFileError, match=words):
            feeds_at(f"{tmp_path}{'' if place[0] == '?' else '/'}{place}")


# -- the facts that the collectors of the real data counted


def found(pattern: str) -> list[Path]:
    return sorted(SHARED.glob(pattern))


@pytest.mark.parametrize("path", found("lean/crypto/bitfinex/hour/btcusd_trade.zip"))
def test_october_2013_has_733_hours_and_7_gaps(path: Path) -> None:
    facts = facts_of(path)
    assert (facts.rows, facts.gaps) == (733, 7)
    ends = [one.at_ns for one in read(path)]
    gaps = [before for before, after in pairwise(ends) if after - before > HOUR]
    assert max(gaps) < ends[0] + 27 * DAY


@pytest.mark.parametrize("path", found("bitfinex/tBTCUSD_1m_2*.json"))
def test_bitfinex_sends_no_candle_for_an_empty_minute(path: Path) -> None:
    facts = facts_of(path)
    expected = (288, 53, 70) if "sparse" in path.name else (1_000, 0, 0)
    assert (facts.rows, facts.gaps, facts.missing) == expected


@pytest.mark.parametrize("path", found("btc_perp_1m_*.csv.gz"))
def test_a_month_of_minutes_of_a_perpetual_has_no_gap(path: Path) -> None:
    facts = facts_of(f"{path}?symbol=BTCUSD&span=1m&volume_in=quote")
    assert (facts.rows, facts.gaps, facts.watch.filter.faults) == (45_031, 0, {})


@pytest.mark.parametrize("path", found("binance_feed/spot_btcusdt_20240808.gz"))
def test_the_busiest_second_of_a_sudden_fall_is_no_burst(path: Path) -> None:
    """A49: a raw feed."""
    instrument = next(one for one in listing.instruments() if one.symbol == "BTCUSDT")
    facts = FeedFacts("BTCUSDT", None)
    for one in only(path).news(instrument):
        facts.note(one)
    assert facts.watch.filter.faults.keys() <= {"repeated"}
    assert (facts.watch.burst.bursts, facts.watch.burst.most) == (0, 1_363)


@pytest.mark.parametrize(
    "path", [one for one in found("lean/*/*/*/**/*.zip") if "equity" not in one.parts]
)
def test_every_archive_of_lean_can_be_read(path: Path) -> None:
    coarse = msgspec.structs.replace(COIN, tick_size=Decimal("0.00001"), lot_size=Decimal("0.0001"))
    times = [one.at_ns for one in read(path, coarse)]
    assert times == sorted(times)
    assert times
