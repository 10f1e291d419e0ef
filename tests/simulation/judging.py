"""Random streams through the paper exchange and its judge: `python -m tests.simulation.judging`.

Both are told the same requests, prices and times, and every word that any account hears must be
equal and come in the same order: trades, ends of orders, refusals. In the end so must be what
rests, what waits and what everybody holds. Somewhere in each stream the exchange is restored from
a snapshot. The first difference ends the campaign with its seed and the shortest stream found
that still shows it.
"""

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import (
    AccountSettings,
    Due,
    ExchangeEvent,
    ExchangeSettings,
    MarketEvents,
    PublicTrade,
    Requested,
    SelfMatch,
    SessionOpened,
    ToSession,
    TradingHalted,
    TradingResumed,
)
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Accepted, Canceled, Expired, Filled, Rejected
from tandem.domain.venue import (
    Amended,
    AmendOrder,
    AmendRejected,
    CancelOrder,
    CancelRejected,
    Login,
    PlaceOrder,
    VenueMessage,
)
from tests.simulation.naive_judge import Asked, NaiveJudge, News

SHARE = InstrumentId("paper:S")
OWNERS = {"A1": "ann", "A2": "ann", "B1": "bob", "C1": "cyd", "C2": "cyd"}
POSITIONS = {"A1": 20, "A2": -15, "B1": 0, "C1": 8, "C2": -8}
SESSIONS = {name: number for number, name in enumerate(OWNERS, start=1)}
NAMES = {number: name for name, number in SESSIONS.items()}
MODES = tuple(SelfMatch)
LENGTH_MAX = 70
CHUNK = 500


class Cancel(NamedTuple):
    """Cancel that order."""

    account: str
    name: str


class Amend(NamedTuple):
    """Amend that order."""

    account: str
    name: str
    quantity: int
    limit: int | None


class Print(NamedTuple):
    """Others trade at that price."""

    price: int


class Pass(NamedTuple):
    """It is that much later."""

    duration: int


class Halt(NamedTuple):
    """Trading halts, or resumes."""

    begins: bool


class Restore(NamedTuple):
    """The exchange goes on from its snapshot; nobody may notice."""


Step = Asked | Cancel | Amend | Print | Pass | Halt | Restore


class Difference(NamedTuple):
    """Where a stream told exchange and judge apart."""

    seed: int
    mode: SelfMatch
    at: int
    steps: tuple[Step, ...]
    exchange: object
    judge: object

    def __str__(self) -> str:
        """Return the stream, step by step, and what both said about the last one."""
        lines = [f"seed {self.seed}, mode {self.mode}: they differ after step {self.at + 1} of"]
        lines += [f"  {number:>3}. {one}" for number, one in enumerate(self.steps, start=1)]
        return "\n".join([*lines, f"exchange: {self.exchange}", f"judge:    {self.judge}"])


class Both:
    """An exchange and its judge, told the same."""

    def __init__(self, mode: SelfMatch) -> None:
        self.now = 1
        self.judge = NaiveJudge(mode.value, OWNERS, POSITIONS)
        self.exchange = Exchange(_settings(mode))
        for name, session in SESSIONS.items():
            self._on(SessionOpened(session=session))
            login = Login(account_id=AccountId(name), secret="")
            self._on(Requested(session=session, request=login))

    def _on(self, event: ExchangeEvent) -> list[News]:
        self.now += 1
        effects = self.exchange.on(event, Instant(self.now, self.now))
        heard = (
            _heard(NAMES[one.session], one.message) for one in effects if isinstance(one, ToSession)
        )
        return [one for one in heard if one is not None]

    def step(self, step: Step) -> tuple[list[News], list[News]]:
        """Return what the accounts hear from the exchange, and from the judge."""
        ours: list[News] = []
        # One tick of the clock passes with every event.
        self.judge.pass_time(self.now + (step.duration if isinstance(step, Pass) else 1))
        if isinstance(step, Asked):
            self.judge.place(step)
            ours = self._ask(step.account, PlaceOrder(order=_order(step)))
        elif isinstance(step, Cancel):
            self.judge.cancel(step.account, step.name)
            ours = self._ask(step.account, CancelOrder(client_order_id=ClientOrderId(step.name)))
        elif isinstance(step, Amend):
            self.judge.amend(step.account, step.name, step.quantity, step.limit)
            ours = self._ask(step.account, _amend(step))
        elif isinstance(step, Print):
            self.judge.print_trade(step.price)
            price = Ticks(step.price)
            trade = PublicTrade(instrument_id=SHARE, price=price, quantity=Lots(0), taker=None)
            ours = self._on(MarketEvents(events=(trade,)))
        elif isinstance(step, Pass):
            self.now += step.duration - 1
            ours = self._on(Due())
        elif isinstance(step, Halt):
            self.judge.halted = step.begins
            kind = TradingHalted if step.begins else TradingResumed
            ours = self._on(MarketEvents(events=(kind(instrument_id=SHARE),)))
        else:
            self.exchange = Exchange.restore(self.exchange.snapshot())
            ours = self._on(Due())
        return ours, self.judge.take_news()

    def _ask(self, account: str, request: PlaceOrder | CancelOrder | AmendOrder) -> list[News]:
        return self._on(Requested(session=SESSIONS[account], request=request))

    def state(self) -> tuple[object, object]:
        """Return what is open and what everybody holds, by the exchange and by the judge."""
        accounts = self.exchange.state.accounts
        ours_open = sorted(
            (NAMES[one.index + 1], record.order.client_order_id, record.leaves)
            for one in accounts
            for record in one.records.values()
            if record.status is None
        )
        ours_stops = sorted(
            (NAMES[one.index + 1], record.order.client_order_id, record.stop_price)
            for one in accounts
            for record in one.records.values()
            if record.status is None and record.waits
        )
        judged = [one for one in self.judge.orders if not one.ended]
        theirs_open = sorted((one.asked.account, one.asked.name, one.left) for one in judged)
        theirs_stops = sorted(
            (one.asked.account, one.asked.name, one.stop) for one in judged if one.waits
        )
        ours_held = {NAMES[one.index + 1]: one.positions[SHARE] for one in accounts}
        return (ours_open, ours_stops, ours_held), (
            theirs_open,
            theirs_stops,
            self.judge.positions,
        )


