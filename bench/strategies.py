"""What strategies cost on each bar: `python -m bench.strategies`.

Each load runs in a process of its own, so that its memory is its own. A figure is the processor's
time, from the bar to the answers. Beside the engine that stays stands the paper's way, a new
virtual machine and the whole history again for each evaluation (its database read left out).
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bench.figures import Row, table
from tandem.domain.bars import Bar, Span
from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.engine import Engine, SeriesId
from tandem.strategies.fresh import Case, Listed, evaluate
from tests.unit.strategies.market import bars, instrument, walk

HISTORY = 500
ROUNDS = 7
ALONE_BARS = 20_000
LUA = """\
-- {number}
local sma = ta.sma({sma})
local ema = ta.ema({ema})
if sma() > ema() then return "short" else return "long" end
"""
PYTHON = """\
def decide(ta):
    if ta.sma({sma})() > ta.ema({ema})():
        return "short"
    return "long"
"""


class Load(msgspec.Struct, frozen=True):
    """So many texts, each on every series or on one of them alone."""

    texts: int
    series: int
    is_everywhere: bool
    language: Language = Language.LUA


LOADS = {
    "alone": Load(1, 1, True),
    "alone in Python": Load(1, 1, True, Language.PYTHON),
    "1,000 on 200": Load(1_000, 200, True),
    "10,000 of their own": Load(10_000, 200, False),
}


class Figures(msgspec.Struct):
    """Of each round: seconds a bar of all series; and memory."""

    bar_s: list[float]
    pairs: int
    first_s: float
    resident_mb: float
    pair_bytes: float


def text(number: int, language: Language) -> StrategyText:
    """Return one of many texts; indicators of 64 periods are shared among them."""
    shape = LUA if language is Language.LUA else PYTHON
    body = shape.format(number=number, sma=2 + number % 64, ema=2 + number * 7 % 64)
    return StrategyText(name=f"s{number}", language=language, text=body)


def measure(load: Load) -> Figures:
    """Return what a load costs."""
    rounds = ALONE_BARS // ROUNDS if load.series == 1 else 1
    market = bars(walk(HISTORY + ROUNDS * rounds + 1))
    engine = Engine()
    names = [SeriesId(f"s{number}") for number in range(load.series)]
    for name in names:
        engine.open_series(name, instrument(), Span.M1, market[:HISTORY])
    before_mb = _resident_mb()
    pairs = _attach(engine, load, names)
    first_s = _bar_s(engine, names, market[HISTORY : HISTORY + 1])
    later = market[HISTORY + 1 :]
    found = [
        _bar_s(engine, names, later[at : at + rounds]) / rounds
        for at in range(0, len(later), rounds)
    ]
    after_mb = _resident_mb()
    return Figures(
        bar_s=found,
        pairs=pairs,
        first_s=first_s,
        resident_mb=after_mb,
        pair_bytes=(after_mb - before_mb) * 2**20 / pairs,
    )


def _attach(engine: Engine, load: Load, names: list[SeriesId]) -> int:
    pairs = 0
    for number in range(load.texts):
        one = text(number, load.language)
        engine.load(one)
        chosen = names if load.is_everywhere else [names[number % len(names)]]
        for name in chosen:
            engine.attach(pairs, one.text_hash, name, parameters={}, others={})
            pairs += 1
    return pairs


def _bar_s(engine: Engine, names: list[SeriesId], later: list[Bar]) -> float:
    begin = time.process_time()
    for bar in later:
        for name in names:
            engine.on_bar(name, bar)
    return time.process_time() - begin


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def fresh_us() -> list[float]:
    """Return microseconds for one evaluation in the paper's way, one for each round."""
    market = bars(walk(HISTORY))
    own = Listed(instrument=instrument(), span=Span.M1, bars=market)
    found = []
    for number in range(ROUNDS):
        case = Case(text=text(number, Language.LUA))
        begin = time.process_time()
        for _ in range(20):
            evaluate(case, own)
        found.append((time.process_time() - begin) / 20 * 1e6)
    return found


def in_own_process(name: str) -> Figures:
    """Return what a load costs, measured in a process that does nothing else."""
    command = [sys.executable, "-m", "bench.strategies", "--load", name]
    return msgspec.json.decode(subprocess.check_output(command), type=Figures)


def rows(found: dict[str, Figures], fresh: list[float]) -> list[Row]:
    """Return the figures beside their limits."""
    alone, in_python = found["alone"], found["alone in Python"]
    many, own = found["1,000 on 200"], found["10,000 of their own"]
    each = [one / many.pairs * 1e6 for one in many.bar_s]
    return [
        Row(name="one in Lua with two indicators, a bar", unit="µs", limit=3.0, values=_us(alone)),
        Row(name="… in Python", unit="µs", values=_us(in_python)),
        Row(name="1,000 × 200 instruments, a bar", unit="s", limit=0.4, values=many.bar_s),
        Row(name="… for each evaluation", unit="µs", values=each),
        Row(name="… the first bar, indicators begun", unit="s", values=[many.first_s]),
        Row(name="… the process's memory", unit="MB", limit=400, values=[many.resident_mb]),
        Row(name="… for each pair", unit="bytes", values=[many.pair_bytes]),
        Row(name="10,000 different scripts, a bar", unit="s", values=own.bar_s),
        Row(name="… for each script", unit="bytes", limit=2_500, values=[own.pair_bytes]),
        Row(name="the paper's way, an evaluation", unit="µs", values=fresh),
        Row(name="… 1,000 × 200 by that", unit="s", values=[one * 0.2 for one in fresh]),
    ]


def figures(found: dict[str, Figures], fresh: list[float]) -> dict[str, float]:
    """Return what the large table shows of them."""
    many = found["1,000 on 200"]
    return {
        "alone_us": statistics.median(_us(found["alone"])),
        "many_s": statistics.median(many.bar_s),
        "many_mb": many.resident_mb,
        "fresh_s": statistics.median(fresh) * 0.2,
        "script_bytes": found["10,000 of their own"].pair_bytes,
    }


def _us(one: Figures) -> list[float]:
    return [seconds * 1e6 for seconds in one.bar_s]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.strategies", description=__doc__)
    options.add_argument("folder", nargs="?", help="not needed: nothing is written")
    options.add_argument("--load", choices=LOADS, help="measure one alone, and print it as JSON")
    options.add_argument("--json", action="store_true", help="for the large table")
    asked = options.parse_args()
    if asked.load is not None:
        print(msgspec.json.encode(measure(LOADS[asked.load])).decode())
        return
    found = {name: in_own_process(name) for name in LOADS}
    fresh = fresh_us()
    made = rows(found, fresh)
    if asked.json:
        print(msgspec.json.encode(figures(found, fresh)).decode())
        return
    print(table(made))


if __name__ == "__main__":
    main()
