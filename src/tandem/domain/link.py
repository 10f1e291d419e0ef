"""What coordinator and worker say to each other (docs/protocol.md, "Links").

A connection has a number, chosen by the worker and rising within its incarnation; every
coordinator's frame carries it with the coordinator's epoch, and everything about an account
carries the account's epoch, so that older words are known and dropped.
"""

import enum

from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    DeskId,
    HaltId,
    Incarnation,
    InstrumentId,
    Lots,
    Ticks,
    VenueId,
)
from tandem.domain.limits import LimitChanges
from tandem.domain.order import Order, Side
from tandem.domain.reports import Accepted, Canceled, Expired, Filled, Rejected
from tandem.domain.value import Value
from tandem.domain.venue import (
    Amended,
    AmendRejected,
    Balances,
    CancelRejected,
    OpenOrder,
    OrderFound,
    OrderNotFound,
)


class Progress(enum.StrEnum):
    """How far a worker came with an attempt that it was handed."""

    SENT = "sent"  # handed to the venue's session
    NOT_SENT = "not_sent"  # refused by the worker itself, and never to be sent


class Seen(Value, frozen=True, kw_only=True):
    """One attempt that this incarnation knows."""

    client_order_id: ClientOrderId
    progress: Progress


class Hello(Value, frozen=True, kw_only=True, tag="hello"):
    """First word on a connection: who this is, and the state of every attempt it has seen.

    `name` is the process' name. `account_id` and `account_epoch` are what it last held,
    `ready` whether that account could trade now. `seen_all` is False when it had to forget some,
    so that what is not in `seen` proves nothing. `halt_id` is that of a halt by its own control
    socket which no coordinator has lifted.
    """

    incarnation: Incarnation
    connection: int
    name: str
    account_id: AccountId | None
    account_epoch: int
    bundle_hash: str | None
    ready: bool
    seen: tuple[Seen, ...]
    seen_all: bool = True
    halt_id: HaltId | None = None


class Heartbeat(Value, frozen=True, kw_only=True, tag="beat"):
    """The worker lives; numbered so that its acknowledgement can renew a lease."""

    number: int


class Configured(Value, frozen=True, kw_only=True, tag="configured"):
    """The whole bundle has come; `bundle_hash` is SHA-256 of its bytes, in hex."""

    bundle_hash: str


class Ready(Value, frozen=True, kw_only=True, tag="ready"):
    """The account's venue session is up and its instruments are known.

    It stands until `NotReady`, a lost connection or a newer epoch. `balances` are the venue's
    word at login.
    """

    account_id: AccountId
    account_epoch: int
    balances: Balances


class GaveBack(Value, frozen=True, kw_only=True, tag="gave_back"):
    """The answer to `Revoke`: nothing will be sent under this epoch of the account any more."""

    account_id: AccountId
    account_epoch: int


class NotReady(Value, frozen=True, kw_only=True, tag="not_ready"):
    """The account cannot trade here now; `reason` is for people."""

    account_id: AccountId
    account_epoch: int
    reason: str


class ClockRead(Value, frozen=True, kw_only=True, tag="clock"):
    """Venue time minus the coordinator's CLOCK_BOOTTIME, and by how much that may be wrong."""

    venue_id: VenueId
    offset_ns: int
    uncertainty_ns: int


class NotSentReason(enum.StrEnum):
    """Why a worker did not hand an attempt to the venue."""

    OLD_EPOCH = "old_epoch"
    WRONG_ACCOUNT = "wrong_account"
    LEASE = "lease"
    TOO_LATE = "too_late"
    SESSION_DOWN = "session_down"
    HALTED = "halted"
    RISK = "risk"


class NotSent(Value, frozen=True, kw_only=True, tag="not_sent"):
    """This send did not reach the venue and never will; `text` says more."""

    client_order_id: ClientOrderId
    reason: NotSentReason
    text: str = ""


class TimedOut(Value, frozen=True, kw_only=True, tag="timed_out"):
    """The venue did not answer a send in time: nobody knows."""

    client_order_id: ClientOrderId


WorkerReport = (
    Accepted
    | Rejected
    | Filled
    | Canceled
    | Expired
    | CancelRejected
    | Amended
    | AmendRejected
    | NotSent
    | TimedOut
)


class Reported(Value, frozen=True, kw_only=True, tag="reported"):
    """News about an attempt, repeated after a reconnect until acknowledged.

    `report_id` rises by one within an incarnation. `send_number` is that of the send answered,
    None when the news answers no send. `sent_ns` is when that send was handed to the session,
    in CLOCK_BOOTTIME of the worker's machine.
    """

    report_id: int
    account_id: AccountId
    send_number: int | None
    sent_ns: int | None
    report: WorkerReport


class Executed(Value, frozen=True, kw_only=True):
    """One execution as the venue lists it."""

    fill: Filled
    instrument_id: InstrumentId
    side: Side


class Listed(Value, frozen=True, kw_only=True, tag="listed"):
    """Some of the open orders that an audit found; all have come when `Audited` comes."""

    query_id: int
    orders: tuple[OpenOrder, ...]


class Audited(Value, frozen=True, kw_only=True, tag="audited"):
    """The venue's word on an account as a whole.

    `executions` lie between the cursor asked for and `cursor`, without those that this worker has
    reported; `balances` are as of a moment at which there were no others. They are None when the
    account was being traded, and when everything is as the coordinator knows it: then `digest`,
    of balances and open orders, is the one that it sent.
    """

    query_id: int
    cursor: int
    executions: tuple[Executed, ...] = ()
    balances: Balances | None = None
    digest: bytes = b""


