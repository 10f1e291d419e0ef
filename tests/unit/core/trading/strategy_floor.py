"""A floor with strategies on it: a few words to save, assign, decide and fill."""

from typing import Any

from tandem.core.trading.showing import show
from tandem.core.trading.state import Attempt, Phase
from tandem.core.trading.target_state import Assigned, Member, Net
from tandem.domain.bars import Span
from tandem.domain.commands import Answer, Assign, Done, SaveStrategy, SetTargets
from tandem.domain.control import AskDecisions
from tandem.domain.ids import AccountId, Lots, SlotId, Ticks
from tandem.domain.limits import Limits
from tandem.domain.strategies import (
    FULL_PPM,
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    StrategyText,
    Target,
)
from tandem.domain.strategy_views import DecisionsView
from tandem.domain.venue import Balances
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of

MINUTE = 60 * SECOND
CROSS = StrategyText(name="cross", language=Language.LUA, text="return 'long'")
LIMITS = Limits(max_orders_per_second=100_000, max_duplicates=100_000)


class StrategyFloor(Floor):
    """Accounts that begin flat, with money; `cross` is saved."""

    def balances(self, account_id: AccountId) -> Balances:
        plain = super().balances(account_id)
        return Balances(query_id=0, cash=plain.cash, positions={})

    def assigned(self, key: str = "a") -> Assigned:
        found = self.state.strategies.assigned[AssignmentId(key)]
        assert isinstance(found, Assigned)
        return found

    def net(self, slot: str = "s1", symbol: str = "T@X") -> Net:
        found = self.state.strategies.nets[f"net {slot} {symbol}"]
        assert isinstance(found, Net)
        return found

    def member(self, key: str = "a", slot: str = "s1") -> Member:
        return self.net(slot).members[AssignmentId(key)]

    def assign(self, key: str = "a", **changes: Any) -> Answer:
        return self.ask(Assign(assignment=assignment(key, **changes)))

    def set(self, key: str = "a", position: float | None = None, **changes: Any) -> Answer:
        """Decide on the bar that has just ended, or that of `end_ns`."""
        return self.ask(SetTargets(targets=(self.target(key, position, **changes),)))

    def target(self, key: str = "a", position: float | None = None, **changes: Any) -> Target:
        end_ns = changes.pop("end_ns", self.now.market_ns)
        fields: dict[str, Any] = {
            "assignment_id": AssignmentId(key),
            "number": self.assigned(key).number if self.knows(key) else 0,
            "begin_ns": end_ns - MINUTE,
            "end_ns": end_ns,
            "position_ppm": None if position is None else round(position * FULL_PPM),
        }
        for name in ("stop_price", "target_price"):
            if name in changes:
                fields[name] = Ticks(changes.pop(name))
        return Target(**(fields | changes))

    def knows(self, key: str) -> bool:
        return AssignmentId(key) in self.state.strategies.assigned

    def out(self) -> list[Attempt]:
        """Return what is out, oldest first."""
        return [one for one in self.attempts() if one.phase not in (Phase.PLANNED, Phase.FINAL)]

    def sizes(self) -> list[int]:
        """Return the lots that are out, negative for sells."""
        return [one.order.side.sign * one.order.quantity for one in self.out()]

    def fill_all(self, price: int = 1_000) -> None:
        """Fill whatever is out, and what that leads to."""
        while self.out():
            attempt = self.out()[0]
            self.fill(attempt, attempt.order.quantity - attempt.cum_quantity, price=price)

    def held(self, key: str = "a", slot: str = "s1") -> int:
        net = self.state.strategies.nets.get(f"net {slot} T@X")
        member = net.members.get(key) if net is not None else None
        return member.held if member is not None else 0

    def said(self, key: str | None = None) -> list[tuple[str, str]]:
        """Return the log, oldest first."""
        asked = AskDecisions(number=1, assignment_id=None if key is None else AssignmentId(key))
        view = show(self.desk, asked, records=0)
        assert isinstance(view, DecisionsView)
        return [(one.what, one.text) for one in reversed(view.decisions)]


def assignment(key: str = "a", **changes: Any) -> Assignment:
    """Return one of `cross` on T, a full position of 10 lots on the first account."""
    slots = changes.pop("slots", ("s1",))
    lots = changes.pop("lots", 10)
    fields: dict[str, Any] = {
        "assignment_id": AssignmentId(key),
        "text_hash": CROSS.text_hash,
        "name": key,
        "symbol": "T",
        "span": Span.M1,
        "slots": tuple(SlotId(one) for one in slots),
        "sizing": Fixed(quantity=Lots(lots)),
    }
    return Assignment(**(fields | changes))


def strategy_floor(**changes: Any) -> StrategyFloor:
    """Return two flat accounts with money, prices at 1000, and a saved strategy."""
    fields: dict[str, Any] = {"slots": 2, "limits": LIMITS}
    floor = StrategyFloor(settings_of(**(fields | changes)))
    floor.open()
    assert isinstance(floor.ask(SaveStrategy(text=CROSS)), Done)
    return floor
