"""What a trader or a strategy asks of the desk, and what is answered.

A command carries an id chosen by the asker and kept until answered: the same id and content get
the earlier answer again, the same id with other content is refused.
"""

import enum
from decimal import Decimal
from typing import Final

from tandem.domain.algos import AlgoSpec, Leaving
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    CommandId,
    HaltId,
    Lots,
    ParentId,
    SlotId,
    Ticks,
)
from tandem.domain.limits import MONEY_MAX, LimitChanges
from tandem.domain.parents import ParentSpec
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    DroppedTarget,
    StrategyText,
    Target,
)
from tandem.domain.value import Value

TIMES_NS_MAX: Final = 2**62
SYMBOLS_MAX: Final = 1_000
SYMBOL_MAX: Final = 60


class PlaceParent(Value, frozen=True, kw_only=True, tag="place_parent"):
    """Trade this."""

    spec: ParentSpec


class ExitRule(enum.StrEnum):
    """What a two-sided quote leaves behind."""

    CANCEL = "cancel"  # the inventory stays
    FLATTEN = "flatten"  # what one side has more than the other is traded back at the market


class PlaceBoth(Value, frozen=True, kw_only=True, tag="place_both"):
    """Quote both sides of one instrument: a buy below and a sell above.

    Each side is quoted anew when it is done, at most `refreshes` times and never so that the
    inventory (bought minus sold) could exceed `inventory_limit` in size. After `lifetime_ns`
    both are canceled and the exit rule is applied.
    """

    symbol: str
    quantity: Lots
    buy_price: Ticks
    sell_price: Ticks
    slots: tuple[SlotId, ...] = ()
    inventory_limit: Lots
    refreshes: int = 0
    lifetime_ns: int
    exit_rule: ExitRule = ExitRule.CANCEL


class LegPolicy(enum.StrEnum):
    """What becomes of a pair of which one leg traded more than the other."""

    HEDGE = "hedge"  # the missing side is traded at the market
    UNWIND = "unwind"  # the surplus side is traded back at the market
    HALT = "halt"  # the pair stops and says so


class PlacePair(Value, frozen=True, kw_only=True, tag="place_pair"):
    """Buy on one market and sell on another, slice by slice.

    A slice is released on both legs together; the next waits until both are final. After
    `slice_ns` what is still open of a slice is canceled, and a difference between the legs goes
    to the policy, which has `policy_ns` to end it.
    """

    buy_symbol: str
    sell_symbol: str
    buy_price: Ticks
    sell_price: Ticks
    slice_quantity: Lots
    slices: int
    buy_slots: tuple[SlotId, ...]
    sell_slots: tuple[SlotId, ...]
    policy: LegPolicy = LegPolicy.HEDGE
    slice_ns: int = 5_000_000_000
    policy_ns: int = 20_000_000_000


class PlaceAlgo(Value, frozen=True, kw_only=True, tag="place_algo"):
    """Work this order by an algorithm, over time or once something has happened."""

    spec: AlgoSpec


class PauseOrder(Value, frozen=True, kw_only=True, tag="pause_order"):
    """Cancel what an algorithm has in the market, and let it send nothing, until resumed."""

    order_id: str


class ResumeOrder(Value, frozen=True, kw_only=True, tag="resume_order"):
    """Let a paused algorithm go on; one that follows a schedule catches up."""

    order_id: str


class ReplaceOrder(Value, frozen=True, kw_only=True, tag="replace_order"):
    """Change a working order's quantity, limit price or both; None leaves it as it is.

    `quantity` counts what has traded. A plain order keeps its place in the queue where its venue
    lets it: when only its quantity falls.
    """

    order_id: str
    quantity: Lots | None = None
    limit_price: Ticks | None = None


class CancelOrders(Value, frozen=True, kw_only=True, tag="cancel_orders"):
    """End a parent, a pair, a two-sided quote or an algorithm by its id; None ends all.

    `is_closing`: nobody changed his mind, a pool ends; strategies want later what they want now.
    """

    order_id: str | None
    is_closing: bool = False


class HaltTrading(Value, frozen=True, kw_only=True, tag="halt_trading"):
    """Refuse new orders and cancel all open ones, until resumed; with `symbol`, of that alone.

    `halt_id` is that by which workers may have been told themselves.
    """

    reason: str
    halt_id: HaltId | None = None
    symbol: str | None = None


