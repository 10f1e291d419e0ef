"""What one child order costs in the desk alone: `python -m bench.desk`.

One desk, eight workers that only speak, and each event's record encoded as the journal gets it; no
disk, links or loop. A child is a share of a command, an acceptance and a fill. CPU time, the best
of several rounds. `--calls` counts the calls of Python functions a child instead, `--profile` says
where the time goes.
"""

import cProfile
import pstats
import sys
import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from bench.cluster_settings import SHARES, WORKERS, desk_settings
from bench.load import NOBODY, Stocks
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import PoolPhase
from tandem.domain import link
from tandem.domain.commands import Asked, Command, PlaceParent, SetUpPool
from tandem.domain.desk import (
    Commanded,
    DeskEffect,
    DeskEvent,
    Due,
    FromWorker,
    Joined,
    QuotesSeen,
    Restarted,
    ToWorker,
)
from tandem.domain.ids import CommandId, ExecutionId, Incarnation, Lots, Ticks, VenueOrderId
from tandem.domain.instant import Instant
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import Accepted, Filled
from tandem.domain.venue import Balances, Quote
from tandem.shells.recording import Record
from tandem.wiring.memory import spare_what_stays

IN_FLIGHT: Final = 64
CHILDREN: Final = 6_400  # a round
ROUNDS: Final = 9
EVENT_NS: Final = 30_000  # between two events: about 11,000 children a second
ENCODER: Final = msgspec.msgpack.Encoder()
Pick = tuple[Incarnation, link.Release]


