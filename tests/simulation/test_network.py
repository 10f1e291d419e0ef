"""A calm connection carries every byte once and in order; faults do what they say, no more."""

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.sim.connection import KERNEL_BYTES_MAX
from tandem.sim.world import SECOND_NS, Faults, NetworkFaults, SimProcess, World

MS_NS = 1_000_000
ADDRESS = "/run/server"


class Recorder(asyncio.Protocol):
    """Writes down all that happens to one end of a connection."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.received = bytearray()
        self.reads: list[int] = []
        self.read_at_ns: list[int] = []
        self.calls: list[str] = []
        self.lost_at_ns: int | None = None
        self.lost_with: Exception | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.calls.append("made")

    def data_received(self, data: bytes) -> None:
        assert self.lost_at_ns is None
        assert data
        self.received += data
        self.reads.append(len(data))
        self.read_at_ns.append(self.world.now_ns)

    def eof_received(self) -> bool | None:
        self.calls.append("eof")
        return None

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        assert self.lost_at_ns is None
        self.lost_at_ns = self.world.now_ns
        self.lost_with = exc
        self.calls.append("lost")


class Two:
    """A server and a client with one connection, and everything they saw."""

    def __init__(self, world: World, *, client_machine: str = "home") -> None:
        self.world = world
        self.servers: list[Recorder] = []
        self.clients: list[Recorder] = []
        self.errors: list[OSError] = []
        world.spawn("server", "home", self._serve)
        world.run_for(MS_NS)
        world.spawn("client", client_machine, self._connect)

    @property
    def server(self) -> Recorder:
        return self.servers[0]

    @property
    def client(self) -> Recorder:
        return self.clients[0]

    def send(self, data: bytes, *, source: str = "client") -> None:
        """Write in the process, as its own code would."""
        process = self.world.process(source)
        end = (self.clients if source == "client" else self.servers)[-1]
        self.world.loop.deliver(process, lambda: end.transport.write(data))

    def do(self, source: str, action: Callable[[asyncio.Transport], object]) -> None:
        """Do something to the transport, in its process."""
        end = (self.clients if source == "client" else self.servers)[-1]
        self.world.loop.deliver(self.world.process(source), lambda: action(end.transport))

    async def _serve(self, process: SimProcess) -> None:
        await process.network.listen(ADDRESS, lambda: self._make(self.servers))
        await asyncio.get_running_loop().create_future()

    async def _connect(self, process: SimProcess) -> None:
        while True:
            try:
                await process.network.connect(ADDRESS, lambda: self._make(self.clients))
            except OSError as error:
                self.errors.append(error)
                await asyncio.sleep(0.01)
            else:
                break
        await asyncio.get_running_loop().create_future()

    def _make(self, ends: list[Recorder]) -> Recorder:
        recorder = Recorder(self.world)
        ends.append(recorder)
        return recorder


def connected(world: World, *, client_machine: str = "home") -> Two:
    two = Two(world, client_machine=client_machine)
    world.run_for(SECOND_NS)
    assert two.clients
    assert two.servers
    return two


@given(
    chunks=st.lists(st.tuples(st.integers(0, 300_000), st.integers(0, 2 * MS_NS)), max_size=20),
    split=st.booleans(),
    pause=st.booleans(),
    seed=st.integers(0, 1_000),
)
def test_bytes_of_a_calm_connection_arrive_in_order_whole_and_once(
    *, chunks: list[tuple[int, int]], split: bool, pause: bool, seed: int
) -> None:
    network = NetworkFaults(split_chance=0.3 if split else 0.0, delay_chance=0.1)
    sent = bytearray()
    with World(seed, Faults(network=network)) as world:
        two = connected(world)
        for number, (size, wait_ns) in enumerate(chunks):
            data = random.Random(number).randbytes(size)
            sent += data
            two.send(data)
            world.run_for(wait_ns)
            if pause:
                world.pause("server")
                world.run_for(wait_ns)
                world.resume("server")
        world.run_for(60 * SECOND_NS)
        assert two.server.received == sent
        assert two.client.received == b""
        assert two.client.transport.get_write_buffer_size() == 0
        two.do("client", lambda transport: transport.close())
        world.run_for(SECOND_NS)
        assert two.server.calls == ["made", "eof", "lost"]
        assert two.client.calls[-1] == "lost"
        assert world.complaints == []


def test_one_turn_of_writes_travels_together() -> None:
    with World(1) as world:
        two = connected(world)

        def write_often(transport: asyncio.Transport) -> None:
            for number in range(10):
                transport.write(bytes([number]))

        two.do("client", write_often)
        world.run_for(SECOND_NS)
        assert two.server.reads == [10]


def test_a_full_kernel_makes_the_writer_wait_and_tells_it_to_pause() -> None:
    with World(1) as world:
        two = connected(world)
        two.do("server", lambda transport: transport.pause_reading())
        two.send(bytes(KERNEL_BYTES_MAX))
        world.run_for(SECOND_NS)
        assert two.client.calls == ["made"]
        two.send(bytes(100_000))
        world.run_for(SECOND_NS)
        assert two.client.calls == ["made", "pause"]
        assert two.client.transport.get_write_buffer_size() == 100_000
        assert two.server.received == b""
        two.do("server", lambda transport: transport.resume_reading())
        world.run_for(SECOND_NS)
        assert two.client.calls == ["made", "pause", "resume"]
        assert len(two.server.received) == KERNEL_BYTES_MAX + 100_000


def test_what_waits_in_the_memory_of_a_process_dies_with_it() -> None:
    with World(1) as world:
        two = connected(world)
        two.do("server", lambda transport: transport.pause_reading())
        two.send(bytes(KERNEL_BYTES_MAX + 100_000))
        world.run_for(SECOND_NS)
        world.crash("client")
        two.do("server", lambda transport: transport.resume_reading())
        world.run_for(SECOND_NS)
        assert len(two.server.received) == KERNEL_BYTES_MAX
        assert two.server.calls == ["made", "eof", "lost"]


def test_close_sends_what_is_buffered_and_abort_does_not() -> None:
    for leave, size in (("close", 400_000), ("abort", KERNEL_BYTES_MAX)):
        with World(1) as world:
            two = connected(world)
            two.do("server", lambda transport: transport.pause_reading())
            two.send(bytes(400_000))
            two.do("client", lambda transport, leave=leave: getattr(transport, leave)())  # type: ignore[misc]
            world.run_for(SECOND_NS)
            assert two.client.transport.is_closing()
            if leave == "abort":
                assert two.client.transport.get_write_buffer_size() == 0
            two.do("server", lambda transport: transport.resume_reading())
            world.run_for(SECOND_NS)
            assert len(two.server.received) == size
            assert two.client.calls[-1] == "lost"
            assert two.server.calls == ["made", "eof", "lost"]


def test_nothing_is_read_or_written_after_close() -> None:
    with World(1) as world:
        two = connected(world)
        two.send(b"on its way", source="server")
        two.do("client", lambda transport: transport.close())
        two.send(b"too late")
        world.run_for(SECOND_NS)
        assert two.client.received == b""
        assert two.server.received == b""
        assert two.client.calls == ["made", "lost"]


def test_closing_with_unread_bytes_resets_the_other_end() -> None:
    with World(1) as world:
        two = connected(world)
        two.do("client", lambda transport: transport.pause_reading())
        two.send(b"never read", source="server")
        world.run_for(SECOND_NS)
        two.do("client", lambda transport: transport.close())
        world.run_for(SECOND_NS)
        assert isinstance(two.server.lost_with, ConnectionResetError)


def test_a_closing_writer_hears_that_the_reader_died() -> None:
    with World(1) as world:
        two = connected(world)
        two.do("server", lambda transport: transport.pause_reading())
        two.send(bytes(KERNEL_BYTES_MAX + 1))
        two.do("client", lambda transport: transport.close())
        world.run_for(SECOND_NS)
        assert two.client.calls == ["made"]
        world.crash("server")
        world.run_for(SECOND_NS)
        assert isinstance(two.client.lost_with, BrokenPipeError)


def test_an_error_in_data_received_is_a_complaint_and_closes_the_connection() -> None:
    class Careless(Recorder):
        def data_received(self, data: bytes) -> None:
            raise ValueError(data)

    with World(1) as world:
        two = connected(world)
        careless = Careless(world)
        two.do("server", lambda transport: transport.set_protocol(careless))
        two.send(b"bad")
        world.run_for(SECOND_NS)
        assert [type(one.error) for one in world.complaints] == [ValueError]
        assert isinstance(careless.lost_with, ValueError)
        assert two.client.calls == ["made", "eof", "lost"]


def test_death_of_a_process_is_heard_at_the_other_end_behind_all_it_sent() -> None:
    with World(1) as world:
        two = connected(world)
        two.send(b"last words")
        world.crash("client")
        assert two.server.lost_at_ns is None
        world.run_for(10 * MS_NS)
        assert two.server.received == b"last words"
        assert two.server.lost_at_ns is not None
        assert two.client.lost_at_ns is None


def test_peer_is_who_connected_and_nobody_once_dead() -> None:
    with World(1) as world:
        two = connected(world)
        client = world.process("client")
        network = world.process("server").network
        peer = network.peer(two.server.transport)
        assert peer is not None
        assert (peer.pid, peer.started) == (client.pid, client.started)
        world.crash("client")
        world.restart("client")
        assert network.peer(two.server.transport) is None


def test_connect_fails_where_nobody_listens_or_the_listener_is_gone() -> None:
    errors: list[type[OSError]] = []

    async def main(process: SimProcess) -> None:
        for address in ("/run/nobody", ADDRESS):
            try:
                await process.network.connect(address, asyncio.Protocol)
            except OSError as error:
                errors.append(type(error))

    with World(1) as world:
        connected(world)
        world.crash("server")
        world.spawn("other", "home", main)
        world.run_for(SECOND_NS)
        assert errors == [FileNotFoundError, ConnectionRefusedError]


def test_an_address_is_taken_while_its_listener_lives() -> None:
    seen: list[str] = []

    async def main(process: SimProcess) -> None:
        for _ in range(2):
            try:
                listener = await process.network.listen(ADDRESS, asyncio.Protocol)
            except OSError:
                seen.append("taken")
                await asyncio.sleep(1)
            else:
                seen.append("free")
                listener.close()

    with World(1) as world:
        connected(world)
        world.spawn("other", "home", main)
        world.run_for(SECOND_NS // 2)
        world.crash("server")
        world.run_for(SECOND_NS)
        assert seen == ["taken", "free"]


def test_connect_that_is_given_up_leaves_no_connection() -> None:
    async def main(process: SimProcess) -> None:
        for give_up in (0.00001, 0.0001, 0.0002, 0.0003):
            try:
                async with asyncio.timeout(give_up):
                    await process.network.connect(ADDRESS, lambda: Recorder(world))
            except TimeoutError:
                pass

    for seed in range(20):
        with World(seed) as world:
            two = connected(world)
            other = world.spawn("other", "home", main)
            world.run_for(5 * MS_NS)
            assert not other.transports
            world.run_for(SECOND_NS)
            assert all(server.lost_at_ns for server in two.servers[1:])
            assert world.complaints == []


@pytest.mark.parametrize("moment", ["while made", "soon after"])
def test_connect_that_is_canceled_as_it_succeeds_leaves_no_connection(moment: str) -> None:
    seen: list[str] = []

    class Fickle(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            if moment == "while made":
                tasks[0].cancel()
            else:
                asyncio.get_running_loop().call_soon(tasks[0].cancel)

    async def main(process: SimProcess) -> None:
        tasks.append(asyncio.ensure_future(process.network.connect(ADDRESS, lambda: Fickle(world))))
        try:
            await tasks[0]
        except asyncio.CancelledError:
            seen.append("canceled")
        await asyncio.sleep(1)
        seen.append(f"{len(process_of.transports)} open")

    tasks: list[asyncio.Future[None]] = []
    with World(1) as world:
        connected(world)
        process_of = world.spawn("other", "home", main)
        world.run_for(2 * SECOND_NS)
        assert seen == ["canceled", "0 open"]
        assert world.complaints == []


def test_death_can_lose_the_tail_of_what_was_sent() -> None:
    sizes: list[int] = []
    for seed in range(20):
        with World(seed, Faults(network=NetworkFaults(tail_loss_chance=1.0))) as world:
            two = connected(world)
            two.send(bytes(1_000))
            world.crash("client")
            world.run_for(SECOND_NS)
            sizes.append(len(two.server.received))
            assert two.server.lost_at_ns is not None
    assert max(sizes) <= 1_000
    assert len({*sizes}) > 10


def test_death_behind_a_break_is_still_heard() -> None:
    for seed in range(10):
        with World(seed, Faults(network=NetworkFaults(tail_loss_chance=1.0))) as world:
            two = connected(world)
            two.send(b"x")
            assert world.network.break_all(world.process("client"), "server") == 1
            assert world.network.break_all(world.process("client"), "server") == 0
            world.crash("client")
            world.run_for(SECOND_NS)
            assert two.server.lost_at_ns is not None


def test_bytes_for_a_paused_process_wait_and_come_together() -> None:
    with World(1) as world:
        two = connected(world)
        world.pause("server")
        for number in range(10):
            two.send(bytes([number]))
            world.run_for(MS_NS)
        assert two.server.reads == []
        world.resume("server")
        world.run_for(MS_NS)
        assert two.server.reads == [10]
        assert two.server.received == bytes(range(10))


def test_a_write_after_a_pause_in_the_same_callback_leaves_only_after_it() -> None:
    with World(1) as world:
        two = connected(world)

        def stop_and_write(transport: asyncio.Transport) -> None:
            world.pause("client")
            transport.write(b"checked before ")
            transport.write(b"the pause")

        two.do("client", stop_and_write)
        world.run_for(SECOND_NS)
        assert two.server.received == b""
        world.resume("client")
        world.run_for(MS_NS)
        assert two.server.received == b"checked before the pause"


@pytest.mark.parametrize("names", [("client", "server"), ("far", "home"), ("client", "home")])
def test_bytes_wait_for_a_cut_to_heal(names: tuple[str, str]) -> None:
    first, second = names
    with World(1) as world:
        two = connected(world, client_machine="far")
        world.network.cut(first, target=second)
        two.send(b"to and ")
        two.send(b"fro", source="server")
        world.run_for(SECOND_NS)
        two.send(b"from")
        world.run_for(60 * SECOND_NS)
        assert not two.server.received
        assert not two.client.received
        world.network.heal(first, target=second)
        world.run_for(10 * MS_NS)
        assert two.server.received == b"to and from"
        assert two.client.received == b"fro"


def test_a_cut_can_be_one_way_and_is_counted() -> None:
    with World(1) as world:
        two = connected(world)
        for _ in range(2):
            world.network.cut("client", target="server", both_ways=False)
        two.send(b"waits")
        two.send(b"passes", source="server")
        world.run_for(SECOND_NS)
        assert not two.server.received
        assert two.client.received == b"passes"
        world.network.heal("client", target="server", both_ways=False)
        world.run_for(SECOND_NS)
        assert two.server.received == b""
        world.network.heal_all()
        world.run_for(SECOND_NS)
        assert two.server.received == b"waits"


def test_death_and_new_connections_wait_for_a_cut_to_heal() -> None:
    with World(1) as world:
        two = connected(world)
        world.network.cut("client", target="server")
        world.crash("client")
        world.restart("client")
        world.run_for(SECOND_NS)
        assert two.server.lost_at_ns is None
        assert len(two.clients) == 1
        world.network.heal("client", target="server")
        world.run_for(SECOND_NS)
        assert two.server.lost_at_ns is not None
        assert len(two.clients) == len(two.servers) == 2


@given(seed=st.integers(0, 10_000))
def test_a_break_keeps_a_prefix_and_both_ends_hear_of_it(seed: int) -> None:
    faults = Faults(network=NetworkFaults(break_chance=0.02, late_chance=0.5))
    sent = bytearray()
    with World(seed, faults) as world:
        two = connected(world)
        for number in range(500):
            if two.client.lost_at_ns is None:
                data = number.to_bytes(2, "big")
                sent += data
                two.send(data)
                two.send(b"answer", source="server")
            world.run_for(50_000)
        world.run_for(5 * SECOND_NS)
        assert sent.startswith(two.server.received)
        broken = two.server.lost_at_ns is not None
        assert broken == (two.client.lost_at_ns is not None)
        assert broken or sent == two.server.received
        if broken:
            assert two.server.lost_at_ns != two.client.lost_at_ns
            assert isinstance(two.server.lost_with, ConnectionResetError)


def test_bytes_of_a_broken_connection_can_come_after_those_of_the_next() -> None:
    network = NetworkFaults(late_chance=1.0, late_ns=(500 * MS_NS, SECOND_NS))
    overtaken = 0
    for seed in range(30):
        with World(seed, Faults(network=network)) as world:
            two = connected(world)
            for _ in range(5):
                two.send(b"old")
                world.run_for(10_000)
            assert world.network.break_all(world.process("client"), "server") == 1
            world.crash("client")
            world.restart("client")
            world.run_for(20 * MS_NS)
            two.send(b"new")
            world.run_for(5 * SECOND_NS)
            old, new = two.servers
            assert new.received == b"new"
            late = [time_ns for time_ns in old.read_at_ns if time_ns > new.read_at_ns[0]]
            overtaken += bool(late)
    assert overtaken > 5


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (NetworkFaults(drop_chance=0.1), "lost"),
        (NetworkFaults(repeat_chance=0.1), "repeated"),
        (NetworkFaults(swap_chance=0.1), "out of order"),
    ],
)
def test_a_hostile_link_drops_repeats_or_swaps_chunks(faults: NetworkFaults, expected: str) -> None:
    with World(1) as world:
        two = connected(world)
        world.faults = Faults(network=faults)
        numbers = list(range(200))
        for number in numbers:
            two.send(bytes([number]))
            world.run_for(20_000)
        world.run_for(SECOND_NS)
        received = list(two.server.received)
        assert received != numbers
        found = {
            "lost": any(number not in received for number in numbers),
            "repeated": len(received) > len({*received}),
            "out of order": any(one > other for one, other in pairwise(received)),
        }
        assert [what for what, so in found.items() if so] == [expected]
        assert two.server.lost_at_ns is None


def test_refused_and_delayed_connects_happen_as_often_as_asked() -> None:
    network = NetworkFaults(connect_refused_chance=0.5, connect_delay_chance=0.5)
    times: list[int] = []
    refused = 0
    for seed in range(40):
        with World(seed, Faults(network=network)) as world:
            two = Two(world)
            world.run_for(10 * SECOND_NS)
            refused += len(two.errors)
            times.append(world.process("client").started)
            assert len(two.clients) == 1
            assert all(isinstance(error, ConnectionRefusedError) for error in two.errors)
    assert 20 < refused < 80


def test_remote_connections_are_slower_than_local_ones() -> None:
    for machine, low_ns, high_ns in (("home", 20_000, 200_000), ("far", 200_000, 2 * MS_NS)):
        with World(1) as world:
            two = connected(world, client_machine=machine)
            begin_ns = world.now_ns
            two.send(b"x")
            world.run_for(SECOND_NS)
            assert low_ns <= two.server.read_at_ns[0] - begin_ns <= high_ns
