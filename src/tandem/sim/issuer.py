"""Whoever issued what is traded: splits it and pays dividends on it while the pool trades.

The word to the exchange is said once: it is journaled there or lost with the exchange's memory, and
to say it again could split twice. Whether it came is seen in what the exchange has done.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from tandem.domain.desk import SECOND
from tandem.domain.ids import InstrumentId, VenueId
from tandem.domain.venue import CorporateActed, CorporateAction, LoggedIn, Login, VenueMessage
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.sim.cluster import Cluster
from tandem.sim.process import SimProcess

CHANCE = 0.2
RATIOS = ((2, 1), (3, 2), (1, 2), (3, 1))
LOOK_S = 0.5
LAST_NS = 50 * SECOND  # so that it is heard of before all is compared


class Issuer:
    """Acts on one instrument, at a few moments of some seeds."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        # A stream of its own, so that everything else of a seed stays what it was.
        self._draws = random.Random(f"{seed} issuer")
        self._cluster = cluster
        self.acts = self._draws.random() < CHANCE
        self._venue_id: VenueId = self._draws.choice(cluster.venues)
        instruments = cluster.exchange_settings[self._venue_id].instruments
        self._instrument_id = InstrumentId(self._draws.choice(instruments).instrument_id)
        self._at_ns = sorted(
            self._draws.randrange(8 * SECOND, LAST_NS) for _ in range(self._draws.randint(1, 3))
        )
        self._link: Link[VenueMessage] | None = None
        self._waiting: Link[VenueMessage] | None = None
        self.done: Counter[str] = Counter()

    def start(self) -> None:
        """Begin with the pool."""
        if self.acts:
            self._cluster.world.spawn("issuer", "elsewhere", self.run)

    async def run(self, process: SimProcess) -> None:
        """Be the process."""
        account = self._cluster.exchange_settings[self._venue_id].accounts[0]
        self._login = Login(account_id=account.account_id, secret=account.secret)
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
            tasks.create_task(self._act())

    def _on_up(self, link: Link[VenueMessage]) -> None:
        link.send(self._login)
        self._waiting = link

    def _on_messages(self, _epoch: int, messages: Sequence[VenueMessage]) -> None:
        for one in messages:
            if isinstance(one, LoggedIn):
                self._link = self._waiting
            elif isinstance(one, CorporateActed):
                self.done["issuers' acts"] += one.action_id is not None

    def _on_down(self) -> None:
        self._link = None

    async def _act(self) -> None:
        waiting = list(self._at_ns)
        while waiting:
            await asyncio.sleep(LOOK_S)
            if self._link is None or self._cluster.world.now_ns < waiting[0]:
                continue
            del waiting[0]
            action = self._action()
            self._link.send(action)
            is_split = action.numerator != action.denominator
            self.done["issuers' splits" if is_split else "issuers' dividends"] += 1

    def _action(self) -> CorporateAction:
        key = self._instrument_id
        if self._draws.random() < 0.5:
            numerator, denominator = self._draws.choice(RATIOS)
            return CorporateAction(instrument_id=key, numerator=numerator, denominator=denominator)
        cents = Decimal(self._draws.randint(1, 200))
        return CorporateAction(instrument_id=key, dividend=cents / 100)
