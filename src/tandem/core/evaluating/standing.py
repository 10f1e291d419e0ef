"""Whose processes go behind those of others: tenants that have not yet shown what they do.

On a busy machine whoever computes takes time from the others, whatever is done to it afterwards. So
the process of a tenant that has not proved itself gets only the time that nobody else wants, as
soon as there is another tenant that has. A tenant has proved itself when so many of its tasks in a
row were evaluated, none of them slowly; one that is slow, or has to be ended, begins again.

Going behind is no punishment: among themselves all are alike, a tenant that is alone is never
behind, and whoever is kept waiting for long goes with the others for a while.
"""

import msgspec

from tandem.domain.evaluation import TenantId
from tandem.domain.value import Value


class Rank(Value, frozen=True, kw_only=True, tag="rank"):
    """Let the tenant's process go behind all others, or with them."""

    tenant: TenantId
    is_behind: bool


class _Standing(msgspec.Struct):
    clean: int = 0  # tasks evaluated in a row
    is_open: bool = False
    is_behind: bool = False


class Standings:
    """What the tenants of one evaluator have shown, and which of their processes go behind."""

    def __init__(self, proof: int) -> None:
        self._proof = proof
        self._standings: dict[TenantId, _Standing] = {}
        self._proved: dict[TenantId, None] = {}

    def is_behind(self, name: TenantId) -> bool:
        """Return whether the tenant's process goes behind the others."""
        return self._standing(name).is_behind

    def is_proved(self, name: TenantId) -> bool:
        """Return whether the tenant has proved itself."""
        return name in self._proved

    def on_open(self, name: TenantId) -> bool:
        """Hear that the tenant gets a process; return whether it begins behind the others."""
        standing = self._standing(name)
        standing.is_open = True
        standing.is_behind = bool(self._proved) and name not in self._proved
        return standing.is_behind

    def on_end(self, name: TenantId) -> None:
        """Hear that the tenant's process is no more."""
        self._standing(name).is_open = False

    def on_evaluated(self, name: TenantId) -> list[Rank]:
        """Hear that one more task of the tenant was evaluated."""
        standing = self._standing(name)
        standing.clean += 1
        if standing.clean != self._proof:
            return []
        is_first = not self._proved
        self._proved[name] = None
        ranks = self._rank(name, is_behind=False)
        if is_first:
            for other in self._standings:
                if other != name:
                    ranks += self._rank(other, is_behind=True)
        return ranks

    def on_slow(self, name: TenantId) -> list[Rank]:
        """Hear that the tenant takes far more time than evaluating needs, or had to be ended."""
        self._standing(name).clean = 0
        self._proved.pop(name, None)
        return self._rank(name, is_behind=True) if self._proved else []

    def on_kept_waiting(self, name: TenantId) -> list[Rank]:
        """Hear that the tenant's process has wanted to run for long, and was not let."""
        return self._rank(name, is_behind=False)

    def _rank(self, name: TenantId, *, is_behind: bool) -> list[Rank]:
        standing = self._standing(name)
        if not standing.is_open or standing.is_behind is is_behind:
            return []
        standing.is_behind = is_behind
        return [Rank(tenant=name, is_behind=is_behind)]

    def _standing(self, name: TenantId) -> _Standing:
        return self._standings.setdefault(name, _Standing())