class Floor:
    """The desk, its workers' words, and the CPU time that the desk took."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.profile: cProfile.Profile | None = None
        self.took_ns = 0
        self._now_ns = 1_000_000_000
        self._number = 0
        self._stocks = Stocks()
        self._report_ids: dict[Incarnation, int] = {}
        self._open()

    def _open(self) -> None:
        names = [Incarnation(f"i{number}") for number in range(WORKERS)]
        self.feed([Restarted(settings=desk_settings())])
        for name in names:
            self._report_ids[name] = 0
            hello = link.Hello(
                incarnation=name,
                connection=1,
                name=name,
                account_id=None,
                account_epoch=0,
                bundle_hash=None,
                ready=False,
                seen=(),
            )
            self.feed([Joined(hello=hello, pid=1, started=1)])
        self.feed([self._command(SetUpPool(workers=WORKERS))])
        hashed = self.desk.rules.bundle_hash
        told = self.feed([self._said(one, link.Configured(bundle_hash=hashed)) for one in names])
        shares = {one.instrument_id: 100_000 for one in SHARES}
        balances = Balances(query_id=0, cash={"USD": Decimal(10) ** 9}, positions=shares)
        for effect in told:
            if isinstance(effect, ToWorker) and isinstance(effect.message, link.Grant):
                grant = effect.message
                ready = link.Ready(
                    account_id=grant.account_id,
                    account_epoch=grant.account_epoch,
                    balances=balances,
                )
                clock = link.ClockRead(venue_id=grant.venue_id, offset_ns=0, uncertainty_ns=1)
                self.feed([self._said(effect.incarnation, one) for one in (clock, ready)])
        assert self.desk.state.pool.phase is PoolPhase.TRADING, self.desk.state.pool

    def _command(self, command: Command) -> Commanded:
        self._number += 1
        return Commanded(
            asker=NOBODY,
            asked=Asked(command_id=CommandId(f"c{self._number}"), command=command),
        )

    def _said(self, incarnation: Incarnation, message: Any) -> FromWorker:
        return FromWorker(incarnation=incarnation, connection=1, message=message)

    def _reported(self, incarnation: Incarnation, release: link.Release, report: Any) -> FromWorker:
        self._report_ids[incarnation] += 1
        reported = link.Reported(
            report_id=self._report_ids[incarnation],
            account_id=release.account_id,
            send_number=release.send_number,
            sent_ns=self._now_ns,
            report=report,
        )
        return self._said(incarnation, reported)

    def feed(self, events: Iterable[DeskEvent]) -> list[DeskEffect]:
        """Let the desk decide each event, encode its record; return all effects."""
        told: list[DeskEffect] = []
        moments = []
        for event in events:
            self._now_ns += EVENT_NS
            moments.append((event, Instant(self._now_ns, self._now_ns)))
        desk = self.desk
        begin_ns = time.process_time_ns()
        if self.profile is not None:
            self.profile.enable()
        for number, (event, now) in enumerate(moments):
            effects = desk.on(event, now)
            ENCODER.encode(Record(number, now, event, effects))
            told += effects
        if self.profile is not None:
            self.profile.disable()
        self.took_ns += time.process_time_ns() - begin_ns
        return told

    def trade(self, count: int, *, children: int) -> None:
        """Trade so many children, in waves of `IN_FLIGHT`, as parents of so many each."""
        quotes = []
        for one in SHARES:
            price = Ticks(self._stocks.by_symbol[one.symbol].reference)
            quotes.append(Quote(instrument_id=one.instrument_id, bid=price, ask=price, last=price))
        for _ in range(count // IN_FLIGHT):
            self.feed([QuotesSeen(quotes=tuple(quotes))])
            self._wave(children)

    def _wave(self, children: int) -> None:
        told = self.feed([self._place(children) for _ in range(IN_FLIGHT // children)])
        picks: list[Pick] = [
            (one.incarnation, one.message)
            for one in told
            if isinstance(one, ToWorker) and isinstance(one.message, link.Release)
        ]
        assert len(picks) == IN_FLIGHT, told
        self.feed([self._accept(*one) for one in picks])
        self.feed([self._fill(*one) for one in picks])
        assert not self.desk.state.working
        for stock in self._stocks.by_symbol.values():
            while stock.out:
                stock.ended()
        due_ns = self.desk.next_due_ns
        if due_ns is not None and due_ns <= self._now_ns:
            self.feed([Due()])

    def _place(self, children: int) -> Commanded:
        stock = self._stocks.next()
        number = self._number
        slots = () if children > 1 else (self.desk.rules.settings.slots[number % WORKERS].slot_id,)
        spec = ParentSpec(
            symbol=stock.symbol,
            side=stock.side,
            quantity=Lots(children),
            limit_price=Ticks(stock.reference + stock.reference // 50 * stock.side.sign),
            slots=slots,
        )
        return self._command(PlaceParent(spec=spec))

    def _accept(self, incarnation: Incarnation, release: link.Release) -> FromWorker:
        key = release.order.client_order_id
        taken = Accepted(client_order_id=key, venue_order_id=VenueOrderId(f"v-{key}"))
        return self._reported(incarnation, release, taken)

    def _fill(self, incarnation: Incarnation, release: link.Release) -> FromWorker:
        assert release.order.limit_price is not None
        return self._fill_at(incarnation, release, release.order.limit_price)

    def _fill_at(self, incarnation: Incarnation, release: link.Release, price: Ticks) -> FromWorker:
        order = release.order
        fill = Filled(
            client_order_id=order.client_order_id,
            execution_id=ExecutionId(f"e-{order.client_order_id}"),
            quantity=order.quantity,
            price=price,
            fee=Decimal("0.05"),
            venue_at_ns=self._now_ns,
        )
        return self._reported(incarnation, release, fill)


def measure(children: int, rounds: int = ROUNDS) -> list[float]:
    """Return the CPU time of a child in each round, in microseconds."""
    floor = Floor()
    floor.trade(CHILDREN, children=children)
    spare_what_stays()
    found = []
    for _ in range(rounds):
        floor.took_ns = 0
        floor.trade(CHILDREN, children=children)
        found.append(floor.took_ns / 1e3 / CHILDREN)
    return sorted(found)


def profiled(children: int) -> pstats.Stats:
    """Return the calls of one round."""
    floor = Floor()
    floor.trade(CHILDREN, children=children)
    floor.profile = cProfile.Profile()
    floor.trade(CHILDREN, children=children)
    return pstats.Stats(floor.profile)


def main(arguments: list[str]) -> None:
    """Print one line for parents of one and of eight children."""
    for children in (1, 8):
        if "--profile" in arguments:
            profiled(children).sort_stats("tottime").print_stats(45)
        elif "--calls" in arguments:
            calls = profiled(children).total_calls / CHILDREN  # type: ignore[attr-defined]
            print(f"{children} children a parent: {calls:.0f} calls a child")
        else:
            found = measure(children)
            middle = found[len(found) // 2]
            print(f"{children} children a parent: {found[0]:.1f} us a child, median {middle:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
