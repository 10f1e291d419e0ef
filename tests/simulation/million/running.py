"""One seed: so many random orders, amid lies, deaths and restarts, with a calm every so often."""

import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

import msgspec

from tandem.core.trading.state import Attempt
from tandem.domain.commands import (
    CancelOrders,
    ExplainExternal,
    HaltTrading,
    PauseOrder,
    Refused,
    ReplaceOrder,
    ResolveOrder,
    ResumeOrder,
    ResumeTrading,
    SwapWorker,
)
from tandem.domain.desk import MS, SECOND, VenueSettings
from tandem.domain.ids import Lots, ParentId, Ticks
from tandem.domain.venue import Misbehavior
from tests.simulation.million.floor import PRICE, SLOTS, VENUES, Floor, Process
from tests.simulation.million.judge import Judge
from tests.simulation.million.makers import MAKERS, timely

CALM_EVERY: Final = 25_000  # orders
APART_NS: Final = 3 * MS  # between two orders, on average
OPEN_MAX: Final = 150  # orders that the trader lets stand; the oldest go first
HONEST: Final = Misbehavior()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one seed showed."""

    seed: int
    orders: int
    violations: list[str]
    seen: dict[str, int]
    counters: dict[str, int]


class Trader:
    """Asks at random, and disturbs everything at random."""

    def __init__(self, seed: int) -> None:
        self.draws = random.Random(f"{seed} trader")
        self.floor = Floor(seed)
        self.judge = Judge(self.floor)
        self.counts: Counter[str] = Counter()
        self._weights = [weight for _, weight, _ in MAKERS]
        self._open: deque[ParentId] = deque()
        self._halted = False
        # How often each happens with an order.
        self._disturbances: tuple[tuple[float, Callable[[], None]], ...] = (
            (0.05, self.change),
            (0.05, self.be_person),
            (0.001, self._kill),
            (0.0005, self._swap),
            (0.001, lambda: self.floor.cut(self._process())),
            (0.001, self._drop_session),
            (0.001, self._lie),
            (0.0005, self.floor.restart),
            (0.0002, self._restart_venue),
            (0.0002, self._halt),
        )

    def run(self, orders: int) -> None:
        """Ask for so many orders."""
        self.floor.open()
        for number in range(1, orders + 1):
            self.floor.run(self.floor.now_ns + self.draws.randrange(1, 2 * APART_NS))
            self.order()
            self.disturb()
            if number % CALM_EVERY == 0 or number == orders:
                self.calm()
            if self.judge.violations:
                break

    def order(self) -> None:
        """Ask for one order of some kind."""
        ((name, _, make),) = self.draws.choices(MAKERS, self._weights)
        command = timely(make(self.draws), self.floor.now.market_ns)
        self.counts[f"made: {name}"] += 1
        answer = self.floor.ask(command)
        self.counts["orders"] += 1
        order_id = self.floor.order_of(answer)
        if order_id is not None:
            self._open.append(order_id)
            self.counts["taken"] += 1
        elif isinstance(answer, Refused):
            self.counts[f"refused: {answer.reason}"] += 1
        while len(self._open) > OPEN_MAX:
            self.floor.ask(CancelOrders(order_id=self._open.popleft()))

    def disturb(self) -> None:
        """Let something happen, now and then."""
        if self._halted and self.draws.random() < 0.05:
            self.floor.ask(ResumeTrading())
            self._halted = False
        chance = self.draws.random()
        for often, act in self._disturbances:
            chance -= often
            if chance < 0:
                act()
                return

    def _process(self) -> Process:
        return self.draws.choice(list(self.floor.processes.values()))

    def _kill(self) -> None:
        self.floor.kill(self._process().core.incarnation)

    def _swap(self) -> None:
        self.floor.ask(SwapWorker(slot_id=self.draws.choice(SLOTS)))

    def _drop_session(self) -> None:
        self.floor.drop_session(self._process(), self.draws.choice(VENUES))

    def _restart_venue(self) -> None:
        self.floor.restart_venue(self.draws.choice(VENUES))

    def _lie(self) -> None:
        self.floor.lie(HONEST if self.draws.random() < 0.5 else lies(self.draws))

    def _halt(self) -> None:
        self.floor.ask(HaltTrading(reason="drill"))
        self._halted = True

    def change(self) -> None:
        """Cancel, replace, pause or resume some order."""
        draws = self.draws
        if not self._open:
            return
        order_id = draws.choice(self._open)
        command = draws.choice(
            (
                CancelOrders(order_id=order_id),
                PauseOrder(order_id=order_id),
                ResumeOrder(order_id=order_id),
                ReplaceOrder(order_id=order_id, quantity=Lots(draws.randint(1, 40))),
                ReplaceOrder(order_id=order_id, limit_price=Ticks(PRICE + draws.randint(-4, 4))),
            )
        )
        self.counts[f"asked: {type(command).__name__}"] += 1
        self.floor.ask(command)

    def be_person(self) -> None:
        """Settle by the venue's records what no machine can, once nothing of it is under way."""
        floor = self.floor
        state = floor.desk.state
        for seat in state.seats.values():
            for key in list(seat.open):
                attempt = state.attempts.get(key)
                if attempt is None or not attempt.for_person:
                    continue
                if self._is_quiet(attempt):
                    self._resolve(attempt)
            for unit in list(seat.external.unexplained):
                floor.ask(ExplainExternal(account_id=seat.account_id, unit=unit))

    def _is_quiet(self, attempt: Attempt) -> bool:
        """Whether no send of it is under way; in a calm the lines are fast.

        A resend that is always refused goes on for ever: a person looks between two of them.
        """
        floor = self.floor
        sent_ns = attempt.release_by_ns - VenueSettings(venue_id=VENUES[0]).release_by_ns
        clock = floor.desk.state.clocks[floor.desk.state.seats[attempt.slot_id].venue_id]
        since_ns = floor.now_ns + (clock.offset_ns or 0) - sent_ns
        return since_ns > (50 * MS if floor.is_calm else 2 * SECOND)

    def _resolve(self, attempt: Attempt) -> None:
        key = attempt.order.client_order_id
        record = next(
            (
                account.records[account.numbers[key]]
                for exchange in self.floor.exchanges.values()
                for account in exchange.state.accounts
                if account.numbers.get(key) in account.records
            ),
            None,
        )
        if record is None:
            self.counts["resolved as absent"] += 1
            self.floor.ask(ResolveOrder(client_order_id=key, lived=False))

    def calm(self) -> None:
        """Let everything come to its end, and compare."""
        floor = self.floor
        floor.is_calm = True
        floor.lie(HONEST)
        if self._halted:
            floor.ask(ResumeTrading())
            self._halted = False
        for _ in range(12):
            floor.run(floor.now_ns + 2 * SECOND)
            floor.ask(CancelOrders(order_id=None))
            self.be_person()
        floor.run(floor.now_ns + 10 * SECOND)
        self.judge.check_calm()
        self._open.clear()
        floor.is_calm = False


def lies(draws: random.Random) -> Misbehavior:
    """Return how the venues lie for a while."""
    some = draws.choice
    return Misbehavior(
        lose_report=some((0.0, 0.02, 0.1)),
        repeat_report=some((0.0, 0.05, 0.2)),
        delay_report=some((0.0, 0.05, 0.2)),
        contradict=some((0.0, 0.02, 0.1)),
        lose_request=some((0.0, 0.02, 0.05)),
        reject=some((0.0, 0.02, 0.05)),
        unclear=some((0.0, 0.02, 0.05)),
        delay_ns_max=some((50 * MS, 500 * MS)),
        read_lag_ns=some((0, 40 * MS)),
        skew_ns=some((-30 * MS, 0, 30 * MS)),
        cancel_unasked=some((0.0, 0.1)),
    )


def run_seed(seed: int, orders: int) -> Result:
    """Run one seed; it ends with the first violation."""
    trader = Trader(seed)
    trader.run(orders)
    return Result(
        seed=seed,
        orders=trader.counts["orders"],
        violations=trader.judge.violations,
        seen=dict(trader.floor.seen + trader.counts + trader.judge.counts),
        counters=dict(trader.floor.desk.state.counters),
    )
