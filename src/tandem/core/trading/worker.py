"""One worker: drives one account at a time, sends what it is handed once, and keeps no state.

Why nothing is sent twice: a release is handed to the venue's session at most once for each send
number, only under the present epochs and lease, and never again by itself. What happened to it is
reported until the coordinator has it on disk; what is not known here after a reconnect was never
sent. All memory is lost with the process, and the protocol counts on that.
"""

from collections import deque
from collections.abc import Sequence
from typing import assert_never

from tandem.core.trading.clocks import Clocks
from tandem.core.trading.errands import Errands
from tandem.core.trading.hand_halt import HandHalt
from tandem.core.trading.lease import Lease
from tandem.core.trading.risk import first_breach
from tandem.core.trading.sent_orders import SentOrder, SentOrders
from tandem.core.trading.worker_set_up import WorkerSetUp
from tandem.domain import link, venue
from tandem.domain.desk import MS, SECOND
from tandem.domain.ids import AccountId, DeskId, HaltId, Incarnation, Lots, VenueId
from tandem.domain.instant import Instant
from tandem.domain.reports import Accepted, Canceled, ExecutionReport, Expired, Filled, Rejected
from tandem.domain.worker import Hangup, Say, ToVenue, WorkerEffect

TIME_OUT_NS = 1_500 * MS  # longer than a request is valid: what timed out is already dead
LATE_NS = 300 * MS  # after `release_by`: the margin until a class A request expires
REFRESH_NS = 30 * SECOND