def _settings(mode: SelfMatch) -> ExchangeSettings:
    share = Instrument(
        instrument_id=SHARE,
        symbol="S",
        venue_id=VenueId("paper"),
        market_id=MarketId("test"),
        base="S",
        quote="USD",
        tick_size=Decimal(1),
        lot_size=Decimal(1),
    )
    return ExchangeSettings(
        venue_id=VenueId("paper"),
        instruments=(share,),
        accounts=tuple(
            AccountSettings(
                account_id=AccountId(name),
                secret="",
                owner=owner,
                cash={"USD": Decimal(10) ** 40},
                positions={SHARE: POSITIONS[name]},
                may_short=True,
            )
            for name, owner in OWNERS.items()
        ),
        self_match=mode,
    )


def _order(asked: Asked) -> Order:
    return Order(
        client_order_id=ClientOrderId(asked.name),
        instrument_id=SHARE,
        side=Side.BUY if asked.is_buy else Side.SELL,
        quantity=Lots(asked.quantity),
        limit_price=None if asked.limit is None else Ticks(asked.limit),
        time_in_force=TimeInForce(asked.force),
        post_only=asked.post_only,
        stop_price=None if asked.stop is None else Ticks(asked.stop),
        trail=None if asked.trail is None else Ticks(asked.trail),
        good_till_ns=asked.till,
        reduce_only=asked.reduces,
    )


def _amend(asked: Amend) -> AmendOrder:
    return AmendOrder(
        client_order_id=ClientOrderId(asked.name),
        quantity=Lots(asked.quantity),
        limit_price=None if asked.limit is None else Ticks(asked.limit),
    )


def _heard(account: str, message: VenueMessage) -> News | None:
    match message:
        case Accepted():
            return (account, "accepted", message.client_order_id)
        case Rejected():
            return (account, "rejected", message.client_order_id, message.code.value)
        case Filled():
            name = message.client_order_id
            return (account, "filled", name, message.quantity, message.price)
        case Canceled():
            return (account, "canceled", message.client_order_id, message.cum_quantity)
        case Expired():
            return (account, "expired", message.client_order_id, message.cum_quantity)
        case Amended():
            figures = (message.quantity, message.limit_price, message.cum_quantity)
            return (account, "amended", message.client_order_id, *figures)
        case AmendRejected():
            return (account, "amend_rejected", message.client_order_id, message.code.value)
        case CancelRejected():
            return (account, "cancel_rejected", message.client_order_id, message.code.value)
        case _:
            return None  # logins and quotes


def stream(seed: int) -> tuple[Step, ...]:
    """Return the steps that belong to that seed."""
    draw = random.Random(seed)
    length = draw.randint(5, LENGTH_MAX)
    width = draw.choice((1, 2, 5, 12))
    names: list[tuple[str, str]] = []
    return tuple(_drawn(draw, width, names) for _ in range(length))


