"""Judges a run from the venues' own records, as it goes; the desk is asked as little as may be.

An own cross is two things: that two orders of ours met at a venue, which would show as a prevented
quantity, since all accounts have one owner; and that they could have, because an own bid is at or
above an own ask, on whichever venue each of them rests.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tandem.core.matching.state import OrderRecord
from tandem.core.trading.state import BothPhase, PairPhase
from tandem.domain import desk as events
from tandem.domain import exchange as market
from tandem.domain import link
from tandem.domain.ids import AccountId, VenueId
from tandem.domain.order import Order, Side
from tandem.domain.venue import PlaceOrder, VenueRequest
from tests.simulation.million.floor import LOTS_MAX, SYMBOLS, VENUES, Floor, Process
from tests.unit.core.trading.desk_driver import prove

FAR: Final = 10**12
PROVE_EVERY: Final = 4_000  # events of the desk between looks at all of its state
VIOLATIONS_MAX: Final = 20


class OwnSide:
    """Our open orders on one side of one book, over both venues: the best of them."""

    def __init__(self, side: Side) -> None:
        self._sign = side.sign
        self._heap: list[tuple[int, int, OrderRecord]] = []
        self._pushed = 0

    def add(self, record: OrderRecord) -> None:
        """Note that this order is open, at the price that it has now."""
        self._pushed += 1
        heapq.heappush(self._heap, (-self._sign * self.price(record.order), self._pushed, record))

    def price(self, order: Order) -> int:
        """Return how far it reaches."""
        return self._sign * FAR if order.limit_price is None else order.limit_price

    def best(self) -> OrderRecord | None:
        """Return the open order that reaches furthest towards the other side."""
        heap = self._heap
        while heap:
            record = heap[0][2]
            if record.status is None and -self._sign * self.price(record.order) == heap[0][0]:
                return record
            heapq.heappop(heap)
        return None


class Judge:
    """Watches one floor."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self._own = {(one, side): OwnSide(side) for one in SYMBOLS for side in Side}
        self._orders = dict.fromkeys(VENUES, 0)
        self._of_parent: dict[str, list[OrderRecord]] = {}
        self._largest: dict[str, int] = {}
        self._granted: dict[AccountId, int] = {}
        self._events = 0
        floor.watcher = self

    def bad(self, invariant: str, text: str) -> None:
        """Note a violation."""
        self.counts[invariant] += 1
        if len(self.violations) < VIOLATIONS_MAX:
            at_ms = self.floor.now_ns // 10**6
            self.violations.append(f"{invariant} at {at_ms} ms: {text}")

    # -- the desk

    def on_desk(self, event: events.DeskEvent, effects: list[events.DeskEffect]) -> None:
        """Look at grants, and now and then at everything."""
        for effect in effects:
            if isinstance(effect, events.ToWorker):
                message = effect.message
                if isinstance(message, link.Grant):
                    before = self._granted.get(message.account_id, 0)
                    self._granted[message.account_id] = max(before, message.account_epoch)
                elif isinstance(message, link.Release):
                    self._released(message)
        self._events += 1
        if self._events % PROVE_EVERY == 0:
            self.prove()

    def _released(self, release: link.Release) -> None:
        state = self.floor.desk.state
        attempt = state.attempts[release.order.client_order_id]
        parent = state.parents[attempt.parent_id]
        if release.send_number == 1 and parent.planned:
            self.bad("I16", f"{release.order.client_order_id} goes without its wave")
        largest = self._largest.get(parent.parent_id, 0)
        self._largest[parent.parent_id] = max(largest, parent.quantity)

    def prove(self) -> None:
        """Let the desk's books be looked at as a whole, and forget what it has forgotten."""
        self.counts["proofs of all books"] += 1
        try:
            prove(self.floor.desk)
        except AssertionError as error:
            self.bad("I1 I4 I6 I9", f"the desk's books: {error}")
        state = self.floor.desk.state
        for both in state.boths.values():
            if abs(both.inventory) > both.spec.inventory_limit:
                self.bad("I19", f"{both.both_id} holds {both.inventory}")
        for pair in state.pairs.values():
            apart = abs(pair.bought - pair.sold)
            if pair.phase is PairPhase.SLICING and apart > pair.spec.slice_quantity:
                self.bad("I7", f"{pair.pair_id}: its legs differ by {apart}")
        known = state.parents
        for kept in (self._of_parent, self._largest):
            for key in [one for one in kept if one not in known]:
                del kept[key]

    # -- workers

    def on_request(self, process: Process, request: VenueRequest) -> None:
        """I3: nothing is written under an older grant than the last."""
        if not isinstance(request, PlaceOrder):
            return
        core = process.core
        granted = self._granted.get(core.account_id, 0) if core.account_id is not None else 0
        if core.account_epoch < granted:
            key = request.order.client_order_id
            self.bad("I3", f"{core.name} writes {key} under epoch {core.account_epoch}")

    # -- venues

    def before_venue(self, venue_id: VenueId, event: market.ExchangeEvent) -> None:
        """Remember how many orders it had taken."""
        self._orders[venue_id] = self.floor.exchanges[venue_id].state.orders

    def after_venue(self, venue_id: VenueId, event: market.ExchangeEvent) -> None:
        """Judge the order that it took, if it took one."""
        if isinstance(event, market.Restarted):
            self._gather()
        if not isinstance(event, market.Requested):
            return
        request = event.request
        key = getattr(request, "client_order_id", None)
        state = self.floor.exchanges[venue_id].state
        if isinstance(request, PlaceOrder):
            if state.orders == self._orders[venue_id]:
                return
            key = request.order.client_order_id
        elif type(request).__name__ != "AmendOrder":
            return
        for account in state.accounts:
            number = account.numbers.get(key or "")
            if number is not None and number in account.records:
                self._judge(account.records[number], isinstance(request, PlaceOrder))
                return

    def _judge(self, record: OrderRecord, is_new: bool) -> None:
        order = record.order
        symbol = order.instrument_id.split("@")[0]
        other = self._own[symbol, order.side.opposite].best()
        mine = self._own[symbol, order.side]
        self.counts["orders judged"] += 1
        if other is not None:
            theirs = self._own[symbol, order.side.opposite].price(other.order)
            if (mine.price(order) - theirs) * order.side.sign >= 0:
                self.bad("I4", f"{order.client_order_id} meets {other.order.client_order_id}")
        if _has_met(record):
            self.bad("I4", f"{order.client_order_id} met an own order at its venue")
        if record.status is None:
            mine.add(record)
        if order.quantity > LOTS_MAX:
            self.bad("I10", f"{order.client_order_id} is for {order.quantity}")
        if is_new:
            self._of_whole(record)

    def _of_whole(self, record: OrderRecord) -> None:
        """I1 I9: the venues hold and traded no more of a parent than was asked."""
        parent_id = record.order.client_order_id.rsplit("-", 2)[0]
        records = self._of_parent.setdefault(parent_id, [])
        records.append(record)
        total = sum(
            one.order.quantity if one.status is None else one.cum_quantity for one in records
        )
        most = self._largest.get(parent_id)
        if most is None:
            self.bad("I8", f"{record.order.client_order_id} was never released")
        elif total > most:
            self.bad("I1", f"{parent_id}: {total} at venues of {most}")

    def _gather(self) -> None:
        """A venue that came back has records of its own: take all that are open anew."""
        self._own = {(one, side): OwnSide(side) for one in SYMBOLS for side in Side}
        by_key: dict[str, list[OrderRecord]] = {}
        for record in self._records():
            symbol = record.order.instrument_id.split("@")[0]
            parent_id = record.order.client_order_id.rsplit("-", 2)[0]
            by_key.setdefault(parent_id, []).append(record)
            if record.status is None:
                self._own[symbol, record.order.side].add(record)
        self._of_parent = by_key

    def _records(self) -> Iterator[OrderRecord]:
        for exchange in self.floor.exchanges.values():
            for account in exchange.state.accounts:
                yield from account.records.values()

    # -- when all is calm

    def check_calm(self) -> None:
        """Compare desk and venues when nothing is under way: nothing lost, nothing repeated."""
        state = self.floor.desk.state
        stuck = [key for seat in state.seats.values() for key in seat.open]
        if state.working or stuck or state.running:
            self.bad("I2", f"not settled: {list(state.working)[:5]} {stuck[:5]} {state.running}")
        if any(one.phase is not BothPhase.DONE for one in state.boths.values()):
            self.bad("I2", "a two-sided quote has not ended")
        for pair in state.pairs.values():
            if pair.phase is PairPhase.DONE and pair.bought != pair.sold:
                self.bad("I7", f"{pair.pair_id} is done: {pair.bought} bought, {pair.sold} sold")
        for record in self._records():
            if record.status is None:
                self.bad("I2", f"{record.order.client_order_id} is open at its venue")
            if _has_met(record):
                self.bad("I4", f"{record.order.client_order_id} met an own order at its venue")
        self._check_accounts()
        self.prove()
        self.counts["calms"] += 1

    def _check_accounts(self) -> None:
        """I5 I6: cash and lots are the venues', to the last digit."""
        desk = self.floor.desk
        for exchange in self.floor.exchanges.values():
            for account in exchange.state.accounts:
                name = account.settings.account_id
                held = desk.state.ledger.accounts[name].lots
                if {k: v for k, v in held.items() if v} != {
                    k: v for k, v in account.positions.items() if v
                }:
                    self.bad("I5", f"{name}: {held}, the venue {account.positions}")
                cash = desk.state.ledger.cash(name, "USD")
                if cash != account.cash["USD"]:
                    self.bad("I6", f"{name}: {cash}, the venue {account.cash['USD']}")
        counted = desk.state.counters
        for what in ("external_fills", "overfilled"):
            if counted.get(what):
                self.bad("I5", f"{what}: {counted[what]}")
        # A venue whose answers lag may list what it has just canceled; that is ours, and known.
        if counted.get("external_orders", 0) > counted.get("orders_undead", 0):
            self.bad("I5", f"external orders: {counted['external_orders']}")


def _has_met(record: OrderRecord) -> bool:
    """Whether it met an own order; what only reduces is cut to the position as well."""
    return record.prevented > 0 and not record.order.reduce_only
