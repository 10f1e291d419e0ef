"""Both halves of the lease protocol, alone and against each other."""

import heapq
import itertools
import random
from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from tandem.core.trading.lease import LEASE_NS, MARGIN_NS, Lease, LeaseBook
from tandem.domain.ids import AccountId, Incarnation

A, B = AccountId("a"), AccountId("b")
ONE, TWO = Incarnation("one"), Incarnation("two")
SECOND = 1_000_000_000


def remote(epoch: int = 1) -> Lease:
    lease = Lease()
    assert lease.on_grant(A, epoch, is_local=False)
    return lease


def granted(epoch: int = 1) -> LeaseBook:
    book = LeaseBook()
    book.on_grant(A, epoch, ONE, now_ns=0)
    return book


def test_a_worker_without_a_grant_may_not_trade() -> None:
    assert not Lease().outlives(-1)
    assert not Lease().holds(A, 1)


def test_a_local_worker_holds_without_end_until_revoked() -> None:
    lease = Lease()
    assert lease.on_grant(A, 1, is_local=True)
    lease.on_acknowledged(A, 1, sent_at_ns=5)
    assert lease.outlives(2**62)
    lease.on_revoked(A, 1)
    assert not lease.outlives(0)
    assert not lease.holds(A, 1)


def test_a_remote_worker_holds_from_its_first_acknowledged_heartbeat_for_one_lease() -> None:
    lease = remote()
    assert lease.holds(A, 1)
    assert not lease.outlives(0)
    lease.on_acknowledged(A, 1, sent_at_ns=7)
    assert lease.outlives(6 + LEASE_NS)
    assert not lease.outlives(7 + LEASE_NS)


def test_a_late_acknowledgement_does_not_shorten_the_lease() -> None:
    """F9."""
    lease = remote()
    lease.on_acknowledged(A, 1, sent_at_ns=9)
    lease.on_acknowledged(A, 1, sent_at_ns=3)
    assert lease.outlives(8 + LEASE_NS)


@pytest.mark.parametrize(("account_id", "epoch"), [(A, 1), (A, 3), (B, 2)])
def test_acknowledgements_of_another_account_or_epoch_renew_nothing(
    account_id: AccountId, epoch: int
) -> None:
    """I3."""
    lease = remote(epoch=2)
    lease.on_acknowledged(account_id, epoch, sent_at_ns=9)
    assert not lease.outlives(0)


def test_an_old_grant_is_not_taken_even_after_the_account_was_given_up() -> None:
    """F5, I3."""
    lease = remote(epoch=2)
    assert not lease.on_grant(A, 1, is_local=True)
    assert not lease.on_grant(A, 2, is_local=True)
    lease.on_revoked(A, 2)
    assert not lease.on_grant(A, 2, is_local=True)
    assert lease.on_grant(A, 3, is_local=True)


def test_a_worker_holds_one_account_at_most() -> None:
    """I3."""
    lease = remote()
    lease.on_acknowledged(A, 1, sent_at_ns=9)
    assert lease.on_grant(B, 1, is_local=False)
    assert lease.holds(B, 1)
    assert not lease.holds(A, 1)
    assert not lease.outlives(0)


def test_a_revocation_of_an_older_epoch_or_another_account_takes_nothing() -> None:
    lease = remote(epoch=5)
    lease.on_acknowledged(A, 5, sent_at_ns=1)
    lease.on_revoked(A, 4)
    lease.on_revoked(B, 9)
    assert lease.outlives(LEASE_NS)
    assert lease.holds(A, 5)
    assert not lease.on_grant(B, 9, is_local=True)


def test_a_heartbeat_is_acknowledged_only_when_it_renewed() -> None:
    assert not LeaseBook().on_heartbeat(A, 1, ONE, now_ns=0)
    book = granted(epoch=2)
    assert not book.on_heartbeat(A, 1, ONE, now_ns=5)
    assert not book.on_heartbeat(A, 2, TWO, now_ns=5)
    assert book.on_heartbeat(A, 2, ONE, now_ns=5)
    assert book.held[A].renewed_at_ns == 5
    assert book.on_heartbeat(A, 2, ONE, now_ns=3)
    assert book.held[A].renewed_at_ns == 5


def test_a_lease_lapses_only_after_lease_and_margin_and_is_told_once() -> None:
    book = granted()
    book.on_heartbeat(A, 1, ONE, now_ns=10)
    assert book.lapsed(9 + LEASE_NS + MARGIN_NS) == []
    assert book.lapsed(10 + LEASE_NS + MARGIN_NS) == [(A, 1)]
    assert book.lapsed(2**62) == []


def test_a_lease_that_was_said_to_be_over_is_never_renewed() -> None:
    """I3: its account may be on its way to another worker already."""
    book = granted()
    assert book.lapsed(LEASE_NS + MARGIN_NS) == [(A, 1)]
    assert not book.on_heartbeat(A, 1, ONE, now_ns=LEASE_NS + MARGIN_NS)


def test_a_grant_said_again_renews_nothing_and_the_next_one_takes_its_place() -> None:
    book = granted(epoch=2)
    book.on_grant(A, 2, ONE, now_ns=SECOND)
    book.on_grant(A, 1, TWO, now_ns=SECOND)
    assert book.held[A].renewed_at_ns == 0
    book.on_grant(A, 3, TWO, now_ns=SECOND)
    assert not book.on_heartbeat(A, 2, ONE, now_ns=SECOND)
    assert book.on_heartbeat(A, 3, TWO, now_ns=SECOND)