Answer = OrderFound | OrderNotFound | Listed | Audited


class Answered(Value, frozen=True, kw_only=True, tag="answered"):
    """The venue's answer to `Ask` or `Audit`; a lost one is asked again, so it is not repeated."""

    account_id: AccountId
    answer: Answer


class Limited(Value, frozen=True, kw_only=True, tag="limited"):
    """The answer to `Limit`: every later release is judged by that one, or by a later one."""

    account_id: AccountId
    account_epoch: int
    number: int


class Halted(Value, frozen=True, kw_only=True, tag="halted"):
    """Somebody halted this worker by its own control socket; all must stop."""

    reason: str
    halt_id: HaltId


WorkerMessage = (
    Hello
    | Heartbeat
    | Configured
    | Ready
    | NotReady
    | GaveBack
    | Halted
    | ClockRead
    | Reported
    | Answered
    | Limited
)


class Welcome(Value, frozen=True, kw_only=True, tag="welcome"):
    """The connection stands. Reports not yet acknowledged may be sent now.

    The account that this worker holds, if any: a worker that holds another one drops it.
    """

    account_id: AccountId | None
    account_epoch: int
    halted: bool


class BundlePart(Value, frozen=True, kw_only=True, tag="bundle"):
    """One piece of the set-up bundle: `index` of `count`, in order."""

    index: int
    count: int
    content: bytes


class Grant(Value, frozen=True, kw_only=True, tag="grant"):
    """From now on this worker, and no other, trades the account.

    `secret` is filled in by the shell on the wire and never recorded. `lease_ns` is None for a
    worker on the coordinator's own computer, whose right ends with its process. Every client order
    id of ours begins with `desk_id` and a dash; what does not is another program's.
    """

    account_id: AccountId
    account_epoch: int
    venue_id: VenueId
    lease_ns: int | None
    secret: str = ""
    desk_id: DeskId = DeskId("")


class Revoke(Value, frozen=True, kw_only=True, tag="revoke"):
    """The account is no longer this worker's; answered by `GaveBack`."""

    account_id: AccountId


class Release(Value, frozen=True, kw_only=True, tag="release"):
    """Hand this order to the venue, once for each `send_number`.

    `order.expires_at_ns` and `release_by_ns` are venue time. `parent_quantity_left` is what the
    parent may still have at venues, this order included: the worker's own check that children
    stay within their parent.
    """

    account_id: AccountId
    account_epoch: int
    send_number: int
    order: Order
    release_by_ns: int
    parent_quantity_left: int


class Withdraw(Value, frozen=True, kw_only=True, tag="withdraw"):
    """Cancel this order at the venue."""

    account_id: AccountId
    account_epoch: int
    client_order_id: ClientOrderId


class Amend(Value, frozen=True, kw_only=True, tag="amend"):
    """Let this order be for so much in all at the venue, what has traded included."""

    account_id: AccountId
    account_epoch: int
    client_order_id: ClientOrderId
    quantity: Lots
    limit_price: Ticks | None


class Ask(Value, frozen=True, kw_only=True, tag="ask"):
    """Ask the venue what it knows of this order; the answer repeats `query_id`."""

    account_id: AccountId
    account_epoch: int
    query_id: int
    client_order_id: ClientOrderId


class Audit(Value, frozen=True, kw_only=True, tag="audit"):
    """Ask the venue for open orders, executions after `cursor`, and balances of the account.

    A `cursor` of None asks only where executions end. `known` is the digest of the last answer
    that agreed with the books, if they are still the same. Answered by `Listed` and `Audited`.
    """

    account_id: AccountId
    account_epoch: int
    query_id: int
    cursor: int | None
    known: bytes = b""


class Acknowledge(Value, frozen=True, kw_only=True, tag="ack"):
    """Every report up to this one is on disk."""

    report_id: int


class BeatAcknowledged(Value, frozen=True, kw_only=True, tag="beat_ack"):
    """A heartbeat was heard while the worker held this account in this epoch.

    The account is None when nothing is renewed. `at_ns` is when it was heard, in CLOCK_BOOTTIME
    of the coordinator: a worker on another computer learns that clock from it.
    """

    number: int
    account_id: AccountId | None
    account_epoch: int
    at_ns: int = 0


class Halt(Value, frozen=True, kw_only=True, tag="halt"):
    """Hand no new order to a venue until `on` is False; cancels go on."""

    on: bool


class Limit(Value, frozen=True, kw_only=True, tag="limit"):
    """Judge the account's orders by the bundle's limits with these changes from now on.

    `reduces`: only what brings a position nearer to zero may leave. Answered by `Limited`; a
    lower `number` than the last is old. With the account the worker forgets it.
    """

    account_id: AccountId
    account_epoch: int
    number: int
    changes: LimitChanges
    reduces: bool = False


class HaltLifted(Value, frozen=True, kw_only=True, tag="halt_lifted"):
    """The desk took note of this halt by hand, and a person resumed trading since."""

    halt_id: HaltId


CoordinatorMessage = (
    Welcome
    | BundlePart
    | Grant
    | Revoke
    | Release
    | Withdraw
    | Amend
    | Ask
    | Audit
    | Acknowledge
    | BeatAcknowledged
    | Halt
    | HaltLifted
    | Limit
)

EXECUTIONS_TOLD_MAX = 150  # in one answer to an audit
BUNDLE_BYTES_MAX = 5_000_000
BUNDLE_PART_BYTES = 60_000
MESSAGE_BYTES_MAX = 100_000
