"""What a worker, an exchange and a link cost by themselves: `python -m bench.parts_alone`.

Each runs as its real shell on uvloop, over streams held in the hand, so that only its own work is
measured, and a turn of the loop for each frame. Printed is CPU time for a child order (a link: for
a message, both ends), the best of several rounds, because neighbors only ever add. With
`--profile PART` the functions of one part are shown by their own time.

A child is a release, an acceptance and a fill in one frame, and an acknowledgement; a frame holds
that of BATCH children.
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import msgspec
import uvloop

from bench import cluster_settings
from bench.cluster_settings import OPENING_LOTS, SHARES, VENUE
from bench.hand_fed import HandNetwork, Stream
from tandem.adapters.journal.log import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import PageSync
from tandem.core.matching.exchange import Exchange
from tandem.core.trading.worker import Worker
from tandem.domain import link as words
from tandem.domain import venue
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    Incarnation,
    Lots,
    Ticks,
    VenueOrderId,
)
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Accepted, Filled
from tandem.shells.exchange import ExchangeShell
from tandem.shells.link import Link
from tandem.shells.worker import WorkerShell

CHILDREN = 2_048
ROUNDS = 9
ACCOUNT = AccountId("A1")
FOREVER_NS = 1 << 62
Round = Callable[[], Awaitable[None]]  # the work of a round, made ready beforehand


def orders(first: int) -> list[Order]:
    """Return a round's orders: marketable, one lot each, as many buys as sells."""
    market = cluster_settings.exchange_settings().synthetic
    assert market is not None
    made = []
    for number in range(first, first + CHILDREN):
        book = market.books[number % len(SHARES)]
        side = Side.BUY if number // len(SHARES) % 2 else Side.SELL
        order = Order(
            client_order_id=ClientOrderId(f"d1-{number:08d}-1-1"),
            instrument_id=book.instrument_id,
            side=side,
            quantity=Lots(1),
            limit_price=Ticks(book.reference + side.sign * (book.reference // 50)),
            time_in_force=TimeInForce.DAY,
            expires_at_ns=FOREVER_NS,
        )
        made.append(order)
    return made


def reports(order: Order) -> list[object]:
    """Return what a venue says to `order`."""
    key = order.client_order_id
    assert order.limit_price is not None
    return [
        Accepted(client_order_id=key, venue_order_id=VenueOrderId(f"paper-{key}")),
        Filled(
            client_order_id=key,
            execution_id=ExecutionId(f"paper-E{key}"),
            quantity=order.quantity,
            price=order.limit_price,
            fee=Decimal(0),
            venue_at_ns=1,
        ),
    ]


class Part(Protocol):
    """One of the things that are measured; `task` runs it."""

    task: asyncio.Task[None]

    def __init__(self, batch: int) -> None: ...

    async def start(self) -> None:
        """Make it ready for rounds."""
        ...

    def round(self) -> Round:
        """Make a round ready."""
        ...


class WorkerAlone:
    """A worker with its account, ready to trade."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._network = HandNetwork()
        self._core = Worker(Incarnation("one"), "p1")
        self._shell = WorkerShell(
            self._core,
            clock=SystemClock(),
            network=self._network,
            coordinator="coordinator",
            venues={VENUE: "venue"},
            heartbeat_ns=FOREVER_NS,
        )
        self._made = 0

    async def start(self) -> None:
        """Connect, and let it have its account."""
        self.task = asyncio.create_task(self._shell.run())
        await asyncio.sleep(0.01)
        streams = self._network.streams
        self._coordinator, self._venue = streams["coordinator"], streams["venue"]
        settings = cluster_settings.desk_settings()
        market = cluster_settings.exchange_settings().synthetic
        assert market is not None
        quotes = tuple(
            venue.Quote(instrument_id=one.instrument_id, bid=one.reference, ask=None, last=None)
            for one in market.books
        )
        quotes = tuple(msgspec.structs.replace(one, ask=one.bid) for one in quotes)
        granted = (
            words.Welcome(account_id=None, account_epoch=0, halted=False),
            words.BundlePart(index=0, count=1, content=settings.bundle),
            words.Grant(account_id=ACCOUNT, account_epoch=1, venue_id=VENUE, lease_ns=None),
        )
        await self._coordinator.feed(self._coordinator.frame(granted))
        positions = {one.instrument_id: OPENING_LOTS for one in SHARES}
        told = (
            venue.LoggedIn(venue_id=VENUE, account_id=ACCOUNT, venue_at_ns=1),
            venue.VenueTime(query_id=1, venue_at_ns=1),
            venue.Balances(query_id=0, cash={"USD": Decimal(10) ** 9}, positions=positions),
            venue.Quotes(quotes=quotes),
        )
        await self._venue.feed(self._venue.frame(told))

    def round(self) -> Round:
        """Make a round ready."""
        asked = orders(self._made)
        work = []
        for at in range(0, CHILDREN, self._batch):
            few = asked[at : at + self._batch]
            released = self._coordinator.frame([_release(one) for one in few])
            answered = self._venue.frame([report for one in few for report in reports(one)])
            last_report = 2 * (self._made + at + len(few))
            on_disk = self._coordinator.frame([words.Acknowledge(report_id=last_report)])
            work.append((released, answered, on_disk))
        self._made += CHILDREN

        async def run() -> None:
            for released, answered, on_disk in work:
                await self._coordinator.feed(released)
                await self._venue.feed(answered)
                await self._coordinator.feed(on_disk)
            assert not self._core.counters, self._core.counters
            assert not self._core._unacked, "a report was not made, or not acknowledged"

        return run


def _release(order: Order) -> words.Release:
    return words.Release(
        account_id=ACCOUNT,
        account_epoch=1,
        send_number=1,
        order=order,
        release_by_ns=FOREVER_NS,
        parent_quantity_left=1,
    )


class ExchangeAlone:
    """A paper exchange with one session, journaling to pages."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._network = HandNetwork()
        self._folder = tempfile.TemporaryDirectory()
        _, journal = open_log(FolderDisk(Path(self._folder.name), PageSync()))
        self._core = Exchange(cluster_settings.exchange_settings())
        self._shell = ExchangeShell(
            self._core, journal, clock=SystemClock(), network=self._network, address="venue"
        )
        self._made = 0

    async def start(self) -> None:
        """Serve, and let a session log in."""
        self.task = asyncio.create_task(self._shell.run())
        await asyncio.sleep(0.05)
        self._session: Stream = self._network.dial()
        secret = cluster_settings.secrets()[ACCOUNT]
        login = venue.Login(account_id=ACCOUNT, secret=secret)
        await self._session.feed(self._session.frame([login]))

    def round(self) -> Round:
        """Make a round ready."""
        requests = [venue.PlaceOrder(order=one) for one in orders(self._made)]
        self._made += CHILDREN
        work = [
            self._session.frame(requests[at : at + self._batch])
            for at in range(0, CHILDREN, self._batch)
        ]

        async def run() -> None:
            await self._session.feed(*work)
            assert self._core.state.executions == self._made, "an order was not filled"

        return run


class LinkAlone:
    """Two links, back to back: what one writes comes in at the other, and is sent back."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        decoder = msgspec.msgpack.Decoder(list[venue.VenueRequest])
        self._heard = 0
        self._near = Link(decoder, self._on_back, _nothing, _nothing)
        self._far = Link(decoder, _send_back, _nothing, _nothing)

    def _on_back(
        self, _link: Link[venue.VenueRequest], _epoch: int, messages: Sequence[venue.VenueRequest]
    ) -> None:
        self._heard += len(messages)

    async def start(self) -> None:
        """Connect the two."""
        self.task = asyncio.create_task(asyncio.sleep(0))
        self._near.connection_made(_Pipe(self._far))
        self._far.connection_made(_Pipe(self._near))

    def round(self) -> Round:
        """Make a round ready."""
        messages = [venue.PlaceOrder(order=one) for one in orders(0)]
        wanted = self._heard + len(messages)

        async def run() -> None:
            for at in range(0, CHILDREN, self._batch):
                for message in messages[at : at + self._batch]:
                    self._near.send(message)
                await asyncio.sleep(0)
            for _ in range(10):  # what the other end sends back takes turns as well
                await asyncio.sleep(0)
            assert self._heard == wanted, "a message was lost"

        return run


class _Pipe(asyncio.Transport):
    def __init__(self, other: asyncio.Protocol) -> None:
        super().__init__()
        self._other = other

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._other.data_received(bytes(data))


def _nothing(*_: object) -> None:
    pass


def _send_back(
    link: Link[venue.VenueRequest], _epoch: int, messages: Sequence[venue.VenueRequest]
) -> None:
    for message in messages:
        link.send(message)


PARTS: dict[str, type[Part]] = {"worker": WorkerAlone, "exchange": ExchangeAlone, "link": LinkAlone}


async def measure(name: str, batch: int, profile: cProfile.Profile | None = None) -> float:
    """Return the best round's CPU microseconds a child; with a profile, let it look on."""
    part = PARTS[name](batch)
    await part.start()
    best = float("inf")
    for _ in range(ROUNDS):
        run = part.round()
        gc.collect()
        gc.freeze()
        if profile is not None:
            profile.enable()
        begin_ns = time.process_time_ns()
        await run()
        best = min(best, (time.process_time_ns() - begin_ns) / CHILDREN / 1e3)
        if profile is not None:
            profile.disable()
    part.task.cancel()
    return best


def main() -> None:
    """Print every part, or one part's profile."""
    parser = argparse.ArgumentParser(prog="python -m bench.parts_alone", description=__doc__)
    parser.add_argument("--profile", choices=PARTS)
    asked = parser.parse_args()
    if asked.profile is not None:
        profile = cProfile.Profile()
        uvloop.run(measure(asked.profile, 1, profile))
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(40)
        return
    for name in PARTS:
        figures = [f"{uvloop.run(measure(name, batch)):6.1f} µs ({batch})" for batch in (1, 8)]
        print(f"{name:<10} {'  '.join(figures)}")


if __name__ == "__main__":
    main()
