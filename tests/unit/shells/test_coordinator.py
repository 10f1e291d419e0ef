"""The coordinator and workers of other computers: silence, leases, and whose words count."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from tandem.core.trading.desk import Desk
from tandem.core.trading.lease import LEASE_NS, MARGIN_NS
from tandem.core.trading.pulse import Pulse
from tandem.domain import link as words
from tandem.domain.commands import Asked, Command, SetUpPool, SwapWorker
from tandem.domain.desk import Commanded, DeskEffect, DeskEvent, Kill, RoomChanged
from tandem.domain.ids import AccountId, AskerId, CommandId, Incarnation, SlotId
from tandem.domain.order import FenceClass
from tandem.domain.value import Value
from tandem.domain.venue import Balances
from tandem.ports import Clock, Listener
from tandem.shells.coordinator import Coordinator, CoordinatorPlaces
from tandem.shells.link import HEADER
from tandem.sim.world import SECOND_NS, SimProcess, World
from tests.unit.core.trading.desk_driver import MS, X, settings_of
from tests.unit.shells.wire import Wire

SETTINGS = settings_of(fence_class=FenceClass.UNIQUE, slots=2)
A1 = AccountId("A1")
TOLD = msgspec.msgpack.Decoder(list[words.CoordinatorMessage])
M = TypeVar("M")


class Far(Value, frozen=True):
    """Somebody on another computer, or on this one when it has no machine's name."""

    machine: str | None
    pid: int = 0
    started: int = 0


class Paper:
    """A journal that is durable at once."""

    next_record = 1
    records_since_snapshot = 0
    is_idle = True
    is_short_of_room = False
    is_probed = False

    def append(self, record: bytes) -> None:
        self.next_record += 1

    def commit(self, done: Callable[[], None]) -> None:
        done()

    def snapshot(self, state: bytes) -> None:
        raise AssertionError("not so soon")

    def probe_room(self) -> None:
        assert self.is_probed, "there is room"

    def close(self) -> None:
        raise AssertionError("nobody closes it here")


class Streets:
    """A network whose connections a test makes by hand, and the processes of this computer."""

    def __init__(self) -> None:
        self.made: dict[str, Callable[[], asyncio.Protocol]] = {}
        self.peers: dict[Wire, Far] = {}
        self.watched: list[int] = []

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        self.made[address] = make
        return self

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        raise OSError(f"nobody at {address}")

    def close(self) -> None:
        raise AssertionError("nobody closes it here")

    def peer(self, transport: asyncio.BaseTransport) -> Far | None:
        assert isinstance(transport, Wire)
        return self.peers.get(transport)

    def watch(self, pid: int, *, started: int, on_exit: Callable[[], None]) -> Callable[[], None]:
        self.watched.append(pid)
        return lambda: None

    def kill(self, pid: int, *, started: int) -> None:
        raise AssertionError("nobody is killed here")


class Office:
    """A coordinator among them, and what it did."""

    def __init__(self, clock: Clock, desk: Desk | None = None) -> None:
        self.clock = clock
        self.streets = Streets()
        self.journal = Paper()
        self.done: list[DeskEffect] = []
        self.events: list[DeskEvent] = []
        self.coordinator = Coordinator(
            desk or Desk(),
            self.journal,
            clock=clock,
            network=self.streets,
            processes=self.streets,
            places=CoordinatorPlaces(workers=("here",), control="control", venues={}),
            settings=SETTINGS,
            secrets={A1: "s3cret"},
            pulse=Pulse(),
        )
        self.coordinator.on_performed = self.done.append
        self.coordinator.recording.on_event = lambda event, _: self.events.append(event)

    @property
    def desk(self) -> Desk:
        return self.coordinator.desk

    def command(self, command: Command) -> None:
        number = len(self.events)
        asked = Asked(command_id=CommandId(f"c{number}"), command=command)
        self.coordinator.recording.feed(Commanded(asker=AskerId(1), asked=asked))

    def count(self, kind: type[Any]) -> int:
        return sum(1 for one in [*self.events, *self.done] if isinstance(one, kind))