class ResumeTrading(Value, frozen=True, kw_only=True, tag="resume_trading"):
    """Trade again after a halt: of everything, or of that symbol."""

    symbol: str | None = None


class SwapWorker(Value, frozen=True, kw_only=True, tag="swap_worker"):
    """Replace the process that fills this slot by the spare."""

    slot_id: SlotId


class DrainWorker(Value, frozen=True, kw_only=True, tag="drain_worker"):
    """Let this worker hand its account over as soon as nothing is under way, and take no other.

    `worker` is the name of its process.
    """

    worker: str


class ResolveOrder(Value, frozen=True, kw_only=True, tag="resolve_order"):
    """A person's word on an order that no machine can settle.

    `lived` False: it never reached the venue. True: it has ended there, with `cum_quantity`
    traded at `price` on average (None when nothing traded).
    """

    client_order_id: ClientOrderId
    lived: bool
    cum_quantity: Lots = Lots(0)
    price: Ticks | None = None
    fee: Decimal = Decimal(0)


class ExplainExternal(Value, frozen=True, kw_only=True, tag="explain_external"):
    """The trader knows what others did there: trade it again on that account.

    `unit` is an instrument's id, or a currency.
    """

    account_id: AccountId
    unit: str


class SetUpPool(Value, frozen=True, kw_only=True, tag="set_up_pool"):
    """Configure `workers` processes of those that joined, and start trading with an even pool."""

    workers: int


class SetLimits(Value, frozen=True, kw_only=True, tag="set_limits"):
    """Change limits of the whole desk, or of one account; it stands until set otherwise.

    What is set for the desk holds for every account as well that has no own value. `reset` names
    limits that go back to what the settings (for an account: the desk) say.
    """

    account_id: AccountId | None = None
    changes: LimitChanges = LimitChanges()
    reset: tuple[str, ...] = ()


class ReduceOnly(Value, frozen=True, kw_only=True, tag="reduce_only"):
    """Let the desk, or one account, only bring positions nearer to zero; off: trade again.

    On, open orders that could do anything else are canceled. Off also lifts what a daily loss or
    an objective began; the day's loss counts from zero again.
    """

    account_id: AccountId | None = None
    on: bool
    reason: str = "by hand"


class AtObjective(enum.StrEnum):
    """What is done when an objective is reached."""

    STOP = "stop"  # only what reduces a position may trade
    FLATTEN = "flatten"  # everything is canceled, then every position is closed at the market


class SetObjectives(Value, frozen=True, kw_only=True, tag="set_objectives"):
    """When to stop: by gain, by loss, or by the clock. New ones replace the old.

    Gain is realized and unrealized, fees included, of all positions in `currency` (of `symbols`,
    when any are named), counted from now on; with `of_trades` only by what trades from now on, as
    if all that is held now was kept. The desk stops as `then` says at `target_profit`, at
    a loss of `loss_limit`, and after `lasts_ns`. It flattens so that it is flat by
    `flat_by_market_ns`, or after `flat_after_ns`. All times are market time.

    Raises:
        ConfigurationError: an amount or a time that cannot be, or nothing is set.
    """

    currency: str
    target_profit: Decimal | None = None
    loss_limit: Decimal | None = None
    flat_by_market_ns: int | None = None
    flat_after_ns: int | None = None
    lasts_ns: int | None = None
    then: AtObjective = AtObjective.STOP
    symbols: tuple[str, ...] = ()
    of_trades: bool = False

    def __post_init__(self) -> None:
        for name in ("target_profit", "loss_limit"):
            amount = getattr(self, name)
            if amount is not None and not (amount.is_finite() and 0 < amount <= MONEY_MAX):
                raise ConfigurationError(f"{name} is {amount}, expected above 0, to {MONEY_MAX:f}")
        for name in ("flat_by_market_ns", "flat_after_ns", "lasts_ns"):
            time_ns = getattr(self, name)
            if time_ns is not None and not 0 < time_ns < TIMES_NS_MAX:
                raise ConfigurationError(f"{name} is {time_ns}, expected 1 to {TIMES_NS_MAX}")
        if self.flat_by_market_ns is not None and self.flat_after_ns is not None:
            raise ConfigurationError("flat_by and flat_after: expected one of them")
        if len(self.symbols) > SYMBOLS_MAX or any(len(one) > SYMBOL_MAX for one in self.symbols):
            raise ConfigurationError(f"expected at most {SYMBOLS_MAX} symbols")
        wanted = (self.target_profit, self.loss_limit, self.lasts_ns)
        if (*wanted, self.flat_by_market_ns, self.flat_after_ns) == (None,) * 5:
            raise ConfigurationError("no objective: expected a profit, a loss or a time")


