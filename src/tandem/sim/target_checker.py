"""What must be true of what strategies want and hold, by the desk and by the exchanges."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from tandem.core.matching.state import AccountState, Execution
from tandem.core.trading.accounting import Accounting
from tandem.core.trading.booked import BookedAction, BookedFill
from tandem.core.trading.claims import PREFIX, net_id
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import DeskState, Parent
from tandem.core.trading.target_state import Net, Strategies
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, ParentId, SlotId
from tandem.domain.money import ZERO, add, subtract
from tandem.domain.order import Side
from tandem.domain.statements import CostMethod, GroupBy
from tandem.domain.strategies import AssignmentId
from tandem.domain.venue import Adjusted
from tandem.sim.scaled import ScaledLots

Place = tuple[SlotId, InstrumentId]
Held = tuple[AccountId, InstrumentId]


class TargetChecker:
    """Watches the strategies of one desk; `bad` is told what does not hold."""

    def __init__(self, bad: Callable[[str, str], None]) -> None:
        self._bad = bad
        self._most: dict[tuple[ParentId, AssignmentId], int] = {}
        self._ends_ns: dict[AssignmentId, tuple[int, int]] = {}
        self._judged: dict[ParentId, None] = {}
        self.seen: Counter[str] = Counter()

    def on_restart(self) -> None:
        """What was decided and not on disk was never decided: it comes again."""
        self._ends_ns.clear()

    def on_desk(self, state: DeskState, market_ns: int) -> None:
        """The newest decision stands; a net has one order out, for no more than was ever wanted.

        `market_ns` is the market's time, at least.
        """
        roster = state.strategies
        if not roster.assigned and not roster.nets:
            return
        for key, one in roster.assigned.items():
            number, end_ns = self._ends_ns.get(key, (0, 0))
            if one.number == number and (one.end_ns or 0) < end_ns:
                self._bad("I21", f"{key}: a bar that ended {end_ns} is followed by {one.end_ns}")
            self._ends_ns[key] = (one.number, one.end_ns or 0)
        out: dict[ParentId, list[Parent]] = {}
        for parent_id in state.working:
            parent = state.parents[parent_id]
            if parent.owner is not None and parent.owner in roster.nets:
                out.setdefault(parent.owner, []).append(parent)
        for net in roster.nets.values():
            self._judge(net, out.get(net.net_id, []))
            for parent in out.get(net.net_id, []):
                if parent.parent_id not in self._judged:
                    self._judged[parent.parent_id] = None
                    self._judge_age(roster, parent, market_ns)

    def _judge(self, net: Net, out: list[Parent]) -> None:
        if len(out) > 1:
            self._bad("I21", f"{net.net_id}: {len(out)} orders are out at once")
        for key, member in net.members.items():
            place = (net.net_id, key)
            self._most[place] = max(self._most.get(place, 0), member.wanted, member.held)
        if not out:
            return
        held = sum(member.held for member in net.members.values())
        wanted = sum(self._most[net.net_id, key] for key in net.members)
        for parent in out:
            self.seen["orders of nets, by events"] += 1
            if parent.spec.side is Side.BUY and held + parent.quantity - parent.filled > wanted:
                text = f"{net.net_id}: {held} held and {parent.quantity} bought, {wanted} wanted"
                self._bad("I21", text)

    def _judge_age(self, roster: Strategies, parent: Parent, market_ns: int) -> None:
        """What is placed for an assignment was decided lately, or is its way out."""
        for claim in parent.claims:
            one = roster.assigned.get(claim.assignment_id)
            if one is None or claim.is_order or one.exits or not one.position_end_ns:
                continue
            slots, symbol = one.assignment.slots, one.assignment.symbol
            is_place = not slots or all(slot_id in slots for slot_id in parent.slots)
            if not is_place or symbol != parent.spec.symbol:
                continue  # it was assigned elsewhere: a way out too
            self.seen["orders placed for a decision"] += 1
            late_ns = market_ns - one.assignment.good_until_ns(one.position_end_ns)
            if late_ns > 0:
                text = f"{parent.parent_id}: {claim.assignment_id} decided it"
                self._bad("I12", f"{text}, good until {late_ns} ns before")

    def _judge_refusals(self, state: DeskState) -> None:
        """What rests for one strategy never has the order of a net refused."""
        for one in state.prevention.refusals:
            met = state.parents.get(one.met_parent) if one.met_parent is not None else None
            if one.owner is not None and one.owner.startswith(PREFIX) and met and met.claims:
                self._bad("I24", f"{one.owner} was refused for {one.met}, of a strategy too")
        self.seen["orders taken back for another strategy"] += state.counters.get(
            "orders_taken_back", 0
        )

    def check_end(self, state: DeskState, accounts: Iterable[AccountState]) -> None:
        """By the exchanges' books strategies hold what was traded for them, and what they want."""
        self._judge_refusals(state)
        slots = {seat.account_id: seat.slot_id for seat in state.seats.values()}
        traded: dict[Place, ScaledLots] = {}
        orders: dict[ClientOrderId, None] = {}
        for account in accounts:
            for happened in _by_time(account):
                if isinstance(happened, Adjusted):
                    place = (slots[account.settings.account_id], happened.instrument_id)
                    lots = traded.setdefault(place, ScaledLots())
                    lots.split(happened, holders=self._holders(place))
                    continue
                key = happened.fill.client_order_id
                parent = state.parents.get(ParentId(key.rsplit("-", 2)[0]))
                if parent is not None and parent.claims:
                    orders[key] = None
                    place = (state.attempts[key].slot_id, happened.instrument_id)
                    traded.setdefault(place, ScaledLots()).trade(happened.lots)
        self.seen["orders that traded for strategies"] += len(orders)
        held: Counter[Place] = Counter()
        for net in state.strategies.nets.values():
            for member in net.members.values():
                held[net.slot_id, net.instrument_id] += member.held
            lacking = [key for key, member in net.members.items() if member.lacking]
            if lacking:
                self._bad("I2", f"{net.net_id}: {lacking} lack something: {net.note}")
        for place in dict.fromkeys((*traded, *held)):
            lots = traded.get(place, ScaledLots())
            if not lots.allows(held[place]):
                text = f"strategies hold {held[place]} and traded {lots} on {place}"
                self._bad("I5", text)

    def _holders(self, place: Place) -> int:
        """Return how many assignments ever held, or wanted, something there."""
        net = net_id(*place)
        return sum(one == net for one, _ in self._most)

    def check_gains(self, desk: Desk) -> None:
        """What assignments and hands traded, paid and kept is what the ledger says was traded.

        The desk was replayed from its first record, and remembers what it booked.
        """
        accounting = Accounting((GroupBy.ASSIGNMENT, GroupBy.STRATEGY), CostMethod.FIFO)
        for one in desk.booked or ():
            accounting.on_booked(one)
        lots: Counter[Held] = Counter()
        holders: Counter[Held] = Counter()
        cash: dict[tuple[AccountId, str], Decimal] = {}
        for (key, account_id, instrument_id), of in accounting.moment(desk).groups.items():
            self.seen["assignments with gains of their own"] += bool(key[0])
            lots[account_id, instrument_id] += of.lots
            holders[account_id, instrument_id] += 1
            place = (account_id, desk.rules.instruments[instrument_id].quote)
            received = subtract(subtract(of.sold, of.bought), of.fees)
            cash[place] = add(cash.get(place, ZERO), received)
        traded = _traded(desk, holders)
        for account_id, books in desk.state.ledger.accounts.items():
            for instrument_id, given in books.market_lots.items():
                held = lots[account_id, instrument_id]
                scaled = traded.get((account_id, instrument_id))
                self.seen["lots of strategies compared across a split"] += scaled is not None
                if held != -given if scaled is None else not scaled.allows(held):
                    text = f"{held} by strategies and by hand, {scaled or -given} traded"
                    self._bad("I23", f"{account_id} {instrument_id}: {text}")
            for currency, paid in books.market.items():
                all_paid = -add(paid, books.fees.get(currency, ZERO))
                told = cash.get((account_id, currency), ZERO)
                if told != all_paid:
                    text = f"{told} by strategies and by hand, {all_paid} traded"
                    self._bad("I23", f"{account_id} {currency}: {text}")