class Caller:
    """A worker's end of its connections; it beats unless it is deaf and dumb."""

    def __init__(self, office: Office, name: str, machine: str | None = None) -> None:
        self.office = office
        self.name = name
        self.far = Far(machine or f"of-{name}")
        self.connection = 0
        self.wire = Wire()
        self.beats = 0
        self.is_dumb = False

    def dial(self, **changes: Any) -> None:
        self.connection += 1
        self.wire = Wire()
        self.read, self.sent = 0, 0
        self.office.streets.peers[self.wire] = self.far
        self.protocol = self.office.streets.made["here"]()
        self.protocol.connection_made(self.wire)
        fields: dict[str, Any] = {
            "incarnation": Incarnation(f"i-{self.name}"),
            "connection": self.connection,
            "name": self.name,
            "account_id": None,
            "account_epoch": 0,
            "bundle_hash": None,
            "ready": False,
            "seen": (),
        }
        self.say(words.Hello(**(fields | changes)))

    def say(self, message: words.WorkerMessage) -> None:
        self.sent += 1
        body = msgspec.msgpack.encode([message])
        assert isinstance(self.protocol, asyncio.Protocol)
        self.protocol.data_received(HEADER.pack(len(body), 0, 0, self.sent) + body)

    def beat(self) -> None:
        if not self.is_dumb and not self.wire.ended:
            self.beats += 1
            self.say(words.Heartbeat(number=self.beats))

    def heard(self, kind: type[M]) -> list[M]:
        """Return what came on the present connection."""
        data, found, at = b"".join(self.wire.written), [], 0
        while at < len(data):
            length = HEADER.unpack_from(data, at)[0]
            at += HEADER.size
            found += TOLD.decode(data[at : at + length])
            at += length
        return [one for one in found if isinstance(one, kind)]

    @property
    def renewed(self) -> AccountId | None:
        return self.heard(words.BeatAcknowledged)[-1].account_id

    def ready(self) -> None:
        (grant,) = self.heard(words.Grant)
        self.say(words.ClockRead(venue_id=X, offset_ns=0, uncertainty_ns=0))
        self.say(
            words.Ready(
                account_id=grant.account_id,
                account_epoch=grant.account_epoch,
                balances=Balances(query_id=0, cash={}, positions={}),
            )
        )


Scene = Callable[[Office, list[Caller]], Any]


def play(scene: Scene) -> None:
    """Set a pool of two workers and a spare up, all elsewhere, and play the scene."""

    async def main(process: SimProcess) -> None:
        office = Office(process.clock)
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(office.coordinator.run())
            await asyncio.sleep(0)
            callers = [Caller(office, name) for name in ("w1", "w2", "spare")]
            await _set_up(office, callers)
            await scene(office, callers)
            serving.cancel()

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(60 * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]


async def _set_up(office: Office, callers: list[Caller]) -> None:
    for one in callers:
        one.dial()
    office.command(SetUpPool(workers=3))
    for one in callers:
        one.say(words.Configured(bundle_hash=office.desk.rules.bundle_hash))
    await pass_time(1, callers)
    for one in callers[:2]:
        one.ready()


