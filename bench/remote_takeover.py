"""A cut cable until another computer's worker has its first new order at the exchange.

`python -m bench.remote_takeover FOLDER CUTS` prints p50 and p99 in milliseconds, for each fence
class. Ten workers trade over mutual TLS, each over a cable of its own to the coordinator and the
exchange. Three cables at a time are cut, both ways: one of each class. One new order every two
milliseconds is commanded for each of these accounts, as a trader who knows of nothing would. The
moment of arrival is the exchange's own, from the report of the first order that only another
worker was handed. Then the cables are healed, and who was behind them is a spare again.

In class C an order that was on its way at the cut blocks its instrument until a person has decided
about it. So that some are left for another cut, class C is traded from a second after the cut on.
"""

import asyncio
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench.cluster import Cluster, free_ports
from bench.cluster_settings import SHARES, SLOTS, Shape, exchange_settings
from bench.waiting import PATIENCE_S, until
from bench.whole_path import percentile_us
from tandem.core.trading.state import Seat
from tandem.domain import link
from tandem.domain.commands import Asked, PlaceParent
from tandem.domain.desk import Commanded, DeskEffect, DeskEvent, FromWorker
from tandem.domain.ids import AskerId, CommandId, Incarnation, Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import Filled
from tests.system.lan.fault_proxy import WAYS

CLASSES: Final = "ABCABCAB"
SPARES: Final = 4
EVERY_S: Final = 0.002
BETWEEN_S: Final = 0.3
PERSON_NS: Final = 1_000_000_000


def class_of(slot_id: SlotId) -> str:
    """Return the fence class of that slot's account."""
    return CLASSES[SLOTS.index(slot_id)]


class Trader:
    """Buys one lot of each share in turn, and hears who was the first to bring one in."""

    def __init__(self, cluster: Cluster) -> None:
        self._recording = cluster.shell.recording
        self._state = cluster.shell.desk.state
        market = exchange_settings().synthetic
        assert market is not None, "the exchange makes its market up"
        references = {one.instrument_id: one.reference for one in market.books}
        self._shares = cycle([(one.symbol, references[one.instrument_id]) for one in SHARES])
        self._made = 0
        self.victims: dict[SlotId, Incarnation] = {}
        self.arrived_ns: dict[SlotId, int] = {}
        self._recording.on_event = self._on_event

    def buy(self, slot_id: SlotId) -> None:
        """Command one order, which trades at once."""
        self._made += 1
        symbol, reference = next(self._shares)
        spec = ParentSpec(
            symbol=symbol,
            side=Side.BUY,
            quantity=Lots(1),
            limit_price=Ticks(reference + reference // 50),
            slots=(slot_id,),
        )
        asked = Asked(command_id=CommandId(f"c{self._made}"), command=PlaceParent(spec=spec))
        self._recording.feed(Commanded(asker=AskerId(0), asked=asked))

    def seat(self, slot_id: SlotId) -> Seat:
        """Return the seat of that slot."""
        return self._state.seats[slot_id]

    def _on_event(self, event: DeskEvent, _effects: list[DeskEffect]) -> None:
        if not isinstance(event, FromWorker):
            return
        message = event.message
        if not isinstance(message, link.Reported) or not isinstance(message.report, Filled):
            return
        worker = self._state.workers.get(event.incarnation)
        slot_id = worker.slot_id if worker is not None else None
        if slot_id is None or slot_id in self.arrived_ns:
            return
        attempt = self._state.attempts[message.report.client_order_id]
        if self.victims.get(slot_id, event.incarnation) != event.incarnation and attempt.sends == 1:
            self.arrived_ns[slot_id] = message.report.venue_at_ns


async def cut(cluster: Cluster, trader: Trader, slots: list[SlotId]) -> dict[SlotId, int]:
    """Cut those off who hold these slots; return how long each slot was without a new order."""
    workers = cluster.shell.desk.state.workers
    trader.victims, trader.arrived_ns = {}, {}
    cables = []
    for slot_id in slots:
        holder = trader.seat(slot_id).holder
        assert holder is not None, f"{slot_id} has no holder"
        trader.victims[slot_id] = holder
        cables.append(cluster.cables[workers[holder].name])
    for cable in cables:
        cable.cut(WAYS)
    cut_ns = time.time_ns()
    async with asyncio.timeout(PATIENCE_S):
        while len(trader.arrived_ns) < len(slots):
            is_early = time.time_ns() < cut_ns + PERSON_NS
            for slot_id in slots:
                if slot_id not in trader.arrived_ns and not (is_early and class_of(slot_id) == "C"):
                    trader.buy(slot_id)
            await asyncio.sleep(EVERY_S)
    for cable in cables:
        cable.heal()
    return {slot_id: arrived - cut_ns for slot_id, arrived in trader.arrived_ns.items()}


async def run(folder: Path, cuts: int) -> dict[str, list[int]]:
    """Cut so many times; return how long it took, by fence class."""
    cluster = Cluster(folder, spares=SPARES, shape=Shape(classes=CLASSES, ports=free_ports()))
    took_ns: dict[str, list[int]] = {one: [] for one in sorted(set(CLASSES))}
    try:
        await cluster.start(has_cables=True)
        trader = Trader(cluster)
        workers = cluster.shell.desk.state.workers
        for number in range(cuts):
            await until(
                lambda: (
                    sum(one.up and one.slot_id is None for one in workers.values()) >= SPARES
                    and all(trader.seat(one).ready for one in SLOTS)
                )
            )
            await asyncio.sleep(BETWEEN_S + number % 10 / 200)
            first = 3 * (number % 2)
            slots = list(SLOTS[first : first + 3])
            for slot_id, one_ns in (await cut(cluster, trader, slots)).items():
                took_ns[class_of(slot_id)].append(one_ns)
    finally:
        cluster.stop()
    return took_ns


def main() -> None:
    """Cut and print."""
    took_ns = uvloop.run(run(Path(sys.argv[1]), int(sys.argv[2])))
    figures = {
        f"{letter} {name}": percentile_us(values, share) / 1e3
        for letter, values in took_ns.items()
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99))
    }
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
