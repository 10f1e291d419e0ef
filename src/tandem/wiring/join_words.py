"""What a computer that wants to join and the gate of a pool say to each other.

The gate shows its certificate, the computer none: it has none yet. First it asks for the
certificate of the pool's authority, and believes it only when its fingerprint is that of the join
token; then it calls again, believing nobody else, and says who it wants to be.
"""

from typing import Final

from tandem.domain.ids import VenueId
from tandem.domain.value import Value

JOIN_PORT: Final = 7440


class AskAuthority(Value, frozen=True, kw_only=True, tag="ask_authority"):
    """Who are you? The answer is public."""


class Enroll(Value, frozen=True, kw_only=True, tag="enroll"):
    """Let me in as `name`, with the key in `request` (PEM), which proves that I have it.

    The request also says my messaging key, when evaluators of mine shall do tasks. `secret` is
    that of a join token; without one, the key must be known under that name.
    """

    name: str
    request: bytes
    version: str
    secret: bytes | None = None


class Declined(Value, frozen=True, kw_only=True, tag="declined"):
    """I do not want to join you, and why: for the pool's log."""

    reason: str


JoinRequest = AskAuthority | Enroll | Declined


class AuthorityIs(Value, frozen=True, kw_only=True, tag="authority"):
    """The certificate of the pool's authority, PEM."""

    certificate: bytes


class Enrolled(Value, frozen=True, kw_only=True, tag="enrolled"):
    """You are in: your certificate (PEM), and the ports on the host that you called.

    `tasks_port` is where evaluators get tasks, from the holder of `tasks_key` (CURVE, Z85); None
    where no strategies are evaluated.
    """

    certificate: bytes
    pool_id: str
    workers_port: int
    venue_ports: dict[VenueId, int]
    halts_port: int
    tasks_port: int | None = None
    tasks_key: bytes | None = None


class NotEnrolled(Value, frozen=True, kw_only=True, tag="not_enrolled"):
    """You are not, and why."""

    reason: str


JoinAnswer = AuthorityIs | Enrolled | NotEnrolled