async def pass_time(ms: int, callers: list[Caller]) -> None:
    """Let time pass while they beat."""
    for number in range(ms // 50 + 1):
        for one in callers:
            one.beat()
        await asyncio.sleep((50 if number < ms // 50 else ms % 50) / 1e3)


def test_a_heartbeat_renews_the_lease_of_the_account_that_its_worker_holds_now() -> None:
    """C2."""

    async def scene(office: Office, callers: list[Caller]) -> None:
        first, _, spare = callers
        (grant,) = first.heard(words.Grant)
        assert (grant.account_id, grant.lease_ns, grant.secret) == (A1, LEASE_NS, "s3cret")
        await pass_time(10_000, callers)
        assert first.renewed == A1
        assert spare.renewed is None
        assert first.heard(words.BeatAcknowledged)[-1].at_ns > 0
        assert office.streets.watched == []

    play(scene)


def test_a_silent_worker_elsewhere_is_hung_up_and_its_account_granted_when_its_lease_is_over() -> (
    None
):
    """C2 F8: not before lease and margin have passed since its last heartbeat."""

    async def scene(office: Office, callers: list[Caller]) -> None:
        first, _, spare = callers
        await pass_time(1_000, callers)
        heard_ns = first.heard(words.BeatAcknowledged)[-1].at_ns
        first.is_dumb = True
        await pass_time(500, callers)
        assert first.wire.ended == "aborted"
        assert office.count(Kill) == 0
        left_ms = (heard_ns + LEASE_NS + MARGIN_NS - office.clock.now().now_ns) // MS
        await pass_time(left_ms - 1, callers)
        assert spare.heard(words.Grant) == []
        await pass_time(100, callers)
        (grant,) = spare.heard(words.Grant)
        assert (grant.account_id, grant.account_epoch) == (A1, 2)
        await pass_time(50, callers)
        assert spare.renewed == A1

    play(scene)


def test_a_worker_that_dials_again_in_time_keeps_its_account() -> None:
    """F8."""

    async def scene(office: Office, callers: list[Caller]) -> None:
        first, _, spare = callers
        first.is_dumb = True
        await pass_time(1_500, callers)
        first.is_dumb = False
        whole = office.desk.rules.bundle_hash
        first.dial(account_id=A1, account_epoch=1, bundle_hash=whole, ready=True)
        await pass_time(5_000, callers)
        assert first.renewed == A1
        assert spare.heard(words.Grant) == []
        assert office.desk.state.counters["takeovers_averted"] == 1

    play(scene)


def test_no_machine_speaks_for_the_worker_of_another_or_cuts_it_off() -> None:
    """A4: a certificate is worth its own name."""

    async def scene(office: Office, callers: list[Caller]) -> None:
        first = callers[0]
        thief = Caller(office, "w1", machine="of-a-thief")
        thief.connection = first.connection
        thief.dial()
        await pass_time(100, callers)
        assert thief.wire.ended
        assert not first.wire.ended
        assert first.renewed == A1
        assert office.coordinator.dropped["hellos_of_others"] == 1

    play(scene)


def test_the_heartbeats_of_an_unwanted_worker_renew_nothing() -> None:
    """Nor does a reconnect."""

    async def scene(office: Office, callers: list[Caller]) -> None:
        first, _, spare = callers
        office.command(SwapWorker(slot_id=SlotId("s1")))
        await pass_time(1_000, callers)
        assert len(first.heard(words.Revoke)) == 1
        assert first.renewed is None
        first.dial(account_id=A1, account_epoch=1)
        await pass_time(1_000, callers)
        assert len(first.heard(words.Revoke)) == 1
        assert first.renewed is None
        await pass_time(1_200, callers)
        assert len(spare.heard(words.Grant)) == 1

    play(scene)


def test_a_restarted_coordinator_takes_every_lease_as_just_renewed() -> None:
    """F19 C2."""

    async def scene(office: Office, callers: list[Caller]) -> None:
        await pass_time(2_000, callers)
        again = Office(office.clock, Desk.restore(office.desk.snapshot()))
        started_ns = office.clock.now().now_ns
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(again.coordinator.run())
            await asyncio.sleep(0)
            spare = Caller(again, "spare")
            spare.connection = 1
            spare.dial(bundle_hash=again.desk.rules.bundle_hash)
            await pass_time((LEASE_NS + MARGIN_NS) // MS - 2, [spare])
            assert again.clock.now().now_ns < started_ns + LEASE_NS + MARGIN_NS
            assert spare.heard(words.Grant) == []
            await pass_time(100, [spare])
            assert len(spare.heard(words.Grant)) == 1
            serving.cancel()

    play(scene)


def test_a_coordinator_that_starts_short_of_room_finds_that_there_is_room() -> None:
    """F11: else it would refuse new orders for ever."""

    async def main(process: SimProcess) -> None:
        desk = Desk()
        desk.state.short_of_room = True
        office = Office(process.clock, desk)
        office.journal.is_probed = True
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(office.coordinator.run())
            await asyncio.sleep(6.0)
            serving.cancel()
        assert not office.desk.state.short_of_room
        assert office.count(RoomChanged) == 1

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(10 * SECOND_NS)
        assert [ended.error for ended in world.ended] == [None]
