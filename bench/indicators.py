"""What a bar costs an indicator that is fed bar by bar: `python -m bench.indicators [--all]`.

Each is begun on a history of 2,000 bars and fed BARS more, with its usual parameters. A figure is
the processor's time for a bar, from the call to what it returned; the loop around it is in it.
Beside the limit stand the median over TA-Lib's indicators and some that strategies like; with
`--all` every one is shown, the slowest first. The last row is a history begun again, as when a
strategy is assigned.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import msgspec

from bench.figures import Row, table
from tandem.strategies import ta
from tests.unit.strategies.ta.markets import bars_of, market, until

HISTORY = 2_000
BARS = 10_000
ROUNDS = 5
LIMIT_US = 0.5
LIKED = ("sma", "ema", "rsi", "macd", "bbands", "atr", "stoch", "adx", "donchian", "supertrend")


def measure(name: str) -> list[float]:
    """Return microseconds a bar, one for each round."""
    indicator = ta.find(name)
    columns = market("walk", bars=HISTORY + BARS)
    history, bars = until(columns, HISTORY), bars_of(indicator, columns)[HISTORY:]
    return [_round(indicator, history, bars) for _ in range(ROUNDS)]


def _round(
    indicator: ta.Indicator, history: dict[str, ta.Array], bars: Sequence[tuple[float, ...]]
) -> float:
    update = ta.stream(indicator, (), history).update
    began = time.process_time_ns()
    for bar in bars:
        update(*bar)
    return (time.process_time_ns() - began) / len(bars) / 1_000


def begun(name: str) -> list[float]:
    """Return microseconds for beginning on the history, one for each round."""
    columns = until(market("walk", bars=HISTORY), HISTORY)
    found = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(100):
            ta.stream(ta.find(name), (), columns)
        found.append((time.process_time_ns() - began) / 100 / 1_000)
    return found


def rows(measured: dict[str, list[float]]) -> list[Row]:
    """Return the figures beside the limit."""
    ours = [name for name in measured if ta.catalogue[name].own is not None]
    library = [name for name in measured if name not in ours]
    middles = [statistics.median(measured[name]) for name in library]
    slow = sorted(library, key=lambda name: -statistics.median(measured[name]))
    over = sum(middle > LIMIT_US for middle in middles)
    made = [
        Row(
            name=f"TA-Lib's {len(library)} indicators, the median one",
            unit="µs",
            values=middles,
            limit=LIMIT_US,
        ),
        Row(name="of them over 0.5 µs", unit="", values=[over], is_counted=True),
    ]
    for name in LIKED:
        made.append(Row(name=f"ta.{name}", unit="µs", values=measured[name], limit=LIMIT_US))
    made += [Row(name=f"slowest: ta.{name}", unit="µs", values=measured[name]) for name in slow[:4]]
    made += [
        Row(name=f"not TA-Lib's: ta.{name}", unit="µs", values=measured[name]) for name in ours
    ]
    made.append(Row(name=f"ta.ema begun on {HISTORY} bars", unit="µs", values=begun("ema")))
    return made


def figures(measured: dict[str, list[float]]) -> dict[str, float]:
    """Return what the large table shows of them."""
    middles = {name: statistics.median(values) for name, values in measured.items()}
    return {
        "median_us": statistics.median(middles.values()),
        "liked_us": max(middles[name] for name in LIKED),
        "slowest_us": max(middles.values()),
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", help="not needed: nothing is written")
    options.add_argument("--all", action="store_true", help="show every indicator")
    options.add_argument("--json", action="store_true", help="for the large table")
    asked = options.parse_args()
    names = sorted({one.name for one in ta.catalogue.values()})
    measured = {name: measure(name) for name in names}
    if asked.json:
        print(msgspec.json.encode(figures(measured)).decode())
        return
    if asked.all:
        for name in sorted(names, key=lambda name: -statistics.median(measured[name])):
            print(f"{statistics.median(measured[name]):7.3f} µs  ta.{name}")
    print(table(rows(measured)))


if __name__ == "__main__":
    main()
