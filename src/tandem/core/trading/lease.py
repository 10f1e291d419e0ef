"""Who may trade an account, and for how long: the two halves of one protocol.

The argument, for a worker on another computer: its right ends `lease` after it *sent* the last
heartbeat that was acknowledged for this account and epoch. The coordinator acknowledges only what
it renews, and gives the account anew only when `lease + margin` have passed since it *received*
that heartbeat. Receiving comes after sending, and the margin covers clocks whose rates differ by
as much; so two workers never hold one account, however long messages take or however often they
are lost. Before its first acknowledged heartbeat a worker holds nothing. A lease that was said to
be over is never renewed: what is done about it may have been decided before it is done.

A worker on this computer holds its account until it is dead, which the kernel tells, or gives it
back; silence alone ends nothing. Heartbeats are not recorded: a restarted coordinator takes every
lease as just renewed, which can only be too late.
"""

from typing import Final

import msgspec

from tandem.domain.ids import AccountId, Incarnation

LEASE_NS: Final = 3_000_000_000
MARGIN_NS: Final = 30_000_000


class Lease(msgspec.Struct, array_like=True, gc=False):
    """The worker's half: the one account it may trade, if any.

    Times are this machine's CLOCK_BOOTTIME. `epochs` are the highest epochs heard of, by
    account, so that no old grant or acknowledgement counts.
    """

    lease_ns: int = LEASE_NS
    account_id: AccountId | None = None
    epoch: int = 0
    ends_at_ns: int | None = 0  # None: without end until revoked
    epochs: dict[AccountId, int] = {}

    def on_grant(self, account_id: AccountId, epoch: int, *, is_local: bool) -> bool:
        """Take an account in place of what was held; return whether the grant is new.

        A grant to a worker on another computer gives no right yet: `on_acknowledged` does.
        """
        if epoch <= self.epochs.get(account_id, 0):
            return False
        self.epochs[account_id] = epoch
        self.account_id, self.epoch = account_id, epoch
        self.ends_at_ns = None if is_local else 0
        return True

    def on_acknowledged(self, account_id: AccountId, epoch: int, *, sent_at_ns: int) -> None:
        """Renew: the heartbeat sent at `sent_at_ns`, naming this account and epoch, was heard.

        Acknowledgements of other accounts and epochs, late ones and repeats change nothing.
        """
        if account_id != self.account_id or epoch != self.epoch or self.ends_at_ns is None:
            return
        self.ends_at_ns = max(self.ends_at_ns, sent_at_ns + self.lease_ns)

    def on_revoked(self, account_id: AccountId, epoch: int) -> None:
        """Give the account up, unless it is held under a newer epoch."""
        self.epochs[account_id] = max(epoch, self.epochs.get(account_id, 0))
        if account_id == self.account_id and epoch >= self.epoch:
            self.account_id, self.epoch, self.ends_at_ns = None, 0, 0

    @property
    def is_held(self) -> bool:
        """Whether the right to trade began; it may have lapsed since."""
        return self.account_id is not None and self.ends_at_ns != 0

    def holds(self, account_id: AccountId, epoch: int) -> bool:
        """Return whether that grant is the one held, lapsed or not."""
        return epoch == self.epoch and account_id == self.account_id

    def outlives(self, at_ns: int) -> bool:
        """Return whether the right to trade lasts beyond `at_ns`."""
        if self.account_id is None:
            return False
        return self.ends_at_ns is None or at_ns < self.ends_at_ns


class Held(msgspec.Struct, array_like=True, gc=False):
    """One leased account. `is_over`: told to have lapsed, and never renewed again."""

    epoch: int
    holder: Incarnation
    renewed_at_ns: int
    is_over: bool = False


class LeaseBook(msgspec.Struct, array_like=True, gc=False):
    """The coordinator's half: leases of workers on other computers, in its own CLOCK_BOOTTIME."""

    lease_ns: int = LEASE_NS
    margin_ns: int = MARGIN_NS
    held: dict[AccountId, Held] = {}

    def on_grant(
        self, account_id: AccountId, epoch: int, holder: Incarnation, *, now_ns: int
    ) -> None:
        """Write down a grant as it is made; one that is said again changes nothing.

        That nobody else has the account is for the one who grants to know.
        """
        held = self.held.get(account_id)
        if held is None or held.epoch < epoch:
            self.held[account_id] = Held(epoch, holder, now_ns)

    def on_heartbeat(
        self, account_id: AccountId, epoch: int, holder: Incarnation, *, now_ns: int
    ) -> bool:
        """Renew a lease at receipt; return whether to acknowledge the heartbeat."""
        held = self.held.get(account_id)
        if held is None or held.epoch != epoch or held.holder != holder or held.is_over:
            return False
        held.renewed_at_ns = max(held.renewed_at_ns, now_ns)
        return True

    def left(self, now_ns: int) -> dict[tuple[AccountId, int], int]:
        """Return what is left of each lease that is not over, by account and epoch."""
        ends_ns = self.lease_ns - now_ns
        return {
            (account_id, one.epoch): max(0, one.renewed_at_ns + ends_ns)
            for account_id, one in self.held.items()
            if not one.is_over
        }

    def lapsed(self, now_ns: int) -> list[tuple[AccountId, int]]:
        """Return accounts and epochs whose holders' right has surely ended, each told once."""
        span_ns = self.lease_ns + self.margin_ns
        over = []
        for account_id, held in self.held.items():
            if not held.is_over and now_ns - held.renewed_at_ns >= span_ns:
                held.is_over = True
                over.append((account_id, held.epoch))
        return over
