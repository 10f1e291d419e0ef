"""What a simulated trader asks, and how it insists until it is answered."""

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from tandem.domain.commands import (
    Asked,
    CancelOrders,
    Command,
    ExitRule,
    ExplainExternal,
    HaltTrading,
    LegPolicy,
    PauseOrder,
    PlaceAlgo,
    PlaceBoth,
    PlacePair,
    PlaceParent,
    Refused,
    ReplaceOrder,
    ResolveOrder,
    ResumeOrder,
    ResumeTrading,
    SetTargets,
    SetUpPool,
    SuspendStrategy,
    SwapWorker,
    Taken,
)
from tandem.domain.control import Command as Telling
from tandem.domain.control import CommandAnswer, ControlMessage
from tandem.domain.desk import SECOND
from tandem.domain.ids import AccountId, ClientOrderId, CommandId, Lots, SlotId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade, Split, WhenUnready
from tandem.domain.strategies import AssignmentId, Target
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.sim.cluster import CONTROL_AT
from tandem.sim.world import SimProcess

REPEAT_S = 0.7
PRICE = 10_000
X_SLOTS = tuple(SlotId(f"w{n}") for n in (1, 2, 3, 4))
Y_SLOTS = tuple(SlotId(f"w{n}") for n in (5, 6, 7, 8))


class Intention(msgspec.Struct, frozen=True):
    """A command and the moment at which the trader first wants it."""

    at_ns: int
    asked: Asked


def parent(draws: random.Random) -> ParentSpec:
    """Return some order on one symbol; often it could meet an earlier one."""
    symbol = draws.choice(("AAA", "AAA", "BBB", "CCC"))
    limit = draws.random() < 0.8
    time_in_force = TimeInForce.DAY
    if draws.random() < 0.25:
        time_in_force = draws.choice(
            (
                TimeInForce.IMMEDIATE_OR_CANCEL,
                TimeInForce.FILL_OR_KILL,
                TimeInForce.GOOD_TILL_CANCEL,
            )
        )
    slots: tuple[SlotId, ...] = ()
    if draws.random() < 0.3:
        pool = {"BBB": X_SLOTS, "CCC": Y_SLOTS}.get(symbol, draws.choice((X_SLOTS, Y_SLOTS)))
        slots = tuple(draws.sample(pool, draws.randint(1, 3)))
    elif symbol == "AAA" and draws.random() < 0.5:
        slots = draws.choice((X_SLOTS, Y_SLOTS))  # in two markets it must be said which
    post_only = limit and time_in_force is TimeInForce.DAY and draws.random() < 0.1
    return ParentSpec(
        symbol=symbol,
        side=draws.choice((Side.BUY, Side.SELL)),
        quantity=Lots(draws.randint(1, 60) if draws.random() < 0.97 else 50_000),
        limit_price=Ticks(PRICE + draws.randint(-6, 6)) if limit else None,
        time_in_force=time_in_force,
        post_only=post_only,
        slots=slots,
        split=draws.choice((Split.EQUAL, Split.EQUAL, Split.WEIGHTED, Split.RANDOM, Split.EACH)),
        when_unready=draws.choice((WhenUnready.GO_ON, WhenUnready.GO_ON, WhenUnready.GIVE_UP)),
        self_trade=draws.choice((SelfTrade.REJECT_NEW, SelfTrade.CANCEL_RESTING)),
    )


def both(draws: random.Random) -> PlaceBoth:
    """Return a two-sided quote."""
    quantity = draws.randint(2, 20)
    off = 4 if quantity % 4 == 0 else 0  # of these the buy side is hit again and again
    return PlaceBoth(
        symbol=draws.choice(("BBB", "CCC")),
        quantity=Lots(quantity),
        buy_price=Ticks(PRICE + off - draws.randint(0, 3)),
        sell_price=Ticks(PRICE + off + draws.randint(1, 4)),
        inventory_limit=Lots(quantity * draws.randint(1, 2)),
        refreshes=draws.randint(0, 4),
        lifetime_ns=draws.randint(2, 15) * SECOND,
        exit_rule=draws.choice((ExitRule.CANCEL, ExitRule.FLATTEN)),
    )


def pair(draws: random.Random) -> PlacePair:
    """Return a pair on two markets."""
    return PlacePair(
        buy_symbol="BBB",
        sell_symbol="CCC",
        buy_price=Ticks(PRICE + draws.randint(-2, 4)),
        sell_price=Ticks(PRICE + draws.randint(-4, 2)),
        slice_quantity=Lots(draws.randint(2, 12)),
        slices=draws.randint(1, 4),
        buy_slots=X_SLOTS[: draws.randint(1, 4)],
        sell_slots=Y_SLOTS[: draws.randint(1, 4)],
        policy=draws.choice((LegPolicy.HEDGE, LegPolicy.UNWIND, LegPolicy.HALT)),
        slice_ns=draws.randint(1, 4) * SECOND,
    )