class ClearObjectives(Value, frozen=True, kw_only=True, tag="clear_objectives"):
    """Have no objectives any more; what one of them stopped trades again."""


class SaveStrategy(Value, frozen=True, kw_only=True, tag="save_strategy"):
    """Keep this text by its hash, and let its name mean it from now on.

    What is assigned keeps the text that it was assigned with.
    """

    text: StrategyText


class Assign(Value, frozen=True, kw_only=True, tag="assign"):
    """Let a saved strategy decide; one of the same id is replaced, and what it holds is kept."""

    assignment: Assignment


class Unassign(Value, frozen=True, kw_only=True, tag="unassign"):
    """Let it decide no more; what it holds stays on the accounts, or is traded back first."""

    assignment_id: AssignmentId
    leaving: Leaving = Leaving.FLATTEN


class SuspendStrategy(Value, frozen=True, kw_only=True, tag="suspend_strategy"):
    """The strategy of this assignment failed: nothing new is wanted until it is assigned anew.

    What it holds stays as it is. `number` is as in `Target`.
    """

    assignment_id: AssignmentId
    number: int
    reason: str


class SetTargets(Value, frozen=True, kw_only=True, tag="set_targets"):
    """Carry these decisions out. Each counts once, and none over a newer one."""

    targets: tuple[Target, ...]


OfStrategies = SaveStrategy | Assign | Unassign | SuspendStrategy | SetTargets
Command = (
    PlaceParent
    | PlaceBoth
    | PlacePair
    | PlaceAlgo
    | PauseOrder
    | ResumeOrder
    | ReplaceOrder
    | CancelOrders
    | HaltTrading
    | ResumeTrading
    | SwapWorker
    | DrainWorker
    | ResolveOrder
    | ExplainExternal
    | SetUpPool
    | SetLimits
    | ReduceOnly
    | SetObjectives
    | ClearObjectives
    | OfStrategies
)


class RefusalReason(enum.StrEnum):
    """Why a command was not carried out; a refusal is a normal result."""

    OTHER_CONTENT = "other_content"  # this command id was used with other content
    NOT_SET_UP = "not_set_up"
    SETTING_UP = "setting_up"
    HALTED = "halted"
    DISK_FULL = "disk_full"
    VENUE_CLOCK = "venue_clock"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_SLOT = "unknown_slot"
    UNKNOWN_WORKER = "unknown_worker"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_STRATEGY = "unknown_strategy"  # no such text was saved
    UNKNOWN_ASSIGNMENT = "unknown_assignment"
    NO_SLOT = "no_slot"  # none of the slots asked for can trade
    SELF_TRADE = "self_trade"
    FUNDS = "funds"
    RISK = "risk"
    BLOCKED = "blocked"  # an order on this instrument, or external news, waits for a person
    BAD_LIMIT = "bad_limit"  # not positive, not finite, or beyond its bound
    BAD_OBJECTIVE = "bad_objective"
    BAD_ASSIGNMENT = "bad_assignment"
    TOO_MANY = "too_many"
    BAD_ORDER = "bad_order"  # a combination that cannot be, such as post-only at the market


class Refused(Value, frozen=True, kw_only=True, tag="refused"):
    """The command was not carried out.

    `met` is the own order that the new one would have met, with `SELF_TRADE`.
    """

    reason: RefusalReason
    text: str
    met: ClientOrderId | None = None


class Taken(Value, frozen=True, kw_only=True, tag="taken"):
    """The command is recorded and being carried out; `order_id` names what came of it."""

    order_id: ParentId | None = None


class Done(Value, frozen=True, kw_only=True, tag="done"):
    """The command has been carried out."""

    text: str = ""


class TargetsTaken(Value, frozen=True, kw_only=True, tag="targets_taken"):
    """Of these decisions so many are being carried out; the others were dropped.

    One that is taken may still be dropped later: `AskDropped` tells that.
    """

    taken: int
    dropped: tuple[DroppedTarget, ...] = ()


Answer = Refused | Taken | Done | TargetsTaken


class Asked(Value, frozen=True, kw_only=True, tag="asked"):
    """A command as it comes over a connection."""

    command_id: CommandId
    command: Command
