"""Thousands of strategies on hundreds of instruments: `python -m tests.system.fleet`.

A pool on a made-up market of many instruments, at many times the speed of life; every strategy is
assigned to every instrument, and evaluators are killed on the way. Judged afterwards by the
journal of decisions and the store of bars: every final bar that came after the assignments was
decided on exactly once, for everybody. Printed as well: how long evaluators and desk took.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

import msgspec

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.core.matching import listing
from tandem.domain.bars import Span
from tandem.domain.commands import Assign, Refused, SaveStrategy, SetTargets
from tandem.domain.commands import Command as DeskCommand
from tandem.domain.deciding import BarsFinal, CommandSettled, Decided, Evaluate, Send
from tandem.domain.desk import Commanded
from tandem.domain.evaluation import TaskKey
from tandem.domain.exchange import CandlesTold, SyntheticBook, SyntheticMarket
from tandem.domain.ids import CommandId, InstrumentId, Lots, SlotId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    StrategyText,
)
from tandem.shells.coordinator import DeskRecord
from tandem.shells.deciding import DeciderRecord
from tandem.shells.exchange import ExchangeRecord
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records, desk_records, records, verify_journals
from tandem.wiring.settings import Settings, new_paper
from tandem.wiring.strategies import bars_file
from tests.system.running import pool, processes, stop

TOGETHER: Final = 100  # commands that wait for an answer at a time
WORKERS: Final = 5
LATER_S: Final = 4.0
Rows = list[tuple[str, object]]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is run; `kills` evaluators are killed, evenly spread."""

    instruments: int
    strategies: int
    minutes: int
    speed: int
    evaluators: int
    kills: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal and the store say."""

    keys: int
    bars: int
    decisions: int
    lost: int
    repeated: int
    said: int
    commands: int
    refused: int
    asked_again: int
    answer_ms: Sequence[float]
    desk_ms: Sequence[float]
    orders_ms: Sequence[float]

    @property
    def is_right(self) -> bool:
        return not self.lost and not self.repeated and self.bars > 0 and self.decisions > 0


def write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def instruments_of(count: int) -> tuple[Instrument, ...]:
    """Return so many shares."""
    return tuple(
        Instrument(
            instrument_id=InstrumentId(f"paper:S{number:03}"),
            symbol=f"S{number:03}",
            venue_id=listing.PAPER,
            market_id=listing.EQUITIES,
            base=f"S{number:03}",
            quote="USD",
            tick_size=Decimal("0.01"),
            lot_size=Decimal(1),
        )
        for number in range(count)
    )


def prepare(home: Home, count: int) -> tuple[Instrument, ...]:
    """Make a home whose exchange lists so many instruments and makes their market up."""
    instruments = instruments_of(count)
    paper = new_paper(Settings(accounts=WORKERS - 1, cash=Decimal(1_000_000_000)), None)
    accounts = tuple(
        msgspec.structs.replace(
            one,
            cash={"USD": Decimal(1_000_000_000)},
            positions={instrument.instrument_id: 1_000 for instrument in instruments},
        )
        for one in paper.exchange.accounts
    )
    books = tuple(
        SyntheticBook(
            instrument_id=one.instrument_id,
            reference=Ticks(5_000 + 10 * number),
            stride=Ticks(1),
            depth=Lots(2_000),
        )
        for number, one in enumerate(instruments)
    )
    exchange = msgspec.structs.replace(
        paper.exchange,
        instruments=instruments,
        accounts=accounts,
        synthetic=SyntheticMarket(books=books, step_ns=500_000_000),
    )
    home.make()
    paper = msgspec.structs.replace(paper, exchange=exchange)
    home.paper_file.write_bytes(msgspec.json.encode(paper))
    home.paper_file.chmod(0o600)
    return instruments


def texts_of(count: int) -> list[StrategyText]:
    """Return so many different strategies: averages of two lengths against each other."""
    return [
        StrategyText(
            name=f"cross-{number}",
            language=Language.LUA,
            text=(
                f"local fast, slow = ta.ema({2 + number % 5}), ta.sma({4 + number})\n"
                "if fast() > slow() then return 'long' else return 'flat' end\n"
            ),
        )
        for number in range(count)
    ]


async def assign_all(home: Home, instruments: Sequence[Instrument], count: int) -> int:
    """Save the strategies and assign each to each instrument; return how many assignments."""
    texts = texts_of(count)
    commands: list[tuple[CommandId, DeskCommand]] = [
        (CommandId(f"save-{one.name}"), SaveStrategy(text=one)) for one in texts
    ]
    for number, text in enumerate(texts):
        for instrument in instruments:
            name = AssignmentId(f"{instrument.symbol}-{text.name}")
            assignment = Assignment(
                assignment_id=name,
                text_hash=text.text_hash,
                name=text.name,
                symbol=instrument.symbol,
                span=Span.M1,
                sizing=Fixed(quantity=Lots(10)),
                slots=(SlotId(f"w{1 + number % (WORKERS - 1)}"),),
            )
            commands.append((CommandId(f"assign-{name}"), Assign(assignment=assignment)))
    async with desk_line(home) as line:
        for begin in range(0, len(commands), TOGETHER):
            part = commands[begin : begin + TOGETHER]
            await asyncio.gather(*(_do(line, *one) for one in part))
    return len(commands) - len(texts)


async def _do(line: DeskLine, command_id: CommandId, command: DeskCommand) -> None:
    answer = await line.command(command_id, command)
    if isinstance(answer, Refused):
        raise SystemExit(f"{command_id}: {answer.text}")


def kill_an_evaluator(supervisor: int, number: int) -> None:
    """Kill one of the evaluators that run, by its process id."""
    found = sorted(
        (name, pid)
        for name, pid in processes(supervisor).items()
        if name[0] == "e" and name[1:].isdecimal()  # the exchange is none
    )
    name, pid = found[number % len(found)]
    os.kill(pid, signal.SIGKILL)
    write(f"killed {name}, process {pid}")


def run_fleet(plan: Plan, folder: Path) -> Verdict:
    """Run it all, and return what became of it."""
    home = Home(folder / "home")
    instruments = prepare(home, plan.instruments)
    begin = "2026-11-23T00:00:00+00:00"
    words = ("--begin", begin, "--speed", plan.speed, "--evaluators", plan.evaluators)
    with pool(home.folder, "--workers", WORKERS, *words) as process:
        began_s = time.monotonic()
        count = asyncio.run(assign_all(home, instruments, plan.strategies))
        write(f"{count} assignments made in {time.monotonic() - began_s:.1f} s")
        seconds = plan.minutes * 60 / plan.speed
        for number in range(plan.kills + 1):
            time.sleep(seconds / (plan.kills + 1))
            if number < plan.kills:
                kill_an_evaluator(process.pid, number)
        time.sleep(LATER_S)
        code, out, err = stop(process)
    if code != 0:
        raise SystemExit(f"the pool ended with {code}: {out[-500:]} {err[-500:]}")
    verify_journals(home)
    return judge(home)


class Tally:
    """Everything that the journal of decisions says."""

    def __init__(self) -> None:
        self.decided: dict[TaskKey, Counter[int]] = {}
        self.counts: Counter[str] = Counter()
        self.answer_ms: list[float] = []
        self.desk_ms: list[float] = []
        self.orders_ms: list[float] = []
        self._candle_ms: dict[tuple[InstrumentId, int], float] = {}
        self._bar_ms: dict[CommandId, float] = {}
        self._told_ms: dict[tuple[str, int], float] = {}
        self._asked: set[tuple[str, int]] = set()
        self._sent_ms: dict[CommandId, float] = {}

    def note(self, record: DeciderRecord) -> None:
        """Count a record in."""
        at_ms = record.now.now_ns / 1e6
        event = record.event
        self._note_bars(record)
        if isinstance(event, BarsFinal):
            for final in event.bars:
                self._told_ms[f"{final.bar.instrument_id} {final.bar.span}", final.number] = at_ms
        if isinstance(event, CommandSettled):
            self.counts["refused"] += event.refusal is not None
            self.desk_ms.append(at_ms - self._sent_ms.pop(event.command_id, at_ms))
        for effect in record.effects:
            if isinstance(effect, Evaluate):
                place = (effect.task_id.key, effect.task_id.number)
                self.counts["asked again"] += place in self._asked
                self._asked.add(place)
            elif isinstance(effect, Send):
                self._sent_ms[effect.command_id] = at_ms
                self.counts["commands"] += 1
            elif isinstance(effect, Decided):
                self._note_decided(effect, at_ms)

    def note_candles(self, record: ExchangeRecord) -> None:
        """Take down when the exchange told a candle."""
        for effect in record.effects:
            if isinstance(effect, CandlesTold):
                for bar in effect.bars:
                    place = (bar.instrument_id, bar.begin_ns)
                    self._candle_ms.setdefault(place, record.now.now_ns / 1e6)

    def note_orders(self, record: DeskRecord) -> None:
        """Take down when the desk had released what a bar's decisions wanted."""
        event = record.event
        if isinstance(event, Commanded) and event.asked.command_id in self._bar_ms:
            told_ms = self._bar_ms.pop(event.asked.command_id)
            self.orders_ms.append(record.now.now_ns / 1e6 - told_ms)

    def _note_bars(self, record: DeciderRecord) -> None:
        """Know of which bar a command is."""
        for effect in record.effects:
            if isinstance(effect, Send) and isinstance(effect.command, SetTargets):
                begin_ns = effect.command.targets[0].begin_ns
                decided = [one for one in record.effects if isinstance(one, Decided)]
                if decided:
                    instrument_id = InstrumentId(decided[0].task_id.key.split(" ")[0])
                    told_ms = self._candle_ms.get((instrument_id, begin_ns))
                    if told_ms is not None:
                        self._bar_ms[effect.command_id] = told_ms

    def _note_decided(self, effect: Decided, at_ms: float) -> None:
        key, number = effect.task_id.key, effect.task_id.number
        self.decided.setdefault(key, Counter())[number] += 1
        self.counts["said"] += len(effect.decisions)
        self.counts["decisions"] += effect.count
        if (key, number) in self._told_ms:
            self.answer_ms.append(at_ms - self._told_ms[key, number])