def intentions(draws: random.Random, *, count: int, until_ns: int) -> list[Intention]:
    """Return what a trader will want, in order of time."""
    moments = sorted(draws.randrange(4 * SECOND, until_ns) for _ in range(count))
    found = []
    for number, at_ns in enumerate(moments):
        kind = draws.random()
        command: Command
        if kind < 0.68:
            command = PlaceParent(spec=parent(draws))
        elif kind < 0.78:
            command = both(draws)
        elif kind < 0.88:
            command = pair(draws)
        elif kind < 0.94:
            command = CancelOrders(order_id=f"d-{draws.randint(1, number + 2)}")
        elif kind < 0.97:
            command = SwapWorker(slot_id=SlotId(f"w{draws.randint(1, 8)}"))
        else:
            command = HaltTrading(reason="drill")
        found.append(Intention(at_ns, Asked(command_id=CommandId(f"c{number}"), command=command)))
        if isinstance(command, HaltTrading):
            resume = Asked(command_id=CommandId(f"c{number}r"), command=ResumeTrading())
            found.append(Intention(at_ns + draws.randint(1, 3) * SECOND, resume))
    return sorted(found, key=lambda one: one.at_ns)


class Trader:
    """Asks for what it intends, and asks again until it is answered."""

    def __init__(self, intended: Sequence[Intention], *, workers: int) -> None:
        self._workers = workers
        set_up = Asked(command_id=CommandId("set-up"), command=SetUpPool(workers=workers))
        self._intended = [Intention(0, set_up), *intended]
        self._next = 0
        self.open: dict[CommandId, Asked] = {}
        self.taken: dict[CommandId, str] = {}
        self.refused: dict[CommandId, Refused] = {}
        self.contradictions: list[str] = []
        self._resumes = 0
        self._halts: dict[CommandId, int] = {}  # and how many resumes were asked before
        self._halted_by: CommandId | None = None
        self._placed_while: dict[CommandId, CommandId] = {}  # and the halt that it came under
        self._link: Link[ControlMessage] | None = None
        self._began_ns: int | None = None
        self.number_of: Callable[[AssignmentId], int] = lambda _key: 0

    @property
    def is_answered(self) -> bool:
        """Whether everything intended was asked and answered."""
        return self._next >= len(self._intended) and not self.open

    def cancel_all(self) -> None:
        """Ask that everything still open be canceled."""
        command_id = CommandId("cancel-all")
        self.open[command_id] = Asked(command_id=command_id, command=CancelOrders(order_id=None))

    def resume(self, name: str = "resume-by-hand") -> None:
        """Ask that trading go on after a halt by hand."""
        asked = Asked(command_id=CommandId(name), command=ResumeTrading())
        self._note_halts(asked)
        self.open[asked.command_id] = asked

    def explain(self, account_id: AccountId, *, unit: str, since_ns: int) -> None:
        """Say that what others did there is known, once for each time that it was found."""
        command_id = CommandId(f"explain-{account_id}-{unit}-{since_ns}")
        if command_id not in self.taken and command_id not in self.open:
            command = ExplainExternal(account_id=account_id, unit=unit)
            self.open[command_id] = Asked(command_id=command_id, command=command)

    def resolve(self, key: ClientOrderId) -> None:
        """Say, as a person who looked, that this order never reached its venue."""
        command_id = CommandId(f"person-{key}")
        if command_id not in self.taken and command_id not in self.open:
            command = ResolveOrder(client_order_id=key, lived=False)
            self.open[command_id] = Asked(command_id=command_id, command=command)

    async def run(self, process: SimProcess) -> None:
        """Be the process."""
        dialer: Dialer[ControlMessage] = Dialer(
            process.network,
            CONTROL_AT,
            msgspec.msgpack.Decoder(list[ControlMessage]),
            on_up=self._on_up,
            on_messages=self._on_messages,
            on_down=self._on_down,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dialer.run())
            tasks.create_task(self._insist(process))

    def _on_up(self, link: Link[ControlMessage]) -> None:
        self._link = link
        self._ask_open()

    def _on_down(self) -> None:
        self._link = None

    def _ask_open(self) -> None:
        if self._link is not None:
            for asked in self.open.values():
                self._link.send(Telling(asked=asked))

    async def _insist(self, process: SimProcess) -> None:
        if self._began_ns is None:
            self._began_ns = process.clock.now().market_ns
        began_ns = self._began_ns
        since_s = 0.0
        while True:
            await asyncio.sleep(0.1)
            since_s += 0.1
            now_ns = process.clock.now().market_ns - began_ns
            while self._next < len(self._intended) and self._intended[self._next].at_ns <= now_ns:
                asked = self._named(self._intended[self._next].asked, began_ns + now_ns)
                self._next += 1
                self._note_halts(asked)
                self.open[asked.command_id] = asked
                if self._link is not None:
                    self._link.send(Telling(asked=asked))
            if since_s > REPEAT_S:
                since_s = 0.0
                self._ask_open()

    def _named(self, asked: Asked, market_ns: int) -> Asked:
        """Put the id of the order that was meant for the name of the command that asked for it.

        And for a span until an order's date the date, counted from now.
        """
        command = asked.command
        match command:
            case CancelOrders() | PauseOrder() | ResumeOrder() | ReplaceOrder():
                order_id = command.order_id or ""
                known = self.taken.get(CommandId(order_id.removeprefix("@")), order_id)
                command = msgspec.structs.replace(command, order_id=known or None)
                return msgspec.structs.replace(asked, command=command)
            case PlaceParent() if command.spec.good_till_ns is not None:
                date_ns = market_ns + command.spec.good_till_ns
                spec = msgspec.structs.replace(command.spec, good_till_ns=date_ns)
                return msgspec.structs.replace(asked, command=PlaceParent(spec=spec))
            case SuspendStrategy():
                number = self.number_of(command.assignment_id)
                return msgspec.structs.replace(
                    asked, command=msgspec.structs.replace(command, number=number)
                )
            case SetTargets():
                targets = tuple(self._timed(one) for one in command.targets)
                return msgspec.structs.replace(asked, command=SetTargets(targets=targets))
            case _:
                return asked

    def _timed(self, target: Target) -> Target:
        """Put moments of the market for those of the story: the same for every copy."""
        began_ns = self._began_ns or 0
        return msgspec.structs.replace(
            target,
            number=self.number_of(target.assignment_id),
            begin_ns=began_ns + target.begin_ns,
            end_ns=began_ns + target.end_ns,
        )

    def _note_halts(self, asked: Asked) -> None:
        """Remember what is asked for the first time under a halt that was answered."""
        match asked.command:
            case HaltTrading() if not self._is_resuming:  # else either may come first
                self._halts[asked.command_id] = self._resumes
            case ResumeTrading():
                self._resumes += 1
                self._halted_by = None
            case PlaceParent() | PlaceBoth() | PlacePair() | PlaceAlgo() if (
                self._halted_by is not None
            ):
                self._placed_while[asked.command_id] = self._halted_by
            case _:
                pass

    def _check_halts(self, command_id: CommandId) -> None:
        """Stop means stopped: what was asked under a halt is not taken before a resume."""
        halt = self._placed_while.get(command_id)
        if halt is not None and halt == self._halted_by:
            self.contradictions.append(f"{command_id} was taken, though {halt} had halted trading")
        if self._halts.get(command_id) == self._resumes:
            self._halted_by = command_id

    def _set_up_again(self, command_id: CommandId) -> None:
        """Whoever wants a pool asks again when it could not be set up: nobody would leave it so."""
        if not command_id.startswith("set-up"):
            return
        again = CommandId(f"set-up-{len(self.refused)}")
        self.open[again] = Asked(command_id=again, command=SetUpPool(workers=self._workers))

    @property
    def _is_resuming(self) -> bool:
        return any(isinstance(one.command, ResumeTrading) for one in self.open.values())

    def _on_messages(self, _epoch: int, messages: Sequence[ControlMessage]) -> None:
        for message in messages:
            if isinstance(message, CommandAnswer):
                self._answered(message)

    def _answered(self, told: CommandAnswer) -> None:
        """Take an answer; a later one to the same command must be the same."""
        self.open.pop(told.command_id, None)
        answer = told.answer
        if isinstance(answer, Refused):
            self.refused[told.command_id] = answer
            self._set_up_again(told.command_id)
            return
        self._check_halts(told.command_id)
        text = str(answer.order_id) if isinstance(answer, Taken) else "done"
        earlier = self.taken.setdefault(told.command_id, text)
        if earlier != text:
            self.contradictions.append(f"{told.command_id}: {earlier}, then {text}")
