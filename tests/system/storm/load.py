"""Orders of every kind, one after the other, from a trader who insists until he is answered.

`Person` does what only a person may: look at the venue, and say what became of an order that no
machine can settle.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Final

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.commands import (
    CancelOrders,
    Command,
    ExitRule,
    LegPolicy,
    PlaceBoth,
    PlacePair,
    PlaceParent,
    ResolveOrder,
    Taken,
)
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.ids import AccountId, ClientOrderId, CommandId, Lots, SlotId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade, Split
from tandem.domain.venue import (
    CancelOrder,
    LoggedIn,
    Login,
    OrderFound,
    OrderNotFound,
    QueryOrder,
    VenueMessage,
)
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.wiring.asking import DeskLine
from tandem.wiring.settings import Paper
from tests.system.storm.strategies import SYMBOLS

INSIST_S: Final = 60.0
SECOND: Final = 1_000_000_000
LOOKS: Final = 3  # of a person at a venue, before he believes that an order is not there
LOOK_EVERY_S: Final = 0.5


class Load:
    """Sends orders at a rate; `answers` are those of every command, by its id.

    Symbols of strategies are left to those.
    """

    def __init__(self, line: DeskLine, paper: Paper, seed: int) -> None:
        self._line = line
        self._chance = random.Random(seed)
        assert paper.exchange.synthetic is not None, "a storm needs a market that is made up"
        prices = {one.instrument_id: one.reference for one in paper.exchange.synthetic.books}
        self._prices = {
            one.symbol: prices[one.instrument_id]
            for one in paper.exchange.instruments
            if one.quote == "USD" and one.lot_size == 1 and one.symbol not in SYMBOLS
        }
        self._slots = tuple(SlotId(f"w{n + 1}") for n in range(len(paper.exchange.accounts)))
        self._number = 0
        self.answers: dict[str, object] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, every_s: float) -> None:
        """Place orders until canceled."""
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / every_s))
            task = asyncio.create_task(self._place())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until everything asked was answered, and cancel what still works."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._ask(CancelOrders(order_id=None))

    async def _ask(self, command: Command) -> object:
        self._number += 1
        key = CommandId(f"storm-{self._number}")
        # The same id until it is answered, however long: then it was done once, or not at all.
        while True:
            with contextlib.suppress(CoordinatorUnreachableError):
                self.answers[key] = await self._line.command(key, command, INSIST_S)
                return self.answers[key]

    async def _place(self) -> None:
        draw = self._chance.random()
        wait_s = self._chance.uniform(0.2, 3.0)
        command: Command = self._parent()
        if draw < 0.12:
            command = self._both()
        elif draw < 0.24:
            command = self._pair()
        answer = await self._ask(command)
        if isinstance(answer, Taken) and answer.order_id is not None:
            await asyncio.sleep(wait_s)
            await self._ask(CancelOrders(order_id=answer.order_id))

    def _near(self, symbol: str) -> Ticks:
        price = self._prices[symbol]
        return Ticks(max(1, price + self._chance.randint(-price // 100, price // 100)))

    def _symbol(self) -> str:
        return self._chance.choice(list(self._prices))

    def _some_slots(self) -> tuple[SlotId, ...]:
        count = self._chance.randint(1, len(self._slots))
        return tuple(self._chance.sample(self._slots, count))

    def _parent(self) -> PlaceParent:
        chance, symbol = self._chance, self._symbol()
        at_market = chance.random() < 0.3
        return PlaceParent(
            spec=ParentSpec(
                symbol=symbol,
                side=chance.choice((Side.BUY, Side.SELL)),
                quantity=Lots(chance.randint(8, 60)),
                limit_price=None if at_market else self._near(symbol),
                time_in_force=chance.choice((TimeInForce.DAY, TimeInForce.IMMEDIATE_OR_CANCEL)),
                slots=() if chance.random() < 0.6 else self._some_slots(),
                split=chance.choice((Split.EQUAL, Split.RANDOM, Split.WEIGHTED)),
                self_trade=chance.choice((SelfTrade.REJECT_NEW, SelfTrade.CANCEL_RESTING)),
            )
        )

    def _both(self) -> PlaceBoth:
        symbol, quantity = self._symbol(), self._chance.randint(2, 20)
        price = self._prices[symbol]
        return PlaceBoth(
            symbol=symbol,
            quantity=Lots(quantity),
            buy_price=Ticks(max(1, price - price // 200 - 1)),
            sell_price=Ticks(price + price // 200 + 1),
            slots=self._some_slots(),
            inventory_limit=Lots(2 * quantity),
            refreshes=self._chance.randint(0, 3),
            lifetime_ns=self._chance.randint(1, 4) * SECOND,
            exit_rule=self._chance.choice((ExitRule.CANCEL, ExitRule.FLATTEN)),
        )

    def _pair(self) -> PlacePair:
        buy, sell = self._chance.sample(list(self._prices), 2)
        slots = self._chance.sample(self._slots, 4)
        return PlacePair(
            buy_symbol=buy,
            sell_symbol=sell,
            buy_price=Ticks(self._prices[buy] + self._prices[buy] // 50),
            sell_price=Ticks(max(1, self._prices[sell] - self._prices[sell] // 50)),
            slice_quantity=Lots(self._chance.randint(2, 8)),
            slices=self._chance.randint(1, 3),
            buy_slots=tuple(slots[:2]),
            sell_slots=tuple(slots[2:]),
            policy=self._chance.choice((LegPolicy.HEDGE, LegPolicy.UNWIND)),
        )


class Person:
    """Looks at the venue, and says of an order that waits for a person what became of it."""

    def __init__(self, line: DeskLine, paper: Paper, address: str) -> None:
        self._line = line
        self._secrets = {one.account_id: one.secret for one in paper.exchange.accounts}
        self._accounts = [one.account_id for one in paper.exchange.accounts]
        self._address = address
        self.resolved = 0

    async def run(self) -> None:
        """Look now and then, until canceled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(CoordinatorUnreachableError, TimeoutError):
                status = await self._line.status()
                await self._resolve_all(status.for_person)

    async def _resolve_all(self, keys: Sequence[ClientOrderId]) -> None:
        for key in keys:
            life = await self._line.life(key)
            account = next(
                (one.account_id for one in life.attempts if one.client_order_id == key), None
            )
            if account is not None:
                await self._resolve(key, account)

    async def _resolve(self, key: ClientOrderId, account_id: AccountId) -> None:
        found = None
        for _ in range(LOOKS):
            found = await self._look(key, account_id)
            if found is not None and found.status.is_final:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        if found is not None and not found.status.is_final:
            return  # it was told to end; the next look will see it
        traded = sum(one.quantity for one in found.fills) if found is not None else 0
        value = sum(one.quantity * one.price for one in found.fills) if found is not None else 0
        command = ResolveOrder(
            client_order_id=key,
            lived=found is not None,
            cum_quantity=Lots(traded),
            price=Ticks(round(value / traded)) if traded else None,
        )
        self.resolved += 1
        await self._line.command(CommandId(f"person-{self.resolved}-{key}"), command)

    async def _look(self, key: ClientOrderId, account_id: AccountId) -> OrderFound | None:
        """Ask the venue itself, as the account; an order that lives is canceled."""
        answered: asyncio.Future[VenueMessage] = asyncio.get_running_loop().create_future()

        def on_up(link: Link[VenueMessage]) -> None:
            link.send(Login(account_id=account_id, secret=self._secrets[account_id]))

        def on_messages(_epoch: int, messages: Sequence[VenueMessage]) -> None:
            for message in messages:
                if isinstance(message, LoggedIn) and dialer.link is not None:
                    dialer.link.send(CancelOrder(client_order_id=key))
                    dialer.link.send(QueryOrder(query_id=1, client_order_id=key))
                elif isinstance(message, OrderFound | OrderNotFound) and not answered.done():
                    answered.set_result(message)

        dialer: Dialer[VenueMessage] = Dialer(
            UnixNetwork(),
            self._address,
            msgspec.msgpack.Decoder(list[VenueMessage]),
            on_up=on_up,
            on_messages=on_messages,
            on_down=lambda: None,
        )
        task = asyncio.create_task(dialer.run())
        try:
            async with asyncio.timeout(5.0):
                answer = await answered
        finally:
            dialer.hang_up("seen")
            task.cancel()
        return answer if isinstance(answer, OrderFound) else None