def judge(home: Home) -> Verdict:
    """Hold the journal of decisions against the bars that were published."""
    tally = Tally()
    for record in records(home, "exchange"):
        tally.note_candles(cast("ExchangeRecord", record))
    for record in decider_records(home):
        tally.note(record)
    for record in desk_records(home):
        tally.note_orders(record)
    lost = repeated = bars = 0
    store = SqliteBars.reading(bars_file(home, is_replay=True))
    for key, numbers in tally.decided.items():
        instrument_id, span = key.split(" ")
        published = store.published(
            InstrumentId(instrument_id), Span(span), after=min(numbers) - 1, count=100_000
        )
        due = [one.number for one in published if one.revision == 0][:-1]  # the last may be open
        bars += len(due)
        lost += sum(1 for one in due if not numbers[one])
        repeated += sum(times - 1 for times in numbers.values())
    store.close()
    return Verdict(
        keys=len(tally.decided),
        bars=bars,
        decisions=tally.counts["decisions"],
        lost=lost,
        repeated=repeated,
        said=tally.counts["said"],
        commands=tally.counts["commands"],
        refused=tally.counts["refused"],
        asked_again=tally.counts["asked again"],
        answer_ms=tally.answer_ms,
        desk_ms=tally.desk_ms,
        orders_ms=tally.orders_ms,
    )


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "nothing measured"
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, most {max(values):.1f} ms"


