"""A second program that trades an account of ours, in some seeds.

What it does must be found by asking the venue, be booked as external to the last digit, and block
what it traded until the trader explains it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import msgspec

from tandem.domain.desk import SECOND
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, Ticks, VenueId
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.venue import CancelOrder, LoggedIn, Login, PlaceOrder, VenueMessage
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.sim.cluster import Cluster
from tandem.sim.load import PRICE
from tandem.sim.process import SimProcess

CHANCE = 0.2
STEM = "x-"  # of its orders' ids; ours begin with the desk's
AGAIN_S = 2.0  # until a cancel is said once more: requests may be lost


def is_foreign(client_order_id: str) -> bool:
    """Whether that is an order of the second program."""
    return client_order_id.startswith(STEM)


class Outsider:
    """Trades one account, now and then, and cancels what is left when told to end."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        # A stream of its own, so that everything else of a seed stays what it was.
        self._draws = random.Random(f"{seed} outsider")
        self._cluster = cluster
        self.trades = self._draws.random() < CHANCE
        self._venue_id: VenueId = self._draws.choice(cluster.venues)
        accounts = cluster.exchange_settings[self._venue_id].accounts
        self._account = self._draws.choice(accounts)
        self._count = self._draws.randint(1, 4)
        self._sent: list[ClientOrderId] = []
        self._link: Link[VenueMessage] | None = None
        self._waiting: Link[VenueMessage] | None = None
        self.is_ending = False
        self.done: Counter[str] = Counter()

    @property
    def account_id(self) -> AccountId:
        """Whose account it trades."""
        return self._account.account_id

    def start(self) -> None:
        """Begin some seconds after the pool."""
        if self.trades:
            at_ns = self._draws.randrange(6 * SECOND, 20 * SECOND)
            self._cluster.world.after(at_ns, self._begin)

    def _begin(self) -> None:
        self._cluster.world.spawn("outsider", "elsewhere", self.run)

    async def run(self, process: SimProcess) -> None:
        """Be the process."""
        dialer: Dialer[VenueMessage] = Dialer(
            process.network,
            f"/venue/{self._venue_id}",
            msgspec.msgpack.Decoder(list[VenueMessage]),
            on_up=self._on_up,
            on_messages=self._on_messages,
            on_down=self._on_down,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dialer.run())
            tasks.create_task(self._trade())

    def _on_up(self, link: Link[VenueMessage]) -> None:
        link.send(Login(account_id=self._account.account_id, secret=self._account.secret))
        self._waiting = link

    def _on_messages(self, _epoch: int, messages: Sequence[VenueMessage]) -> None:
        if any(isinstance(one, LoggedIn) for one in messages):
            self._link = self._waiting

    def _on_down(self) -> None:
        self._link = None

    async def _trade(self) -> None:
        while True:
            await asyncio.sleep(self._draws.uniform(1.0, AGAIN_S))
            if self._link is None:
                continue
            if self.is_ending:
                for key in self._sent:
                    self._link.send(CancelOrder(client_order_id=key))
            elif len(self._sent) < self._count and self._draws.random() < 0.4:
                self._link.send(PlaceOrder(order=self._order()))
                self.done["orders of others"] += 1

    def _order(self) -> Order:
        key = ClientOrderId(f"{STEM}{len(self._sent) + 1}")
        self._sent.append(key)
        draws = self._draws
        instruments = self._cluster.exchange_settings[self._venue_id].instruments
        at_market = draws.random() < 0.5
        return Order(
            client_order_id=key,
            instrument_id=InstrumentId(draws.choice(instruments).instrument_id),
            side=draws.choice((Side.BUY, Side.SELL)),
            quantity=Lots(draws.randint(1, 20)),
            limit_price=None if at_market else Ticks(PRICE + draws.randint(-8, 8)),
            time_in_force=TimeInForce.DAY,
        )
