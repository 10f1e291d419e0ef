"""Real feeds through the market core: their bars are the venues' own, however they are told.

The large recordings lie beside the repository on some machines only; the sample in examples/ is
everywhere.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tandem.core.market.chain import Chain
from tandem.domain.bars import Bar, Span
from tests.contract.bars_run import (
    EXAMPLES,
    SHARED,
    Run,
    clean_run,
    compared,
    recording_of,
    spoiled_run,
)
from tests.unit.core.market.market_words import MINUTE, bar
from tests.unit.core.market.plain_bars import naive, numbers_of

COINBASE = SHARED / "lean/crypto/coinbase"
SAMPLE = EXAMPLES / "crypto/coinbase/minute/btcusd/20180405_trade.zip"


def found(pattern: str) -> list[Path]:
    return sorted(SHARED.glob(pattern))


def bars_of(run: Run, span: Span) -> list[Bar]:
    return [bar for (of, _), bar in sorted(run.series().items()) if of is span]


def own_bars(place: Path, span: Span) -> dict[int, Bar]:
    """Return a recording's own bars, by their begins."""
    return {one.begin_ns: one for one in bars_of(clean_run(recording_of(place)), span)}


@pytest.mark.parametrize("folder", found("lean/crypto/coinbase/second/btcusd"))
@pytest.mark.parametrize(("day", "rows", "made"), [(7, 4_063, 1_419), (8, 3_453, 1_400)])
def test_seconds_make_the_minutes_and_days_that_the_venue_has(
    folder: Path, day: int, rows: int, made: int
) -> None:
    """A26, B8, B10: second → minute → day, volumes to 1e-8."""
    name = f"2016100{day}_trade.zip"
    recording = recording_of(folder / name)
    run = clean_run(recording)
    minutes = bars_of(run, Span.M1)
    assert (len(recording.words), len(minutes)) == (rows, made)
    assert minutes == bars_of(clean_run(recording_of(COINBASE / "minute/btcusd" / name)), Span.M1)
    (whole,) = bars_of(run, Span.D1)
    assert whole == own_bars(COINBASE / "daily/btcusd_trade.zip", Span.D1)[whole.begin_ns]


@pytest.mark.parametrize("folder", found("lean/crypto/coinbase/minute/btcusd"))
@pytest.mark.parametrize("day", ["20170903", "20170904", "20180405", "20180406"])
def test_minutes_make_the_days_that_the_venue_has(folder: Path, day: str) -> None:
    """A26, B10."""
    (whole,) = bars_of(clean_run(recording_of(folder / f"{day}_trade.zip")), Span.D1)
    assert whole == own_bars(COINBASE / "daily/btcusd_trade.zip", Span.D1)[whole.begin_ns]


@pytest.mark.parametrize("path", found("binance_feed/spot_btcusdt_20240808.gz"))
def test_trades_make_the_bars_that_the_venue_has(path: Path) -> None:
    """A26, B8: 9,757 trades of Binance."""
    recording = recording_of(path)
    expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text())["bars"]
    instrument = recording.instrument
    bars = {}
    for one in bars_of(clean_run(recording), Span.M1):
        prices = (one.open, one.high, one.low, one.close)
        texts = [Decimal(instrument.price_text(price)) for price in prices]
        volume = Decimal(instrument.quantity_text(one.volume))
        bars[str(one.begin_ns // 1_000_000)] = [*texts, volume]
    assert bars == {begin: [Decimal(text) for text in one[:5]] for begin, one in expected.items()}


@pytest.mark.parametrize(
    "path",
    [
        SAMPLE,
        *found("lean/crypto/coinbase/second/btcusd/20161007_trade.zip"),
        *found("lean/crypto/coinbase/daily/btcusd_trade.zip"),
        *found("bitfinex/tBTCUSD_1m_2*.json"),
        *found("binance_feed/spot_btcusdt_20240808.gz"),
    ],
    ids=lambda path: path.name,
)
def test_spoiled_feeds_make_the_bars_of_the_clean_ones(path: Path) -> None:
    """B9, B11, B12, F17: repeated, reordered, corrected, broken off and asked for again."""
    bars, _, _ = compared(recording_of(path), range(3))
    assert bars > 20


def test_a_spoiled_feed_is_asked_for_what_it_left_out_and_corrects_what_is_final() -> None:
    """B12: what the comparison rests on does happen."""
    run = spoiled_run(recording_of(SAMPLE), 1)
    assert run.questions
    assert any(one.revision for one in run.finals)


def test_a_year_of_minutes_makes_what_plain_resampling_makes() -> None:
    """B10: every span, with a tenth of the minutes absent; only closed bars are final."""
    first = Span.D1.begin_ns(1_700_000_000_000_000_000) // MINUTE
    minutes = [
        bar(first + n, 100 + n * 7 % 31, 140 + n % 3, 90 + n % 5, 100 + n * 11 % 37, volume=n % 9)
        for n in range(365 * 1_440)
        if n * 2_654_435_761 % 2**32 % 10
    ]
    chain = Chain(Span.M1)
    chain.begin(minutes[0].begin_ns)
    finals = [final for one in minutes for final in chain.add(one)]
    assert numbers_of(finals) == naive(minutes, closed_ns=minutes[-1].end_ns)