class Worker:
    """The decisions of one worker process."""

    def __init__(self, incarnation: Incarnation, name: str, *, shares_clock: bool = True) -> None:
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
        self.by_hand = HandHalt()
        self.counters: dict[str, int] = {}
        self._set_up = WorkerSetUp()
        self._secret = ""
        self._desk_id = DeskId("")
        self._up: dict[VenueId, None] = {}
        self._logged_in = False
        self._balances: venue.Balances | None = None
        self._clocks = Clocks(shares_clock=shares_clock)
        self._ready = False
        self._sent = SentOrders()
        self._errands = Errands()
        self._seen = self._sent.orders
        self._unacked: deque[link.Reported] = deque()
        self._next_report = 1
        self._refresh_at_ns: int | None = None
        self._out: list[WorkerEffect] = []

    @property
    def next_due_ns(self) -> int | None:
        """When `on_due` wants to be called, in CLOCK_BOOTTIME."""
        due_ns = self._sent.next_deadline_ns()
        for other_ns in (self._refresh_at_ns, self.by_hand.due_ns, self._errands.due_ns):
            if other_ns is not None and (due_ns is None or other_ns < due_ns):
                due_ns = other_ns
        return due_ns

    # -- the coordinator's side

    def on_connected(self) -> list[WorkerEffect]:
        """A connection to the coordinator is open: say hello, under the next number.

        What came on an earlier connection and is not yet sent is forgotten with it.
        """
        self.connection += 1
        self.welcomed = False
        self._clocks.beats.forget_clock()
        seen, seen_all = self._sent.told()
        hello = link.Hello(
            incarnation=self.incarnation,
            connection=self.connection,
            name=self.name,
            account_id=self.account_id,
            account_epoch=self.account_epoch,
            bundle_hash=self._set_up.bundle_hash,
            ready=self._ready,
            seen=seen,
            seen_all=seen_all,
            halt_id=self.by_hand.halt_id,
        )
        return [Say(message=hello)]

    def on_disconnected(self) -> None:
        """The connection is lost: send nothing new, keep reports."""
        self.welcomed = False
        self._errands.drop()
        self._set_up.parts.clear()

    def beat(self, now: Instant) -> list[WorkerEffect]:
        """Return the next heartbeat, due every so often while connected."""
        return [Say(message=link.Heartbeat(number=self._clocks.beats.send(now.now_ns)))]

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
                self._beat_acknowledged(message, now)
            case link.Withdraw() | link.Amend() | link.Ask() | link.Audit():
                if self._is_mine(message.account_id, message.account_epoch):
                    self._request(*self._errands.requests(message, now.now_ns))
            case link.Welcome():
                self._welcomed(message)
            case link.BundlePart():
                self._take_part(message)
            case link.Grant():
                self._granted(message)
            case link.Revoke():
                self._revoked(message)
            case link.Halt():
                self.halted = message.on
            case link.Limit():
                self._limited(message)
            case link.HaltLifted():
                self.by_hand.lift(message.halt_id)
            case _:
                assert_never(message)

    def _beat_acknowledged(self, message: link.BeatAcknowledged, now: Instant) -> None:
        knew_clock = self._clocks.coordinator_offset_ns is not None
        sent_at_ns = self._clocks.beats.acknowledged(
            message.number, heard_at_ns=message.at_ns, now_ns=now.now_ns
        )
        if sent_at_ns is not None and message.account_id is not None:
            self.lease.on_acknowledged(
                message.account_id, message.account_epoch, sent_at_ns=sent_at_ns
            )
        if not self._ready or not knew_clock:
            self._refresh_ready()

    def _limited(self, message: link.Limit) -> None:
        if self._is_mine(message.account_id, message.account_epoch):
            self._out.append(Say(message=self._set_up.limit(message)))
            self._sent.exposure.state = self._set_up.state

    def _revoked(self, message: link.Revoke) -> None:
        if message.account_id == self.account_id:
            epoch = self.account_epoch
            gave_back = link.GaveBack(account_id=message.account_id, account_epoch=epoch)
            self._drop_account()
            self._out.append(Say(message=gave_back))

    def _welcomed(self, message: link.Welcome) -> None:
        self.welcomed = True
        self.halted = message.halted
        if (message.account_id, message.account_epoch) != (self.account_id, self.account_epoch):
            self._drop_account()
        for reported in self._unacked:
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
        self._set_up.forget_limit()
        self._sent.on_account_dropped()
        self._session_ended()
        self.by_hand.on_account_dropped()

    def _session_ended(self) -> None:
        self._logged_in = False
        self._ready = False
        self._balances = None
        self._refresh_at_ns = None
        self._clocks.venue.hang_up()
        self._errands.drop()
        self.by_hand.on_session_ended()

    def _take_part(self, part: link.BundlePart) -> None:
        if not self._set_up.take(part):
            return
        if self._set_up.is_garbled:
            self._count("bundles_garbled")
        else:
            self._sent.track(self._set_up.instruments)
        assert self._set_up.bundle_hash is not None, "a bundle has come"
        self._out.append(Say(message=link.Configured(bundle_hash=self._set_up.bundle_hash)))
        self._refresh_ready()

    def _granted(self, grant: link.Grant) -> None:
        if grant.account_epoch <= self.lease.epochs.get(grant.account_id, 0):
            self._count("grants_repeated")
            return
        if self.account_id not in (None, grant.account_id):
            self._drop_account()
        self.account_id = grant.account_id
        self.account_epoch = grant.account_epoch
        self.venue_id = grant.venue_id
        self._secret = grant.secret
        self._desk_id = grant.desk_id
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
        if account_id == self.account_id and account_epoch == self.account_epoch:
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
        known = self._sent.take(release.order)
        objection = self._objection(release, known, now)
        known.send_number = release.send_number
        if objection is not None:
            reason, text = objection
            not_sent = link.NotSent(client_order_id=key, reason=reason, text=text)
            report_id = self._report(not_sent, known)
            if known.progress is link.Progress.NOT_SENT:
                known.final_report = report_id
            return
        self._send(release, known, now)

    def _send(self, release: link.Release, known: SentOrder, now: Instant) -> None:
        known.order = release.order
        known.progress = link.Progress.SENT
        known.final_report = None
        known.answered = False
        known.sent_ns = now.now_ns
        self._sent.on_sent(known, self._set_up.limits, now)
        self._sent.wait(known, now.now_ns + TIME_OUT_NS)
        self._request(venue.PlaceOrder(order=release.order))

    def _objection(
        self, release: link.Release, known: SentOrder, now: Instant
    ) -> tuple[link.NotSentReason, str] | None:
        """Why this release must not go to the venue; the last gate before the wire."""
        if not self._ready or self._set_up.bundle is None or self._clocks.venue.offset_ns is None:
            return link.NotSentReason.SESSION_DOWN, "the venue's session is down"
        if self.halted or self.by_hand.is_on:
            return link.NotSentReason.HALTED, ""
        venue_ns = now.now_ns + self._clocks.venue.offset_ns
        expires_ns = release.order.expires_at_ns or release.release_by_ns
        if not self.lease.outlives(expires_ns + self._skew_ns - self._clocks.venue.offset_ns):
            return link.NotSentReason.LEASE, ""
        if venue_ns > release.release_by_ns + LATE_NS:
            late_ms = (venue_ns - release.release_by_ns) // MS
            return link.NotSentReason.TOO_LATE, f"{late_ms} ms after its last moment"
        if not known.counted:
            limits, exposure = self._set_up.limits, self._sent.exposure
            most = Lots(release.parent_quantity_left)
            breach = first_breach(release.order, limits, exposure, now, most)
            if breach is not None:
                return link.NotSentReason.RISK, breach.value
        return None

    # -- reports

    def _report(self, report: link.WorkerReport, known: SentOrder | None) -> int:
        """Report, and keep the report until it is acknowledged; return its id."""
        report_id = self._next_report
        self._next_report += 1
        reported = link.Reported(
            report_id=report_id,
            account_id=self.account_id or AccountId(""),
            send_number=known.send_number if known is not None else None,
            sent_ns=self._clocks.told_ns(known.sent_ns) if known is not None else None,
            report=report,
        )
        self._unacked.append(reported)
        if self.welcomed:
            self._out.append(Say(message=reported))
        return report_id

    def _acknowledged(self, report_id: int) -> None:
        """Everything up to this report is on disk there; ended orders can be forgotten."""
        unacked = self._unacked
        while unacked and unacked[0].report_id <= report_id:
            reported = unacked.popleft()
            self._sent.forget(reported.report.client_order_id, report_id=report_id)

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

    def _request(self, *requests: venue.VenueRequest) -> None:
        if self.venue_id is not None and self.venue_id in self._up:
            for request in requests:
                self._out.append(ToVenue(venue_id=self.venue_id, request=request))

    def on_venue(
        self, venue_id: VenueId, message: venue.VenueMessage, now: Instant
    ) -> list[WorkerEffect]:
        """Take a venue's word; of a venue that is not the account's only quotes count."""
        self._out = []
        if isinstance(message, venue.Quotes):
            for quote in message.quotes:
                self._sent.on_quote(quote, now)
        elif venue_id == self.venue_id and not isinstance(message, venue.CorporateActed):
            self._from_venue(message, now)
        return self._out

    def _from_venue(self, message: venue.AccountMessage, now: Instant) -> None:  # noqa: C901
        match message:
            case Accepted() | Rejected() | Filled() | Canceled() | Expired() | venue.Amended():
                self._execution_report(message)
            case venue.CancelRejected() | venue.AmendRejected():
                self._report(message, self._seen.get(message.client_order_id))
            case venue.OrderFound() | venue.OrderNotFound():
                offset_ns = self._clocks.venue.offset_ns
                earliest_ns = None if offset_ns is None else now.now_ns + offset_ns - self._skew_ns
                self._sent.on_answer(message, earliest_ns)
                self._say_answers([message])
            case venue.LoggedIn():
                if message.account_id == self.account_id:
                    self._logged_in = True
                    self._refresh(now)
                    self._sweep(now)
            case venue.LoginRefused():
                self._say_not_ready(f"login refused: {message.reason}")
            case venue.VenueTime():
                self._time_read(message, now)
            case venue.Balances() if message.query_id == 0:
                self._balances = message
                self._sent.on_positions(message.positions)
                self._refresh_ready()
            case venue.OpenOrders() | venue.Executions() | venue.Balances():
                if isinstance(message, venue.OpenOrders):
                    self._request(*self.by_hand.on_open_orders(message, self._desk_id, now.now_ns))
                requests, answers = self._errands.on_answer(message, now.now_ns)
                self._request(*requests)
                self._say_answers(answers)
            case _:
                assert_never(message)

    def _say_answers(self, answers: Sequence[link.Answer]) -> None:
        if self.welcomed and self.account_id is not None:
            for one in answers:
                self._out.append(Say(message=link.Answered(account_id=self.account_id, answer=one)))

    @property
    def _skew_ns(self) -> int:
        return self._set_up.skew_ns(self.venue_id)

    def _refresh(self, now: Instant) -> None:
        """Read the venue's clock and balances now and again every so often."""
        self._ask_time(now)
        self._request(venue.AskBalances(query_id=0))
        self._refresh_at_ns = now.now_ns + REFRESH_NS

    def _ask_time(self, now: Instant) -> None:
        self._request(venue.AskTime(query_id=self._clocks.venue.ask(now.now_ns)))

    def _time_read(self, told: venue.VenueTime, now: Instant) -> None:
        bound_ns = self._skew_ns // 2
        at_ns, now_ns = told.venue_at_ns, now.now_ns
        error_ns = self._clocks.venue.read(
            told.query_id, venue_at_ns=at_ns, now_ns=now_ns, error_ns_max=bound_ns
        )
        if error_ns is None:
            return
        if error_ns > bound_ns:
            self._count("clock_readings_vague")
            self._ask_time(now)
            return
        self._say_time(error_ns)
        self._refresh_ready()

    def _say_time(self, error_ns: int) -> None:
        if self.welcomed and self.venue_id is not None:
            read = self._clocks.reading(self.venue_id, error_ns)
            if read is not None:
                self._out.append(Say(message=read))

    def _refresh_ready(self) -> None:
        """Say that the account can trade, once everything for it is known."""
        if not self._logged_in or self._balances is None or self._clocks.venue.offset_ns is None:
            return
        knows_clock = self._clocks.coordinator_offset_ns is not None
        if self._set_up.bundle is not None and knows_clock and self.lease.is_held:
            self._ready = True
            self._say_ready()

    def _say_ready(self) -> None:
        if not self.welcomed or self.account_id is None or self._balances is None:
            return
        self._say_time(0)
        ready = link.Ready(
            account_id=self.account_id, account_epoch=self.account_epoch, balances=self._balances
        )
        self._out.append(Say(message=ready))

    def _say_not_ready(self, reason: str) -> None:
        if self.welcomed and self.account_id is not None:
            not_ready = link.NotReady(
                account_id=self.account_id, account_epoch=self.account_epoch, reason=reason
            )
            self._out.append(Say(message=not_ready))

    def _execution_report(self, report: ExecutionReport | venue.Amended) -> None:
        known = self._seen.get(report.client_order_id)
        report_id = self._report(report, known)
        if known is not None:
            self._sent.on_report(known, report, report_id)
            self._errands.note_reported(report)

    # -- a halt by hand

    def halt_by_hand(self, halt_id: HaltId, reason: str, now: Instant) -> list[WorkerEffect]:
        """Stop because a person says so to this worker itself; see `HandHalt`."""
        self._out = []
        if self.by_hand.halt(halt_id, now.now_ns):
            if self.welcomed:
                self._out.append(Say(message=link.Halted(reason=reason, halt_id=halt_id)))
            self._sweep(now)
        return self._out

    def _sweep(self, now: Instant) -> None:
        if self._logged_in:
            read_lag_ns = self._set_up.read_lag_ns(self.venue_id)
            self._request(*self.by_hand.sweep(self._sent, now.now_ns, read_lag_ns=read_lag_ns))

    # -- time

    def on_due(self, now: Instant) -> list[WorkerEffect]:
        """Report sends that were never answered; read the venue's clock again now and then."""
        self._out = []
        for known in self._sent.overdue(now.now_ns):
            timed_out = link.TimedOut(client_order_id=known.order.client_order_id)
            self._report(timed_out, known)
        if self._refresh_at_ns is not None and self._refresh_at_ns <= now.now_ns:
            self._refresh(now)
        if self.by_hand.due_ns is not None and self.by_hand.due_ns <= now.now_ns:
            self._sweep(now)
        self._request(*self._errands.on_due(now.now_ns))
        return self._out

    def _count(self, what: str) -> None:
        self.counters[what] = self.counters.get(what, 0) + 1
