"""One worker: drives one account at a time, sends what it is handed once, and keeps no state.

Why nothing is sent twice: a release is handed to the venue's session at most once for each send
number, only under the present epochs and lease, and never again by itself. What happened to it is
reported until the coordinator has it on disk; what is not known here after a reconnect was never
sent. All memory is lost with the process, and the protocol counts on that.
"""

import heapq
from hashlib import sha256
from typing import assert_never

import msgspec

from tandem.core.trading.lease import Lease
from tandem.core.trading.risk import Exposure, TradingState, first_breach
from tandem.domain import link, venue
from tandem.domain.bundle import Bundle
from tandem.domain.desk import MS, SECOND, VenueSettings
from tandem.domain.ids import AccountId, ClientOrderId, ExecutionId, Incarnation, Lots, VenueId
from tandem.domain.instant import Instant
from tandem.domain.order import Order
from tandem.domain.reports import (
    DEFINITE,
    Accepted,
    Canceled,
    ExecutionReport,
    Expired,
    Filled,
    Rejected,
)
from tandem.domain.worker import Hangup, Say, ToVenue, WorkerEffect

SEEN_MAX = 50_000
TIME_OUT_NS = 1_500 * MS  # longer than a request is valid: what timed out is already dead
LATE_NS = 300 * MS  # after `release_by`: the margin until a class A request expires
BEATS_MAX = 100  # heartbeats whose acknowledgement may still come
REFRESH_NS = 30 * SECOND


class SeenOrder(msgspec.Struct, gc=False):
    """What this run knows of one attempt."""

    order: Order
    send_number: int
    progress: link.Progress
    sent_ns: int | None = None
    answered: bool = False
    counted: bool = False  # in the exposure
    cum_quantity: int = 0
    executions: dict[ExecutionId, None] = {}
    ended: bool = False
    final_report: int | None = None


