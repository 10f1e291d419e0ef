"""Workers that do nothing but answer, and the venue's quotes, in one process.

`python -m bench.stub_workers FOLDER COUNT BEAT_S`: every release is answered at once with the two
reports of a fill, so that only the coordinator's own rate shows. Each says every BEAT_S that it
lives; many do not do so all at once.
"""

import asyncio
import resource
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec

from bench import child_process, cluster_settings
from bench.cluster_settings import OPENING_LOTS, SHARES, VENUE
from bench.waiting import until
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.domain import link as words
from tandem.domain.ids import AccountId, ExecutionId, Incarnation, VenueOrderId
from tandem.domain.reports import Accepted, Filled
from tandem.domain.venue import Balances, LoggedIn, Login, Quote, Quotes, VenueRequest
from tandem.shells.link import Link

CoordinatorLink = Link[words.CoordinatorMessage]
NO_FEE = Decimal(0)
TOGETHER = 20  # so many heartbeats at a time


class StubWorker:
    """One connection to the coordinator."""

    def __init__(self, number: int) -> None:
        self._incarnation = Incarnation(f"stub-{number}")
        self._clock = SystemClock()
        self._reports = 0
        self._beats = 0
        self._parts: list[bytes] = []
        self._link: CoordinatorLink | None = None

    def on_open(self, link: CoordinatorLink) -> None:
        """Say hello."""
        self._link = link
        link.connection = 1
        link.send(
            words.Hello(
                incarnation=self._incarnation,
                connection=1,
                name=self._incarnation,
                account_id=None,
                account_epoch=0,
                bundle_hash=None,
                ready=False,
                seen=(),
            )
        )

    def on_messages(
        self, link: CoordinatorLink, _epoch: int, messages: Sequence[words.CoordinatorMessage]
    ) -> None:
        """Agree to everything."""
        now = self._clock.now()
        for message in messages:
            match message:
                case words.Release():
                    self._fill(link, message, now.now_ns)
                case words.BundlePart():
                    self._parts.append(message.content)
                    if len(self._parts) == message.count:
                        content = b"".join(self._parts)
                        link.send(words.Configured(bundle_hash=sha256(content).hexdigest()))
                case words.Grant():
                    offset_ns = now.market_ns - now.now_ns
                    link.send(
                        words.ClockRead(venue_id=VENUE, offset_ns=offset_ns, uncertainty_ns=1)
                    )
                    link.send(
                        words.Ready(
                            account_id=message.account_id,
                            account_epoch=message.account_epoch,
                            balances=_balances(),
                        )
                    )
                case _:
                    pass

    def _fill(self, link: CoordinatorLink, release: words.Release, now_ns: int) -> None:
        order = release.order
        key = order.client_order_id
        assert order.limit_price is not None
        fill = Filled(
            client_order_id=key,
            execution_id=ExecutionId(f"E-{key}"),
            quantity=order.quantity,
            price=order.limit_price,
            fee=NO_FEE,
            venue_at_ns=now_ns,
        )
        accepted = Accepted(client_order_id=key, venue_order_id=VenueOrderId(f"V-{key}"))
        for report in (accepted, fill):
            self._reports += 1
            link.send(
                words.Reported(
                    report_id=self._reports,
                    account_id=release.account_id,
                    send_number=release.send_number,
                    sent_ns=now_ns,
                    report=report,
                )
            )

    def beat(self) -> None:
        """Say that we live."""
        self._beats += 1
        if self._link is not None:
            self._link.send(words.Heartbeat(number=self._beats))


def _balances() -> Balances:
    positions = {one.instrument_id: OPENING_LOTS for one in SHARES}
    return Balances(query_id=1, cash={"USD": Decimal(10) ** 9}, positions=positions)


def _quotes() -> Quotes:
    market = cluster_settings.exchange_settings().synthetic
    assert market is not None
    return Quotes(
        quotes=tuple(
            Quote(instrument_id=one.instrument_id, bid=one.reference, ask=one.reference, last=None)
            for one in market.books
        )
    )


def _on_market_data(
    link: Link[VenueRequest], _epoch: int, requests: Sequence[VenueRequest]
) -> None:
    for request in requests:
        if isinstance(request, Login):
            link.send(LoggedIn(venue_id=VENUE, account_id=AccountId(""), venue_at_ns=0))
            link.send(_quotes())


def more_descriptors() -> None:
    """Let this process have as many connections as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _connect(network: UnixNetwork, address: str, made: Callable[[], CoordinatorLink]) -> None:
    """Connect; whoever dials a thousand times meets a full queue now and then."""
    while True:
        try:
            await network.connect(address, made)
        except BlockingIOError:
            await asyncio.sleep(0.01)
        else:
            return


async def serve(folder: Path, count: int, beat_s: float) -> None:
    """Answer for ever."""
    network = UnixNetwork()
    venue_words = msgspec.msgpack.Decoder(list[VenueRequest])
    await network.listen(
        cluster_settings.exchange_address(folder),
        lambda: Link(venue_words, _on_market_data, lambda _link: None, lambda _link, _why: None),
    )
    coordinator_words = msgspec.msgpack.Decoder(list[words.CoordinatorMessage])
    stubs = [StubWorker(number) for number in range(1, count + 1)]
    address = cluster_settings.workers_address(folder)
    await until(Path(address).exists)
    for stub in stubs:

        def made(stub: StubWorker = stub) -> CoordinatorLink:
            return Link(coordinator_words, stub.on_messages, stub.on_open, lambda _link, _why: None)

        await _connect(network, address, made)
    parts = max(1, count // TOGETHER)
    loop = asyncio.get_running_loop()
    due, turn = loop.time(), 0
    while True:
        due += beat_s / parts
        turn += 1
        await asyncio.sleep(max(0.0, due - loop.time()))
        for stub in stubs[turn % parts :: parts]:
            stub.beat()


if __name__ == "__main__":
    more_descriptors()
    child_process.serve(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
