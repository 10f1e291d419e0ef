"""How many rows a second each reader of recorded feeds gives, judged by the filter and counted.

Run it with `python -m bench.feeds`. It reads the samples of examples/, and tables made of them.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tandem.core.market.facts import FeedFacts
from tandem.domain.exchange import TradeBar
from tandem.wiring.feeds import merged, open_feeds

ROUNDS = 7
EXAMPLES = Path(__file__).parent.parent / "examples" / "data"
COINBASE = EXAMPLES / "crypto" / "coinbase" / "minute" / "btcusd"
REPEATED = 20  # the day of bars, so often in one table


class Rate(NamedTuple):
    """Rows a second over several rounds."""

    name: str
    rows: int
    median: float
    lowest: float
    highest: float


def table_of(folder: Path) -> str:
    """Write a CSV table of the sample's bars, many days of them; return its place."""
    (opened,) = open_feeds([str(COINBASE)])
    instrument = opened.instrument
    path = folder / "bars.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write("time,open,high,low,close,volume\n")
        for day in range(REPEATED):
            for at_ns, _, bar, _ in merged([opened]):
                if isinstance(bar, TradeBar):
                    prices = (bar.open, bar.high, bar.low, bar.close)
                    texts = [instrument.price_text(one) for one in prices]
                    volume = instrument.quantity_text(bar.volume)
                    time_s = at_ns // 1_000_000_000 - 60 + day * 86_400
                    out.write(f"{time_s},{','.join(texts)},{volume}\n")
    return f"{path}?symbol=BTCUSD&span=1m"


def measure(name: str, place: str) -> Rate:
    """Read the feeds at `place` several times."""
    rates = []
    rows = 0
    for _ in range(ROUNDS):
        opened = open_feeds([place])
        facts = FeedFacts(name, None)
        begun = time.perf_counter()
        for news in merged(opened):
            facts.note(news)
        rates.append(facts.rows / (time.perf_counter() - begun))
        rows = facts.rows
    return Rate(name, rows, statistics.median(rates), min(rates), max(rates))


def main() -> None:
    """Print a line for each reader."""
    with tempfile.TemporaryDirectory() as folder:
        for name, place in (
            ("Binance streams", str(EXAMPLES / "binance_spot_btcusdt_20240808.gz")),
            ("LEAN trades and quotes", str(COINBASE)),
            ("CSV bars", table_of(Path(folder))),
        ):
            one = measure(name, place)
            spread = f"{one.lowest:,.0f} to {one.highest:,.0f}"
            print(f"{name:<24} {one.rows:>7} rows  {one.median:>9,.0f} rows/s  ({spread})")


if __name__ == "__main__":
    main()