def test_the_workers_half_survives_a_snapshot() -> None:
    lease = remote()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(lease), type=Lease) == lease


class Clock:
    """A clock that runs at its own rate, in parts per 10,000, from its own beginning."""

    def __init__(self, drawn: random.Random, rate: int) -> None:
        self.rate = rate
        self.begin_ns = drawn.randrange(1_000 * SECOND)

    def at(self, true_ns: int) -> int:
        return self.begin_ns + true_ns * self.rate // 10_000


class World:
    """One account, three workers on other computers, a coordinator that restarts now and then."""

    def __init__(self, seed: int, margin_ns: int) -> None:
        self.drawn = random.Random(seed)
        rates = [10_000 + self.drawn.randrange(100) for _ in range(4)]
        self.clocks = [Clock(self.drawn, rate) for rate in rates]
        self.leases = [Lease() for _ in range(3)]
        self.book = LeaseBook(margin_ns=margin_ns)
        self.epoch = 0
        self.now_ns = 0
        self.grants = self.conflicts = 0
        self.order = itertools.count()
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        for worker in range(3):
            self.at(0, partial(self.beat, worker))
        self.at(0, self.look)

    def at(self, delay_ns: int, act: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now_ns + delay_ns, next(self.order), act))

    def carry(self, act: Callable[[], None]) -> None:
        """Deliver a message late, twice or never."""
        for _ in range(self.drawn.choice([0, 1, 1, 1, 1, 2])):
            longest = self.drawn.choice([SECOND // 100, SECOND, 8 * SECOND])
            self.at(self.drawn.randrange(longest), act)

    def beat(self, worker: int) -> None:
        lease, sent_at_ns = self.leases[worker], self.clocks[worker].at(self.now_ns)
        if lease.account_id is not None:
            epoch = lease.epoch
            self.carry(lambda: self.heard(worker, epoch, sent_at_ns))
        pause = self.drawn.choice([SECOND // 20, SECOND // 2, 5 * SECOND])
        self.at(pause, lambda: self.beat(worker))

    def heard(self, worker: int, epoch: int, sent_at_ns: int) -> None:
        here_ns = self.clocks[3].at(self.now_ns)
        if self.book.on_heartbeat(A, epoch, Incarnation(str(worker)), now_ns=here_ns):
            self.carry(lambda: self.leases[worker].on_acknowledged(A, epoch, sent_at_ns=sent_at_ns))

    def look(self) -> None:
        """The coordinator looks often, so that it gives the account away as soon as it may."""
        here_ns = self.clocks[3].at(self.now_ns)
        held = self.book.held.get(A)
        if self.drawn.random() < 0.0005 and held is not None:
            # It restarts (F19), and takes the lease as just renewed.
            self.book = LeaseBook(margin_ns=self.book.margin_ns)
            self.book.on_grant(A, held.epoch, held.holder, now_ns=here_ns)
        if held is None or self.book.lapsed(here_ns):
            self.grant(self.drawn.randrange(3), here_ns)
        self.at(SECOND // 200, self.look)

    def grant(self, worker: int, here_ns: int) -> None:
        self.epoch += 1
        self.grants += 1
        epoch = self.epoch
        self.book.on_grant(A, epoch, Incarnation(str(worker)), now_ns=here_ns)
        self.at(0, lambda: self.give(worker, epoch))

    def give(self, worker: int, epoch: int) -> None:
        self.leases[worker].on_grant(A, epoch, is_local=False)
        # The moment at which the successor could first be acknowledged: nobody else may hold.
        for other, lease in enumerate(self.leases):
            if other != worker and lease.outlives(self.clocks[other].at(self.now_ns)):
                self.conflicts += 1

    def run(self, until_ns: int) -> None:
        while self.events[0][0] <= until_ns:
            self.now_ns, _, act = heapq.heappop(self.events)
            act()
            holders = [
                lease.outlives(self.clocks[worker].at(self.now_ns))
                for worker, lease in enumerate(self.leases)
            ]
            self.conflicts += sum(holders) > 1


def test_what_is_left_of_a_lease_is_told_until_it_is_over() -> None:
    """C13: for people only, and never below nothing."""
    book = LeaseBook(lease_ns=10, margin_ns=2)
    assert book.left(0) == {}
    book.on_grant(A, 3, Incarnation("one"), now_ns=100)
    assert book.left(104) == {(A, 3): 6}
    assert book.left(111) == {(A, 3): 0}
    assert book.on_heartbeat(A, 3, Incarnation("one"), now_ns=111)
    assert book.left(112) == {(A, 3): 9}
    assert book.lapsed(123) == [(A, 3)]
    assert book.left(123) == {}


@pytest.mark.parametrize("seed", range(6))
def test_no_two_workers_ever_hold_one_account(seed: int) -> None:
    """I3: late, lost and repeated messages, pauses, clocks one per cent apart."""
    world = World(seed, MARGIN_NS)
    world.run(90 * SECOND)
    assert world.grants > 3
    assert world.conflicts == 0


def test_without_a_margin_the_lease_would_fail_on_clocks_of_different_rates() -> None:
    for seed in (2, 7, 15):
        world = World(seed, 0)
        world.run(90 * SECOND)
        assert world.conflicts > 0