class Worker:
    """The decisions of one worker process."""

    def __init__(self, incarnation: Incarnation, name: str) -> None:
        self.incarnation = incarnation
        self.name = name
        self.connection = 0
        self.welcomed = False
        self.coordinator_epoch = 0
        self.account_id: AccountId | None = None
        self.account_epoch = 0
        self.venue_id: VenueId | None = None
        self.lease = Lease()
        self.halted = False
        self.bundle_hash: str | None = None
        self.counters: dict[str, int] = {}
        self._parts: list[bytes] = []
        self._bundle: Bundle | None = None
        self._venues: dict[VenueId, VenueSettings] = {}
        self._secret = ""
        self._up: dict[VenueId, None] = {}
        self._logged_in = False
        self._balances: venue.Balances | None = None
        self._offset_ns: int | None = None
        self._ready = False
        self._exposure = Exposure()
        self._seen: dict[ClientOrderId, SeenOrder] = {}
        self._forgot = False
        self._unacked: dict[int, link.Reported] = {}
        self._next_report = 1
        self._next_query = 1
        self._next_beat = 1
        self._beats: dict[int, int] = {}
        self._asked_time: dict[int, int] = {}
        self._due: list[tuple[int, str, int]] = []
        self._out: list[WorkerEffect] = []

    @property
    def next_due_ns(self) -> int | None:
        """When `on_due` wants to be called, in CLOCK_BOOTTIME."""
        return self._due[0][0] if self._due else None

    # -- the coordinator's side

    def on_connected(self) -> list[WorkerEffect]:
        """A connection to the coordinator is open: say hello, under the next number.

        What came on an earlier connection and is not yet sent is forgotten with it.
        """
        self.connection += 1
        self.welcomed = False
        hello = link.Hello(
            incarnation=self.incarnation,
            connection=self.connection,
            name=self.name,
            account_id=self.account_id,
            account_epoch=self.account_epoch,
            bundle_hash=self.bundle_hash,
            ready=self._ready,
            seen=tuple(
                link.Seen(client_order_id=key, progress=one.progress)
                for key, one in self._seen.items()
            ),
            seen_all=not self._forgot,
        )
        return [Say(message=hello)]

    def on_disconnected(self) -> None:
        """The connection is lost: send nothing new, keep reports."""
        self.welcomed = False

    def beat(self, now: Instant) -> list[WorkerEffect]:
        """Return the next heartbeat, due every so often while connected."""
        number = self._next_beat
        self._next_beat += 1
        self._beats[number] = now.now_ns
        if len(self._beats) > BEATS_MAX:
            del self._beats[next(iter(self._beats))]
        return [Say(message=link.Heartbeat(number=number))]

    def on_coordinator(
        self, message: link.CoordinatorMessage, epoch: int, now: Instant
    ) -> list[WorkerEffect]:
        """Obey the coordinator; words of an older epoch than the highest seen are dropped."""
        self._out = []
        if epoch < self.coordinator_epoch:
            self._count("old_epochs")
            return self._out
        self.coordinator_epoch = epoch
        self._obey(message, now)
        return self._out

    def _obey(self, message: link.CoordinatorMessage, now: Instant) -> None:  # noqa: C901
        match message:
            case link.Release():
                self._release(message, now)
            case link.Acknowledge():
                self._acknowledged(message.report_id)
            case link.BeatAcknowledged():
                self._beat_acknowledged(message)
            case link.Withdraw():
                if self._is_mine(message.account_id, message.account_epoch):
                    cancel = venue.CancelOrder(client_order_id=message.client_order_id)
                    self._request(cancel)
            case link.Ask():
                if self._is_mine(message.account_id, message.account_epoch):
                    self._request(
                        venue.QueryOrder(
                            query_id=message.query_id, client_order_id=message.client_order_id
                        )
                    )
            case link.Welcome():
                self._welcomed(message)
            case link.BundlePart():
                self._take_part(message)
            case link.Grant():
                self._granted(message)
            case link.Revoke():
                if message.account_id == self.account_id:
                    self._drop_account()
            case link.Halt():
                self.halted = message.on
            case _:
                assert_never(message)

    def _beat_acknowledged(self, message: link.BeatAcknowledged) -> None:
        sent_at_ns = self._beats.pop(message.number, None)
        if sent_at_ns is not None and message.account_id is not None:
            self.lease.on_acknowledged(
                message.account_id, message.account_epoch, sent_at_ns=sent_at_ns
            )

    def _welcomed(self, message: link.Welcome) -> None:
        self.welcomed = True
        self.halted = message.halted
        if (message.account_id, message.account_epoch) != (self.account_id, self.account_epoch):
            self._drop_account()
        for reported in self._unacked.values():
            self._out.append(Say(message=reported))
        if self._ready:
            self._say_ready()

    def _drop_account(self) -> None:
        if self._logged_in and self.venue_id is not None:
            self._out.append(Hangup(venue_id=self.venue_id))
            self._up.pop(self.venue_id, None)
        if self.account_id is not None:
            self.lease.on_revoked(self.account_id, self.account_epoch)
        self.account_id = None
        self.account_epoch = 0
        self.venue_id = None
        self._secret = ""
        self._session_ended()

    def _session_ended(self) -> None:
        self._logged_in = False
        self._ready = False
        self._balances = None
        self._asked_time.clear()

    def _take_part(self, part: link.BundlePart) -> None:
        """Collect the bundle; a part out of order means that it will be sent again."""
        if part.index == 0:
            self._parts.clear()
        if part.index != len(self._parts):
            self._count("bundle_parts_lost")
            return
        self._parts.append(part.content)
        if len(self._parts) < part.count:
            return
        content = b"".join(self._parts)
        self._parts.clear()
        try:
            self._bundle = msgspec.msgpack.decode(content, type=Bundle)
        except msgspec.DecodeError:
            self._count("bundles_garbled")
        else:
            self._venues = {one.venue_id: one for one in self._bundle.venues}
            self._exposure = Exposure()
            for instrument in self._bundle.instruments:
                self._exposure.track(instrument)
        self.bundle_hash = sha256(content).hexdigest()
        self._out.append(Say(message=link.Configured(bundle_hash=self.bundle_hash)))

    def _granted(self, grant: link.Grant) -> None:
        if grant.account_id != self.account_id and self.account_id is not None:
            self._drop_account()
        if (grant.account_id, grant.account_epoch) == (self.account_id, self.account_epoch):
            return
        self.account_id = grant.account_id
        self.account_epoch = grant.account_epoch
        self.venue_id = grant.venue_id
        self._secret = grant.secret
        is_local = grant.lease_ns is None
        if grant.lease_ns is not None:
            self.lease.lease_ns = grant.lease_ns
        self.lease.on_grant(grant.account_id, grant.account_epoch, is_local=is_local)
        if self._logged_in:
            self._refresh_ready()
        elif grant.venue_id in self._up:
            self._log_in()

    # -- releases

    def _is_mine(self, account_id: AccountId, account_epoch: int) -> bool:
        if (account_id, account_epoch) == (self.account_id, self.account_epoch):
            return True
        self._count("other_accounts_dropped")
        return False

    def _release(self, release: link.Release, now: Instant) -> None:
        if not self._is_mine(release.account_id, release.account_epoch):
            return
        key = release.order.client_order_id
        known = self._seen.get(key)
        if known is not None and known.send_number >= release.send_number:
            self._count("sends_repeated")
            return
        objection = self._objection(release, known, now)
        if known is None:
            known = self._seen[key] = SeenOrder(
                order=release.order, send_number=0, progress=link.Progress.NOT_SENT
            )
            self._forget_old()
        known.send_number = release.send_number
        if objection is not None:
            reason, text = objection
            not_sent = link.NotSent(client_order_id=key, reason=reason, text=text)
            report_id = self._report(not_sent, known)
            if known.progress is link.Progress.NOT_SENT:
                known.final_report = report_id
            return
        self._send(release, known, now)

    def _send(self, release: link.Release, known: SeenOrder, now: Instant) -> None:
        assert self._bundle is not None, "nothing is ready without a bundle"
        known.order = release.order
        known.progress = link.Progress.SENT
        known.final_report = None
        known.answered = False
        known.sent_ns = now.now_ns
        if not known.counted:
            known.counted = True
            self._exposure.note_sent(release.order, self._bundle.limits, now)
        self._wait(now.now_ns + TIME_OUT_NS, release.order.client_order_id, release.send_number)
        self._request(venue.PlaceOrder(order=release.order))

    def _objection(
        self, release: link.Release, known: SeenOrder | None, now: Instant
    ) -> tuple[link.NotSentReason, str] | None:
        """Why this release must not go to the venue; the last gate before the wire."""
        if not self._ready or self._bundle is None or self._offset_ns is None:
            return link.NotSentReason.SESSION_DOWN, "the venue's session is down"
        if self.halted:
            return link.NotSentReason.HALTED, ""
        venue_ns = now.now_ns + self._offset_ns
        skew_ns = self._venues[self.venue_id].skew_ns if self.venue_id in self._venues else 0
        expires_ns = release.order.expires_at_ns or release.release_by_ns
        if not self.lease.outlives(expires_ns + skew_ns - self._offset_ns):
            return link.NotSentReason.LEASE, ""
        if venue_ns > release.release_by_ns + LATE_NS:
            late_ms = (venue_ns - release.release_by_ns) // MS
            return link.NotSentReason.TOO_LATE, f"{late_ms} ms after its last moment"
        if known is None or not known.counted:
            breach = first_breach(
                release.order,
                self._bundle.limits,
                self._exposure,
                now,
                Lots(release.parent_quantity_left),
            )
            if breach is not None:
                return link.NotSentReason.RISK, breach.value
        return None

    def _forget_old(self) -> None:
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
            self._forgot = True

    # -- reports

    def _report(self, report: link.WorkerReport, known: SeenOrder | None) -> int:
        """Report, and keep the report until it is acknowledged; return its id."""
        report_id = self._next_report
        self._next_report += 1
        reported = link.Reported(
            report_id=report_id,
            account_id=self.account_id or AccountId(""),
            send_number=known.send_number if known is not None else None,
            sent_ns=known.sent_ns if known is not None else None,
            report=report,
        )
        self._unacked[report_id] = reported
        if self.welcomed:
            self._out.append(Say(message=reported))
        return report_id

    def _acknowledged(self, report_id: int) -> None:
        """Everything up to this report is on disk there; ended orders can be forgotten."""
        for key in [one for one in self._unacked if one <= report_id]:
            reported = self._unacked.pop(key)
            client_order_id = reported.report.client_order_id
            known = self._seen.get(client_order_id)
            if known is None or known.final_report is None:
                continue
            if known.final_report <= report_id:
                del self._seen[client_order_id]

    # -- the venue's side

    def on_session_up(self, venue_id: VenueId) -> list[WorkerEffect]:
        """The transport to a venue is open; log in if that is ours to do."""
        self._out = []
        self._up[venue_id] = None
        if venue_id == self.venue_id:
            self._log_in()
        return self._out

    def on_session_down(self, venue_id: VenueId) -> list[WorkerEffect]:
        """The transport is lost: what was sent on it may or may not have arrived."""
        self._out = []
        self._up.pop(venue_id, None)
        if venue_id == self.venue_id:
            was_ready = self._ready
            self._session_ended()
            if was_ready:
                self._say_not_ready("the venue's session ended")
        return self._out

    def _log_in(self) -> None:
        self._request(venue.Login(account_id=self.account_id, secret=self._secret))

    def _request(self, request: venue.VenueRequest) -> None:
        if self.venue_id is not None and self.venue_id in self._up:
            self._out.append(ToVenue(venue_id=self.venue_id, request=request))

    def on_venue(
        self, venue_id: VenueId, message: venue.VenueMessage, now: Instant
    ) -> list[WorkerEffect]:
        """Take a venue's word; of a venue that is not the account's only quotes count."""
        self._out = []
        if isinstance(message, venue.Quotes):
            for quote in message.quotes:
                self._exposure.note_quote(quote, now)
        elif venue_id == self.venue_id:
            self._from_venue(message, now)
        return self._out

    def _from_venue(  # noqa: C901
        self, message: venue.VenueMessage, now: Instant
    ) -> None:
        match message:
            case Accepted() | Rejected() | Filled() | Canceled() | Expired():
                self._execution_report(message)
            case venue.CancelRejected():
                self._report(message, self._seen.get(message.client_order_id))
            case venue.OrderFound() | venue.OrderNotFound():
                if self.welcomed and self.account_id is not None:
                    answered = link.Answered(account_id=self.account_id, answer=message)
                    self._out.append(Say(message=answered))
            case venue.LoggedIn():
                if message.account_id == self.account_id:
                    self._logged_in = True
                    self._ask_time(now)
                    self._request(venue.AskBalances(query_id=0))
                    self._wait(now.now_ns + REFRESH_NS, "", self.account_epoch)
            case venue.LoginRefused():
                self._say_not_ready(f"login refused: {message.reason}")
            case venue.VenueTime():
                self._time_read(message, now)
            case venue.Balances():
                self._balances = message
                for instrument_id, lots in message.positions.items():
                    if instrument_id in self._exposure.holdings:
                        self._exposure.set_position(instrument_id, lots)
                self._refresh_ready()
            case venue.OpenOrders() | venue.Executions() | venue.Quotes():
                self._count("unasked_answers")
            case _:
                assert_never(message)

    def _ask_time(self, now: Instant) -> None:
        query_id = self._next_query
        self._next_query += 1
        self._asked_time[query_id] = now.now_ns
        self._request(venue.AskTime(query_id=query_id))

    def _time_read(self, told: venue.VenueTime, now: Instant) -> None:
        asked_ns = self._asked_time.pop(told.query_id, None)
        if asked_ns is None or self.venue_id is None:
            return
        half_ns = (now.now_ns - asked_ns) // 2
        skew_ns = self._venues[self.venue_id].skew_ns if self.venue_id in self._venues else 0
        if half_ns > skew_ns // 2:
            self._count("clock_readings_vague")
            self._ask_time(now)
            return
        self._offset_ns = told.venue_at_ns - asked_ns - half_ns
        read = link.ClockRead(
            venue_id=self.venue_id, offset_ns=self._offset_ns, uncertainty_ns=half_ns
        )
        if self.welcomed:
            self._out.append(Say(message=read))
        self._refresh_ready()

    def _refresh_ready(self) -> None:
        """Say that the account can trade, once everything for it is known."""
        if not self._logged_in or self._balances is None or self._offset_ns is None:
            return
        if self._bundle is None:
            return
        self._ready = True
        self._say_ready()

    def _say_ready(self) -> None:
        if not self.welcomed or self.account_id is None or self._balances is None:
            return
        assert self.venue_id is not None, "an account has a venue"
        assert self._offset_ns is not None, "ready without the venue's time"
        read = link.ClockRead(venue_id=self.venue_id, offset_ns=self._offset_ns, uncertainty_ns=0)
        self._out.append(Say(message=read))
        ready = link.Ready(
            account_id=self.account_id,
            account_epoch=self.account_epoch,
            balances=self._balances,
        )
        self._out.append(Say(message=ready))

    def _say_not_ready(self, reason: str) -> None:
        if self.welcomed and self.account_id is not None:
            not_ready = link.NotReady(
                account_id=self.account_id, account_epoch=self.account_epoch, reason=reason
            )
            self._out.append(Say(message=not_ready))

    def _execution_report(self, report: ExecutionReport) -> None:
        known = self._seen.get(report.client_order_id)
        report_id = self._report(report, known)
        if known is None:
            return
        known.answered = True
        if isinstance(report, Filled):
            self._filled(known, report)
        elif isinstance(report, Accepted):
            return
        elif isinstance(report, Rejected):
            if report.code in DEFINITE and known.cum_quantity == 0:
                self._ended(known, report_id)
        else:
            self._ended(known, report_id)
        if known.cum_quantity >= known.order.quantity:
            self._ended(known, report_id)

    def _filled(self, known: SeenOrder, fill: Filled) -> None:
        if fill.execution_id in known.executions:
            return
        known.executions[fill.execution_id] = None
        leaves = 0 if known.ended else known.order.quantity - known.cum_quantity
        known.cum_quantity += fill.quantity
        self._exposure.note_filled(
            known.order, fill.quantity, fill.price, leaves_quantity=Lots(max(0, leaves))
        )

    def _ended(self, known: SeenOrder, report_id: int) -> None:
        known.final_report = report_id
        if known.ended:
            return
        known.ended = True
        leaves = max(0, known.order.quantity - known.cum_quantity)
        if known.counted:
            self._exposure.note_ended(known.order, leaves_quantity=Lots(leaves))

    # -- time

    def _wait(self, due_ns: int, key: str, number: int) -> None:
        heapq.heappush(self._due, (due_ns, key, number))

    def on_due(self, now: Instant) -> list[WorkerEffect]:
        """Report sends that were never answered; read the venue's clock again now and then."""
        self._out = []
        while self._due and self._due[0][0] <= now.now_ns:
            _, key, number = heapq.heappop(self._due)
            if key:
                self._check_answered(ClientOrderId(key), number)
            elif self._logged_in and number == self.account_epoch:
                self._ask_time(now)
                self._request(venue.AskBalances(query_id=0))
                self._wait(now.now_ns + REFRESH_NS, "", number)
        return self._out

    def _check_answered(self, key: ClientOrderId, send_number: int) -> None:
        known = self._seen.get(key)
        if known is None or known.answered or known.send_number != send_number:
            return
        if known.progress is link.Progress.SENT:
            self._report(link.TimedOut(client_order_id=key), known)

    @property
    def exposure_state(self) -> TradingState:
        """What the worker's own gate lets through."""
        return self._exposure.state

    def _count(self, what: str) -> None:
        self.counters[what] = self.counters.get(what, 0) + 1
