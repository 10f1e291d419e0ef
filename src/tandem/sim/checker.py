"""What must be true after every event, and what must be true in the end (docs/promises.md).

The checker looks at the exchanges' own state and journal, at the coordinator's durable records, and
at what the workers write: never only at what the desk believes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from tandem.adapters.journal.reading import verify
from tandem.core.matching.state import OrderRecord
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import (
    Both,
    BothPhase,
    DeskState,
    Pair,
    PairPhase,
    ParentPhase,
    Phase,
)
from tandem.core.trading.worker import LATE_NS
from tandem.domain.commands import Refused, Taken
from tandem.domain.desk import (
    SECOND,
    DeskEffect,
    DeskEvent,
    Restarted,
    ToWorker,
    WorkerSilent,
)
from tandem.domain.errors import JournalCorruptError, ReplayMismatchError
from tandem.domain.exchange import ExchangeEvent, Requested
from tandem.domain.ids import AccountId, CommandId, ParentId, VenueId
from tandem.domain.link import Grant, Release
from tandem.domain.order import Order, Side
from tandem.domain.strategies import AssignmentId
from tandem.domain.venue import AmendOrder, PlaceOrder
from tandem.domain.worker import ToVenue, WorkerEffect
from tandem.ports import Journal
from tandem.shells.coordinator import DeskRecord
from tandem.shells.recording import replay
from tandem.shells.worker import WorkerShell
from tandem.sim import target_checker
from tandem.sim.algo_checker import AlgoChecker
from tandem.sim.cluster import DESK_RECORDS, Cluster
from tandem.sim.journals import Platter, WatchedJournal
from tandem.sim.mix import ORDER_LOTS_MAX, WHOLE_LOTS_MAX
from tandem.sim.outsider import is_foreign
from tandem.sim.target_checker import TargetChecker, booking_desk

_DONE = ParentPhase.DONE
_FINAL = Phase.FINAL
_SLICING = PairPhase.SLICING
PUNCTUAL_NS = 2 * SECOND  # within which what has a deadline must have kept it


class Violation(msgspec.Struct, frozen=True):
    """An invariant that did not hold."""

    invariant: str
    at_ns: int
    text: str


class Checker:
    """Watches one cluster; `violations` says what was seen."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.violations: list[Violation] = []
        self.seen: Counter[str] = Counter()
        self._durable: dict[str, Release] = {}
        self._began_ns: dict[ParentId, int] = {}
        self._slice_ns: dict[tuple[ParentId, int], int] = {}
        self._started_ns = 0
        self._granted: dict[AccountId, int] = {}
        self._accepted: dict[tuple[VenueId, str], int] = {}
        self._cores: dict[VenueId, int] = {}
        self.algos = AlgoChecker(lambda what, text: self.bad(what, text=text))
        self.targets = TargetChecker(lambda what, text: self.bad(what, text=text))
        self.is_needless: Callable[[str], bool] = lambda _name: False
        cluster.on_desk = self._on_desk
        cluster.on_exchange = self._on_exchange
        cluster.on_worker = self._on_worker
        cluster.on_performed = self._on_performed
        cluster.watched = self._watched

    def number_of(self, key: AssignmentId) -> int:
        """Return the number of an assignment, as whoever decides for it sees it; 0 for none."""
        one = self.desk.state.strategies.assigned.get(key)
        return 0 if one is None else one.number

    def bad(self, invariant: str, *, text: str) -> None:
        """Note a violation."""
        if len(self.violations) < 20:
            now_ns = self.cluster.world.now_ns
            self.violations.append(Violation(invariant, now_ns, text))

    def _watched(self, journal: Journal) -> Journal:
        return WatchedJournal(journal, self._on_durable)

    def _on_durable(self, content: bytes) -> None:
        if b"release" not in content:
            return
        record: DeskRecord = DESK_RECORDS.decode(content)
        for effect in record.effects:
            if isinstance(effect, ToWorker) and isinstance(effect.message, Release):
                release = effect.message
                self._durable[release.order.client_order_id] = release

    # -- after every event of the desk

    def _on_desk(self, event: DeskEvent, effects: list[DeskEffect]) -> None:
        state = self.desk.state
        if isinstance(event, Restarted):
            self._started_ns = self.cluster.world.now_ns
            self.targets.on_restart()
        if isinstance(event, WorkerSilent) and event.incarnation in state.workers:
            worker = state.workers[event.incarnation]
            name = worker.name
            # Elsewhere nobody is killed, and the run that is silent may be one that has ended.
            if worker.machine is None and self.is_needless(name):
                self.bad("alarm", text=f"{name} is killed for our own stall")
        for effect in effects:
            if isinstance(effect, ToWorker) and isinstance(effect.message, Release):
                self._check_release(state, effect.message)
        self._check_parents(state)
        self._check_owners(state)
        self.algos.on_desk(state, self.cluster.world.now_ns)
        self.targets.on_desk(state, self.cluster.desk_clock.now().market_ns)

    def _check_parents(self, state: DeskState) -> None:
        attempts = state.attempts
        for key in state.working:
            parent = state.parents[key]
            full = 0
            for one in parent.attempts:
                attempt = attempts[one]
                if attempt.phase is not _FINAL:  # as `is_final`, which takes twice as long
                    full += attempt.order.quantity
            if full != parent.allocated:
                self.bad("I9", text=f"{key}: allocated {parent.allocated}, attempts hold {full}")
            if parent.done_quantity + full > parent.quantity:
                self.bad("I1", text=f"{key}: {parent.done_quantity} + {full} of {parent.quantity}")

    def _check_owners(self, state: DeskState) -> None:
        """Pairs and two-sided quotes keep what they promise of the difference of their sides."""
        for pair in state.pairs.values():
            if pair.phase is _SLICING:
                self._slice_ns.setdefault((pair.pair_id, pair.slices), self.cluster.world.now_ns)
                apart, most = _surplus(state, pair), int(pair.spec.slice_quantity)
                if abs(apart) > most:
                    self.bad("I7", text=f"legs differ by {apart}, a slice is {most}")
        for key, both in state.boths.items():
            self._began_ns.setdefault(key, self.cluster.world.now_ns)
            if abs(_surplus(state, both)) > both.spec.inventory_limit:
                self.bad("I19", text=f"{key}: {_surplus(state, both)} lots are beyond its limit")

    def _check_release(self, state: DeskState, release: Release) -> None:
        """What is released for the first time goes with its wave, within limits, unblocked."""
        if release.send_number > 1:
            return
        key = release.order.client_order_id
        attempt = state.attempts[key]
        parent = state.parents[attempt.parent_id]
        order = attempt.order
        if parent.planned:
            self.bad("I16", text=f"{key} is released, {parent.planned} of its wave are not")
        open_lots = 0
        for other_key in parent.attempts:
            other = state.attempts[other_key]
            if not other.is_final and other.order.instrument_id == order.instrument_id:
                open_lots += other.order.quantity
        if open_lots > WHOLE_LOTS_MAX:
            self.bad("I10", text=f"{attempt.parent_id}: {open_lots} lots are released")
        for other_key in state.seats[attempt.slot_id].open:
            other = state.attempts[other_key]
            if other.for_person and other.order.instrument_id == order.instrument_id:
                self.bad("I17", text=f"{key} is released while {other_key} waits for a person")

    @property
    def desk(self) -> Desk:
        """The latest desk."""
        assert self.cluster.coordinator is not None, "no coordinator was started"
        return self.cluster.coordinator.desk

    def _on_performed(self, effect: DeskEffect) -> None:
        if isinstance(effect, ToWorker) and isinstance(effect.message, Grant):
            grant = effect.message
            before = self._granted.get(grant.account_id, 0)
            self._granted[grant.account_id] = max(before, grant.account_epoch)

    def _on_worker(self, shell: WorkerShell, effect: WorkerEffect) -> None:
        if not isinstance(effect, ToVenue) or not isinstance(effect.request, PlaceOrder):
            return
        core = shell.core
        key = effect.request.order.client_order_id
        if core.by_hand.is_on:
            self.bad("halt", text=f"{core.name} writes {key}, though it was halted by hand")
        release = self._durable.get(key)
        if release is None:
            self.bad("I8", text=f"{core.name} writes {key}, of which no release is durable")
            return
        account_id, epoch = core.account_id, core.account_epoch
        if account_id is None:  # it gave the account up by a later word of the same frame
            account_id, epoch = release.account_id, release.account_epoch
        if epoch < self._granted.get(account_id, 0):
            self.bad("I3", text=f"{core.name} writes {key} under epoch {epoch}")
        lots = effect.request.order.quantity
        if lots > ORDER_LOTS_MAX:
            self.bad("I10", text=f"{core.name} writes {key} of {lots} lots")
        venue = self.cluster.exchanges[effect.venue_id].core.state
        skew_ns = self.desk.rules.venues[effect.venue_id].skew_ns
        late_ns = venue.at_ns + venue.misbehavior.skew_ns - release.release_by_ns
        if late_ns > LATE_NS + skew_ns:
            self.bad("I18", text=f"{core.name} writes {key} {late_ns // 10**6} ms too late")

    # -- at every accept

    def _on_exchange(self, venue_id: VenueId, event: ExchangeEvent) -> None:
        if not isinstance(event, Requested):
            return
        if isinstance(event.request, AmendOrder):
            self.seen["amendments asked for"] += 1
            self._check_total(event.request.client_order_id.rsplit("-", 2)[0])
        if not isinstance(event.request, PlaceOrder):
            return
        order = event.request.order
        if is_foreign(order.client_order_id):
            return
        self._forget_undone(venue_id)
        found = self._record(venue_id, order)
        if found is None or self._accepted.get((venue_id, order.client_order_id)) == found.number:
            return
        if (venue_id, order.client_order_id) in self._accepted:
            self.bad("I1", text=f"{order.client_order_id} was accepted twice")
        self._accepted[venue_id, order.client_order_id] = found.number
        self.seen["accepted"] += 1
        parent_id = order.client_order_id.rsplit("-", 2)[0]
        self._check_cross(order)
        self._check_total(parent_id)
        self.algos.on_accept(self.desk.state, parent_id, self._records())

    def _forget_undone(self, venue_id: VenueId) -> None:
        """What an exchange took in and lost by dying before its disk had it was never accepted."""
        starts = self.cluster.starts[venue_id]
        if self._cores.get(venue_id) == starts:
            return
        self._cores[venue_id] = starts
        for at, key in list(self._accepted):
            if at == venue_id and not self._holds(venue_id, self._accepted[at, key], key):
                del self._accepted[at, key]

    def _holds(self, venue_id: VenueId, number: int, key: str) -> bool:
        """Whether that exchange has the very order; the same id may have come again since."""
        for account in self.cluster.exchanges[venue_id].core.state.accounts:
            record = account.records.get(number)
            if record is not None and record.order.client_order_id == key:
                return True
        return False

    def _record(self, venue_id: VenueId, order: Order) -> OrderRecord | None:
        for account in self.cluster.exchanges[venue_id].core.state.accounts:
            number = account.numbers.get(order.client_order_id)
            if number is not None:
                return account.records.get(number)
        return None

    def _check_cross(self, order: Order) -> None:
        """No own order is open that this one would meet, on any account of its market."""
        catalogue = self.desk.rules.catalogue
        book_id = catalogue[order.instrument_id].book_id
        for other in self._open():
            if (
                other.client_order_id != order.client_order_id
                and other.side is not order.side
                and catalogue[other.instrument_id].book_id == book_id
                and _crosses(order, other)
            ):
                self.bad("I4", text=f"{order.client_order_id} meets {other.client_order_id}")

    def _open(self) -> list[Order]:
        return [
            record.order
            for shell in self.cluster.exchanges.values()
            for account in shell.core.state.accounts
            for record in account.records.values()
            if record.status is None and not is_foreign(record.order.client_order_id)
        ]

    def _records(self) -> Iterator[OrderRecord]:
        """Yield every order that the exchanges know."""
        for shell in self.cluster.exchanges.values():
            for account in shell.core.state.accounts:
                yield from account.records.values()

    def _check_total(self, parent_id: str) -> None:
        parent = self.desk.state.parents.get(parent_id)  # type: ignore[call-overload]
        if parent is None:
            self.bad("I8", text=f"{parent_id} is not known to the desk")
            return
        total = sum(
            one.order.quantity if one.status is None else one.cum_quantity
            for shell in self.cluster.exchanges.values()
            for account in shell.core.state.accounts
            for one in account.records.values()
            if one.order.client_order_id.rsplit("-", 2)[0] == parent_id
        )
        if total > parent.quantity:
            self.bad("I1", text=f"{parent_id}: {total} at venues of {parent.quantity}")

    # -- in the end

    def check_lifetimes(self) -> None:
        """What has a deadline ends by it, and a restart sets it anew: nobody need ask."""
        world = self.cluster.world
        if not world.process("coordinator").alive:
            return
        state = self.desk.state
        late_ns = world.now_ns - PUNCTUAL_NS
        self.algos.check_lifetimes(state, started_ns=self._started_ns, late_ns=late_ns)
        for key, both in state.boths.items():
            late_ns = self._late_ns(self._began_ns.get(key), both.spec.lifetime_ns)
            if both.phase is BothPhase.QUOTING and late_ns > PUNCTUAL_NS:
                self.bad("I2", text=f"{key} quotes {late_ns // 10**6} ms beyond its lifetime")
        for key, pair in state.pairs.items():
            late_ns = self._late_ns(self._slice_ns.get((key, pair.slices)), pair.spec.slice_ns)
            legs = [state.parents[one] for one in pair.legs]
            left = [one for one in legs if not one.cancel_wanted and one.phase is not _DONE]
            if pair.phase is PairPhase.SLICING and left and late_ns > PUNCTUAL_NS:
                self.bad("I2", text=f"{key}: a slice is open {late_ns // 10**6} ms too long")

    def _late_ns(self, began_ns: int | None, span_ns: int) -> int:
        """Return how long that span has been over, counted from the last start at the earliest."""
        now_ns = self.cluster.world.now_ns
        return now_ns - max(began_ns or now_ns, self._started_ns) - span_ns

    def check_told(self, taken: dict[CommandId, str]) -> None:
        """Whoever was told that his command is taken finds it taken."""
        answers = self.desk.state.answers
        for command_id, text in taken.items():
            known = answers[command_id].answer if command_id in answers else None
            ours = str(known.order_id) if isinstance(known, Taken) else "done"
            if known is None or isinstance(known, Refused) or ours != text:
                self.bad("answers", text=f"{command_id}: told {text}, the desk holds {known}")

    @property
    def is_settled(self) -> bool:
        """Whether everything that was asked has ended."""
        state = self.desk.state
        if state.working or state.running or any(seat.open for seat in state.seats.values()):
            return False
        if not target_checker.is_settled(state):
            return False
        quoting = any(one.phase is not BothPhase.DONE for one in state.boths.values())
        done = (PairPhase.DONE, PairPhase.HALTED)
        return not quoting and all(one.phase in done for one in state.pairs.values())

    def check_end(self) -> None:
        """Compare desk and exchanges when all is calm: nothing lost, nothing repeated."""
        state = self.desk.state
        if not self.is_settled:
            stuck = [
                f"{one} {state.attempts[one].phase}" for s in state.seats.values() for one in s.open
            ]
            self.bad("I2", text=f"not settled: {list(state.working)} {stuck}")
        for attempt in state.attempts.values():
            if attempt.phase is Phase.PLANNED:
                self.bad("I2", text=f"{attempt.order.client_order_id} is still planned")
        for key, pair in state.pairs.items():
            if pair.phase is PairPhase.DONE and _surplus(state, pair):
                self.bad("I7", text=f"{key} is done, its legs differ by {_surplus(state, pair)}")
        if state.short_of_room:
            self.bad("I2", text="new orders are refused for want of room, and there is room")
        self.algos.check_end(state, self._records())
        accounts = [a for one in self.cluster.exchanges.values() for a in one.core.state.accounts]
        self.targets.check_end(state, accounts)
        self._check_executions(state)
        self._check_balances(state)
        self._check_audit()

    def _check_executions(self, state: DeskState) -> None:
        at_venues: dict[str, dict[str, int]] = {}
        for shell in self.cluster.exchanges.values():
            for account in shell.core.state.accounts:
                for execution in account.executions:
                    fill = execution.fill
                    if is_foreign(fill.client_order_id):
                        continue  # the ledger is to have it, and `_check_balances` looks there
                    fills = at_venues.setdefault(fill.client_order_id, {})
                    fills[fill.execution_id] = fill.quantity
                for record in account.records.values():
                    if record.status is None and self.is_settled:
                        self.bad("I2", text=f"{record.order.client_order_id} is open at the venue")
        for key, attempt in state.attempts.items():
            ours: dict[str, int] = {str(one): lots for one, lots in attempt.executions.items()}
            theirs = at_venues.pop(key, {})
            if ours != theirs:
                self.bad("I5", text=f"{key}: we have {ours}, the venue {theirs}")
        for client_order_id, fills in at_venues.items():
            self.bad("I5", text=f"{client_order_id}: not ours, but filled {fills}")

    def _check_balances(self, state: DeskState) -> None:
        state.ledger.check()
        for shell in self.cluster.exchanges.values():
            for account in shell.core.state.accounts:
                account_id = account.settings.account_id
                if not any(
                    seat.opened for seat in state.seats.values() if seat.account_id == account_id
                ):
                    continue
                self._check_account(state, account_id, account.cash, dict(account.positions))

    def _check_account(
        self,
        state: DeskState,
        account_id: AccountId,
        cash: dict[str, Decimal],
        positions: dict,  # type: ignore[type-arg]
    ) -> None:
        for currency, amount in cash.items():
            ours = state.ledger.cash(account_id, currency)
            if ours != amount:
                text = f"{account_id}: {ours} {currency} booked, {amount} at the venue"
                self.bad("I6", text=text)
        for instrument_id, lots in positions.items():
            held = state.ledger.lots(account_id, instrument_id)
            if held != lots:
                self.bad("I5", text=f"{account_id}: {held} {instrument_id} booked, {lots} there")

    def _check_audit(self) -> None:
        """The chain is whole, and replaying it from its first byte gives the same state."""
        disk = Platter(self.cluster.world.folder("coordinator", machine="home"))
        again = booking_desk()
        records: list[bytes] = []
        try:
            self.seen["records"] += verify(disk, on_records=records.extend).records
            replay(again, records, DESK_RECORDS)
        except (JournalCorruptError, ReplayMismatchError) as error:
            self.bad("I13", text=str(error))
            return
        if again.snapshot() != self.desk.snapshot():
            self.bad("I11", text="replaying the journal gives another state")
        self.targets.check_gains(again)


def _crosses(order: Order, other: Order) -> bool:
    if order.limit_price is None or other.limit_price is None:
        return True
    if order.side is Side.BUY:
        return order.limit_price >= other.limit_price
    return order.limit_price <= other.limit_price


def _surplus(state: DeskState, owner: Pair | Both) -> int:
    """Return what its parts bought beyond what they sold."""
    surplus = 0
    for key in owner.parts:
        part = state.parents.get(key)
        if part is not None:
            surplus += part.filled * part.spec.side.sign
    return surplus