def show(plan: Plan, found: Verdict) -> None:
    """Print the figures."""
    rows: Rows = [
        ("instruments x strategies", f"{plan.instruments} x {plan.strategies}"),
        ("simulated minutes, at", f"{plan.minutes}, {plan.speed} times life"),
        ("evaluators, of them killed", f"{plan.evaluators}, {plan.kills}"),
        ("instruments and bars decided on", f"{found.keys}, {found.bars}"),
        ("decisions, of them with a position", f"{found.decisions}, {found.said}"),
        ("bars asked again", found.asked_again),
        ("commands to the desk, refused", f"{found.commands}, {found.refused}"),
        ("bar told to decision durable", _spread(found.answer_ms)),
        ("decision to the desk's answer", _spread(found.desk_ms)),
        ("candle told to orders released", _spread(found.orders_ms)),
        ("decisions lost", found.lost),
        ("decisions repeated", found.repeated),
    ]
    for name, value in rows:
        write(f"{name:<38} {value}")


def main() -> int:
    """Run a fleet and judge it; the exit code says whether it was as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.fleet")
    for name, usual in (
        ("instruments", 250),
        ("strategies", 40),
        ("minutes", 30),
        ("speed", 20),
        ("evaluators", 3),
        ("kills", 2),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    plan = msgspec.convert(vars(parser.parse_args()), Plan)
    with tempfile.TemporaryDirectory() as folder:
        found = run_fleet(plan, Path(folder))
    show(plan, found)
    return 0 if found.is_right and found.keys == plan.instruments else 1


if __name__ == "__main__":
    sys.exit(main())