def _by_time(account: AccountState) -> list[Execution | Adjusted]:
    """Return what traded on an account and the splits of what it held, in order."""
    found: list[tuple[int, Execution | Adjusted]] = [
        *((one.at_ns, one) for one in account.executions),
        *((one.at_ns, one.told) for one in account.adjusted if one.told.is_split),
    ]
    return [happened for _, happened in sorted(found, key=lambda one: one[0])]


def _traded(desk: Desk, holders: Mapping[Held, int]) -> dict[Held, ScaledLots]:
    """Return what was booked as traded, of all that was ever split."""
    booked = desk.booked or ()
    splits = [one for one in booked if isinstance(one, BookedAction) and one.told.is_split]
    found = {(one.account_id, one.instrument_id): ScaledLots() for one in splits}
    for one in booked:
        place = (one.account_id, one.instrument_id)
        if place not in found:
            continue
        if isinstance(one, BookedFill):
            found[place].trade(one.side.sign * one.fill.quantity)
        elif isinstance(one, BookedAction) and one.told.is_split:
            found[place].split(one.told, holders=holders[place])
    return found


def booking_desk() -> Desk:
    """Return a desk to be replayed that remembers all that it books."""
    desk = Desk()
    desk.booked = []
    return desk


def is_settled(state: DeskState) -> bool:
    """Whether no strategy wants what it does not hold."""
    return all(
        not member.lacking
        for net in state.strategies.nets.values()
        for member in net.members.values()
    )
