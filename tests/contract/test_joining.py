"""A computer joins a pool over real TLS: what both sides do, and what each refuses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tandem.adapters.lan import contexts
from tandem.adapters.lan.network import Door, TlsNetwork
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.adapters.lan.tokens import Token, Tokens
from tandem.domain.errors import ConfigurationError, CoordinatorUnreachableError
from tandem.domain.ids import VenueId
from tandem.domain.link import MESSAGE_BYTES_MAX
from tandem.shells.link import HEADER
from tandem.wiring.gate import Gate, Ports
from tandem.wiring.joining import Asked, join, own_name, read_joined
from tandem.wiring.messaging_keys import hex_of, take_keys
from tests.contract.lan_pool import ANYWHERE, Pool, address_of, dialing, now_s
from tests.contract.lines import Line, Run


class Guarded:
    """A pool with a gate that stands open."""

    def __init__(self, folder: Path) -> None:
        self.pool = Pool(folder)
        self.address = ""
        self.said: list[str] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        ports = Ports(
            workers=7441,
            venues={VenueId("paper"): 7442},
            halts=7443,
            tasks=7444,
            tasks_key=b"k" * 40,
        )
        gate = Gate(self.pool.authority, self.pool.folder, ports, now_s=now_s, say=self.said.append)
        door = Door(context=contexts.serving(self.pool.folder, asks_certificate=False))
        listener = await TlsNetwork(door=door, say=self.said.append).listen(ANYWHERE, gate.link)
        self.address = address_of(listener)
        yield
        listener.close()

    def token(self, letter: bytes = b"s", *, minutes: int = 10, at_s: int = 0) -> Token:
        fingerprint = self.pool.authority.fingerprint[:16]
        token = Token(secret=letter * 16, fingerprint=fingerprint)
        Tokens(self.pool.folder).add(token, minutes=minutes, now_s=at_s or now_s())
        return token


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path / "pool")


def joined(run: Run, guarded: Guarded, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def act() -> None:
        async with guarded.open():
            await work()

    run(act())


def test_a_computer_joins_and_then_calls_with_its_certificate(
    run: Run, guarded: Guarded, tmp_path: Path
) -> None:
    """A4: registered under its name, once."""
    said: list[str] = []
    folder = tmp_path / "joined"

    async def work() -> None:
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        found, pool = await join(folder, asked, said.append)
        assert found.pool_id == guarded.pool.authority.pool_id
        assert pool.coordinator == "127.0.0.1:7441"
        assert pool.venues == {"paper": "127.0.0.1:7442"}
        assert (pool.tasks, pool.tasks_key) == ("127.0.0.1:7444", b"k" * 40)
        machine = guarded.pool.machines.named("laptop")
        assert machine is not None
        assert machine.messaging == hex_of(take_keys(folder, "messaging").public)
        assert said == [f"joined {found.pool_id} at {guarded.address} as laptop"]
        assert read_joined(folder) == found
        there = Line()
        network = guarded.pool.network()
        listener = await network.listen(ANYWHERE, lambda: there)
        await dialing(folder).connect(address_of(listener), Line)
        peer = network.peer(await there.made())
        assert peer is not None
        assert peer.machine == "laptop"
        listener.close()

    joined(run, guarded, work)
    assert guarded.said == ["127.0.0.1 joined as laptop"]


def test_a_computer_comes_back_without_token_and_name(
    run: Run, guarded: Guarded, tmp_path: Path
) -> None:
    folder = tmp_path / "joined"

    async def work() -> None:
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        first = await join(folder, asked, lambda _: None)
        assert await join(folder, Asked(host=guarded.address), lambda _: None) == first

    joined(run, guarded, work)


async def refused(guarded: Guarded, folder: Path, token: Token, reason: str) -> None:
    asked = Asked(host=guarded.address, token=token, name="laptop")
    with pytest.raises(JoinRefusedError, match=reason):
        await join(folder, asked, lambda _: None)
    async with asyncio.timeout(5):
        while True:
            if any(reason in one for one in guarded.said):
                break
            await asyncio.sleep(0.01)


def test_wrong_used_and_expired_tokens_are_refused_on_both_sides(
    run: Run, guarded: Guarded, tmp_path: Path
) -> None:
    async def work() -> None:
        used = guarded.token()
        asked = Asked(host=guarded.address, token=used, name="first")
        await join(tmp_path / "first", asked, lambda _: None)
        await refused(guarded, tmp_path / "a", used, "used already")
        late = guarded.token(b"t", at_s=now_s() - 601)
        await refused(guarded, tmp_path / "b", late, "expired")
        wrong = msgspec.structs.replace(used, secret=b"w" * 16)
        await refused(guarded, tmp_path / "c", wrong, "never made")
        assert not (tmp_path / "c" / "machine.crt").exists()

    joined(run, guarded, work)


def test_a_token_of_another_pool_is_shown_to_nobody(
    run: Run, guarded: Guarded, tmp_path: Path
) -> None:
    """Its secret is not sent to a pool that is not the one it speaks of."""
    foreign = Guarded(tmp_path / "other").token()

    async def work() -> None:
        await refused(guarded, tmp_path / "joined", foreign, "another pool")
        assert any("127.0.0.1 does not join" in one for one in guarded.said)

    joined(run, guarded, work)


def test_where_another_pool_answers_now_the_computer_hangs_up(
    run: Run, guarded: Guarded, tmp_path: Path
) -> None:
    other = Guarded(tmp_path / "other")
    folder = tmp_path / "joined"

    async def work() -> None:
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        await join(folder, asked, lambda _: None)
        async with other.open():
            with pytest.raises(CoordinatorUnreachableError, match="not one of this pool"):
                await join(folder, Asked(host=other.address), lambda _: None)

    joined(run, guarded, work)


def test_a_machine_that_was_removed_is_told_so(run: Run, guarded: Guarded, tmp_path: Path) -> None:
    folder = tmp_path / "joined"

    async def work() -> None:
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        await join(folder, asked, lambda _: None)
        guarded.pool.machines.remove("laptop", now_s())
        with pytest.raises(JoinRefusedError, match="laptop was removed from the pool"):
            await join(folder, Asked(host=guarded.address), lambda _: None)

    joined(run, guarded, work)


def test_where_nobody_answers_that_is_said(run: Run, guarded: Guarded, tmp_path: Path) -> None:
    async def work() -> None:
        pass

    joined(run, guarded, work)

    async def call() -> None:
        asked = Asked(host=guarded.address, token=guarded.token())
        with pytest.raises(CoordinatorUnreachableError, match="connection refused"):
            await join(tmp_path / "joined", asked, lambda _: None)

    run(call())


def test_the_private_keys_stay_where_they_were_made(
    run: Run, guarded: Guarded, tmp_path: Path
) -> None:
    """A6, I15."""
    folder = tmp_path / "joined"

    async def work() -> None:
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        await join(folder, asked, lambda _: None)

    joined(run, guarded, work)
    key, messaging = folder / "machine.key", folder / "messaging.curve"
    secrets = (key.read_bytes().splitlines()[1], messaging.read_bytes())
    assert {one.stat().st_mode & 0o777 for one in (key, messaging)} == {0o600}
    for path in guarded.pool.folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in secrets if secret in content]


@pytest.mark.parametrize(
    "content", [b"\xff" * 100, HEADER.pack(9, 0, 0, 1), b"GET / HTTP/1.1\r\n\r\n"]
)
def test_whatever_is_said_at_the_gate_it_stays_open(
    run: Run, guarded: Guarded, tmp_path: Path, content: bytes
) -> None:
    async def work() -> None:
        network = TlsNetwork(dialing=contexts.asking(), say=lambda _: None)
        line = Line()
        await network.connect(guarded.address, lambda: line)
        (await line.made()).write(content + b"\x00" * 100)
        await asyncio.wait_for(line.is_lost.wait(), 10)
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        await join(tmp_path / "joined", asked, lambda _: None)

    joined(run, guarded, work)


def test_a_message_that_is_too_long_is_refused_at_the_gate(run: Run, guarded: Guarded) -> None:
    """A39."""

    async def work() -> None:
        network = TlsNetwork(dialing=contexts.asking(), say=lambda _: None)
        line = Line()
        await network.connect(guarded.address, lambda: line)
        (await line.made()).write(HEADER.pack(MESSAGE_BYTES_MAX + 1, 0, 0, 1))
        await asyncio.wait_for(line.is_lost.wait(), 10)
        assert any("100001 bytes; the limit is 100000" in one for one in guarded.said)

    joined(run, guarded, work)


def test_a_damaged_folder_is_named(run: Run, guarded: Guarded, tmp_path: Path) -> None:
    folder = tmp_path / "joined"

    async def work() -> None:
        asked = Asked(host=guarded.address, token=guarded.token(), name="laptop")
        await join(folder, asked, lambda _: None)
        folder.joinpath("authority.crt").unlink()
        with pytest.raises(ConfigurationError, match=r"authority\.crt"):
            await join(folder, Asked(host=guarded.address), lambda _: None)
        folder.joinpath("joined.json").write_text("{")
        with pytest.raises(ConfigurationError, match=r"joined\.json"):
            await join(folder, Asked(host=guarded.address), lambda _: None)

    joined(run, guarded, work)


def test_this_computer_has_a_name_that_a_machine_may_have() -> None:
    from tandem.adapters.lan.authority import refuse_bad_name

    refuse_bad_name(own_name())