def _drawn(draw: random.Random, width: int, names: list[tuple[str, str]]) -> Step:
    kind = draw.random()
    if kind < 0.66 or not names:
        return _drawn_order(draw, width, names)
    if kind < 0.76:
        return Cancel(*draw.choice(names[-12:]))
    if kind < 0.9:
        limit = None if draw.random() < 0.1 else 100 + draw.randint(-width, width)
        return Amend(*draw.choice(names[-12:]), quantity=draw.randint(0, 12), limit=limit)
    if kind < 0.95:
        return Print(100 + draw.randint(-width - 2, width + 2))
    if kind < 0.97:
        return Pass(draw.randint(1, 40))
    if kind < 0.985:
        return Restore()
    return Halt(begins=draw.random() < 0.25)


def _drawn_order(draw: random.Random, width: int, names: list[tuple[str, str]]) -> Asked:
    def maybe(chance: float, value: int | None) -> int | None:
        return value if draw.random() < chance else None

    account = draw.choice(tuple(OWNERS))
    is_buy = draw.random() < 0.5
    name = str(draw.randint(1, 3 if draw.random() < 0.1 else 1_000))
    names.append((account, name))
    stop = maybe(0.25, 100 + draw.randint(-width - 2, width + 2))
    force = draw.choice(("day", "day", "gtc", "gtc", "gtd", "ioc", "fok"))
    return Asked(
        account=account,
        name=name,
        is_buy=is_buy,
        quantity=0 if draw.random() < 0.01 else draw.randint(1, 12),
        limit=maybe(0.85, 100 + draw.randint(-width, width)),
        force=force,
        post_only=draw.random() < 0.08,
        stop=stop,
        trail=maybe(0.4 if stop is not None else 0.01, draw.randint(1, 4)),
        till=draw.randint(5, 150) if force == "gtd" else None,
        reduces=draw.random() < 0.25,
    )


def difference(seed: int, steps: Sequence[Step], counts: Counter[str]) -> Difference | None:
    """Return where these steps tell the two apart, None when they do not."""
    mode = MODES[seed % len(MODES)]
    both = Both(mode)
    for at, step in enumerate(steps):
        ours, theirs = both.step(step)
        for news in theirs:
            counts[str(news[1])] += 1
        if ours != theirs:
            return Difference(seed, mode, at, tuple(steps), ours, theirs)
        counts[type(step).__name__] += 1
    ours_state, their_state = both.state()
    if ours_state != their_state:
        return Difference(seed, mode, len(steps) - 1, tuple(steps), ours_state, their_state)
    return None


def shrunk(found: Difference) -> Difference:
    """Return a stream that shows a difference too, and of which no step can be left out."""
    found = found._replace(steps=found.steps[: found.at + 1])
    at = len(found.steps) - 1
    while at >= 0:
        fewer = found.steps[:at] + found.steps[at + 1 :]
        still = difference(found.seed, fewer, Counter())
        if still is not None:
            found = still._replace(steps=still.steps[: still.at + 1])
        at = min(at, len(found.steps)) - 1
    return found


def judge_seeds(seeds: range) -> tuple[Counter[str], Difference | None]:
    """Judge these streams; return what happened in them, and the first difference."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        found = difference(seed, stream(seed), counts)
        if found is not None:
            return counts, shrunk(found)
        counts["streams"] += 1
    return counts, None


def _chunks(first: int, streams: int) -> Iterator[range]:
    for begin in range(first, first + streams, CHUNK):
        yield range(begin, min(begin + CHUNK, first + streams))


def main(arguments: Sequence[str]) -> int:
    """Run the campaign; 1 when any stream told the two apart."""
    parser = argparse.ArgumentParser(description="The paper exchange against its naive judge.")
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    began_ns = time.perf_counter_ns()
    found = None
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for some, found in pool.imap(judge_seeds, _chunks(asked.first, asked.streams)):
            counts.update(some)
            if found is not None:
                break
    seconds = (time.perf_counter_ns() - began_ns) / 1e9
    ends = ("accepted", "rejected", "filled", "canceled", "expired", "amended", "amend_rejected")
    told = ", ".join(f"{counts[one]:,} {one}" for one in (*ends, "cancel_rejected"))
    sys.stdout.write(
        f"{counts['streams']:,} streams, {counts['Asked']:,} orders, "
        f"{counts['Amend']:,} amendments, {counts['Cancel']:,} cancels, "
        f"{counts['filled'] // 2:,} trades, {0 if found is None else 1} differences, "
        f"{seconds:,.0f} s\ntold: {told}\n"
    )
    if found is not None:
        sys.stdout.write(f"{found}\n")
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
