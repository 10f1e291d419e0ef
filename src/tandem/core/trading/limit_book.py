"""What persons set of the limits, and why the desk or an account may only reduce.

What was set by command stands over what the settings file says, limit by limit and through every
start, until it is reset. An account without an own value has the desk's.
"""

import enum

import msgspec

from tandem.core.trading.risk import TradingState
from tandem.domain.ids import AccountId
from tandem.domain.limits import LimitChanges


class Cause(enum.StrEnum):
    """What keeps somebody reducing; each is lifted for itself."""

    HAND = "by hand"
    DAILY_LOSS = "daily loss"
    OBJECTIVE = "objective"


class Reason(msgspec.Struct, array_like=True, gc=False):
    """Why, for people; `day` is the UTC day of market time with which it ends, None: it stands."""

    text: str
    day: int | None = None


class Scope(msgspec.Struct, array_like=True, gc=False):
    """The desk, or one account: what was set of its limits, and why it only reduces, if it does."""

    changes: LimitChanges = LimitChanges()
    reasons: dict[Cause, Reason] = {}

    @property
    def state(self) -> TradingState:
        """What its gate lets through, unless everything is halted."""
        return TradingState.REDUCING if self.reasons else TradingState.ACTIVE

    @property
    def text(self) -> str:
        """Why it only reduces; empty when it trades."""
        return "; ".join(one.text for one in self.reasons.values())


class LimitBook(msgspec.Struct, array_like=True, gc=False):
    """All of it. An account is listed once something was set for it."""

    desk: Scope = msgspec.field(default_factory=Scope)
    accounts: dict[AccountId, Scope] = {}
    lapses_day: int | None = None  # the first day with which a reason ends

    def account(self, account_id: AccountId) -> Scope:
        """Return the account's, listed from now on."""
        scope = self.accounts.get(account_id)
        if scope is None:
            scope = self.accounts[account_id] = Scope()
        return scope

    def scopes(self) -> list[tuple[AccountId | None, Scope]]:
        """Return the desk's, then those of the accounts in the order in which they came."""
        return [(None, self.desk), *self.accounts.items()]
