"""The paper exchange as an actor: events and the time in, effects out.

Why a journal of its events brings it back: everything it remembers is in its state, chance comes
from a seed in that state, and no order of iteration depends on anything but insertion. Why its
clock can be trusted for fencing: server time is an epoch plus the steady clock, the epoch is
only ever moved forward, and a request is judged at the moment it is taken.

It is total over what sessions send: any request, at any time and any number of times, by
sessions that were never opened, gets an answer or nothing.
"""

from typing import assert_never

import msgspec

from tandem.core.matching import queries
from tandem.core.matching.book import Resting
from tandem.core.matching.chance import seeded
from tandem.core.matching.corporate import PAUSE_NS, Corporate
from tandem.core.matching.days import Days
from tandem.core.matching.delivery import Delivery, bounded
from tandem.core.matching.floor import Floor
from tandem.core.matching.incoming import usable, watched
from tandem.core.matching.liquidity import Liquidity
from tandem.core.matching.state import (
    AccountState,
    ExchangeState,
    SessionState,
    Snapshot,
    opening,
)
from tandem.core.matching.synthetic import step
from tandem.domain.exchange import (
    CloseSession,
    Due,
    ExchangeEffect,
    ExchangeEvent,
    ExchangeSettings,
    MarketEvents,
    Requested,
    Restarted,
    SessionClosed,
    SessionOpened,
)
from tandem.domain.ids import InstrumentId, Ticks
from tandem.domain.instant import Instant
from tandem.domain.order import Order
from tandem.domain.reports import RejectCode, Rejected
from tandem.domain.venue import (
    AmendCode,
    AmendOrder,
    AmendRejected,
    AskBalances,
    AskTime,
    CancelCode,
    CancelOrder,
    CancelRejected,
    CorporateAction,
    ListExecutions,
    ListOpenOrders,
    LoggedIn,
    Login,
    LoginRefused,
    Misbehave,
    PlaceOrder,
    QueryOrder,
    Quote,
    Quotes,
    VenueMessage,
    VenueTime,
)

_Question = ListExecutions | ListOpenOrders | AskBalances | QueryOrder


class Exchange:
    """A venue with accounts, books and a market, told of time and of what sessions ask."""

    def __init__(self, settings: ExchangeSettings) -> None:
        """Open for the first time, with the accounts and instruments of `settings`."""
        self._build(opening(settings))

    @classmethod
    def restore(cls, snapshot: bytes) -> "Exchange":
        """Return the exchange of which `snapshot` was taken.

        Raises:
            msgspec.DecodeError: the bytes are none of ours.
        """
        content = msgspec.msgpack.decode(snapshot, type=Snapshot)
        exchange = cls.__new__(cls)
        exchange._build(content.state)
        for instrument_id, orders in content.books.items():
            book = exchange._floor.books[instrument_id]
            for order in orders:
                book.add(order)
        return exchange

    def _build(self, state: ExchangeState) -> None:
        self._state = state
        self._delivery = Delivery(state)
        self._floor = Floor(state, self._delivery)
        self._liquidity = Liquidity(state, self._floor)
        self._days = Days(state, self._floor, self._liquidity)
        self._corporate = Corporate(state, self._floor, self._liquidity, self._delivery)
        self._accounts = {one.settings.account_id: one for one in state.accounts}

    def snapshot(self) -> bytes:
        """Return everything remembered; equal exchanges give equal bytes."""
        books = {key: book.resting() for key, book in self._floor.books.items()}
        return msgspec.msgpack.encode(Snapshot(state=self._state, books=books))

    @property
    def state(self) -> ExchangeState:
        """Everything remembered but the books, to be read only."""
        return self._state

    def resting(self, instrument_id: InstrumentId) -> list[Resting]:
        """Return what rests in one book, to be read only: bids then asks, best first."""
        return self._floor.books[instrument_id].resting()

    @property
    def next_due_ns(self) -> int | None:
        """When, by the `now_ns` clock, a `Due` is wanted next; None when nothing is waited for."""
        state = self._state
        if not state.is_started:
            return None
        wanted = []
        if (market_ns := self._days.next_ns) is not None:
            wanted.append(state.now_ns + market_ns - state.market_ns)
        if (resumes_ns := self._corporate.next_due_ns) is not None:
            wanted.append(resumes_ns)
        if state.parcels:
            wanted.append(state.parcels[0].due_ns)
        if state.settings.synthetic is not None:
            wanted.append(state.step_due_ns)
        if state.touched:
            wanted.append(state.quotes_due_ns)
        return min(wanted, default=None)

    def on(self, event: ExchangeEvent, now: Instant) -> list[ExchangeEffect]:
        """Return what must be done about `event`, in this order."""
        effects: list[ExchangeEffect] = []
        self._delivery.effects = effects
        if isinstance(event, Restarted):
            self._forget_connections(now)
        told_ns = self._advance(now)
        match event:
            case Requested():
                self._on_request(event)
            case Due():
                self._on_due()
            case MarketEvents():
                for one in usable(self._state, event):
                    self._liquidity.apply(one)
            case SessionOpened():
                self._close(event.session)  # a number that comes again is a new connection
                self._state.sessions[event.session] = SessionState()
            case SessionClosed():
                self._close(event.session)
            case Restarted():
                effects.append(self._state.candles.again())
            case _:
                assert_never(event)
        candles = self._state.candles.taken(told_ns)
        if candles is not None:
            effects.append(candles)
        return effects

    def _advance(self, now: Instant) -> int:
        """Let time pass; return until when candles have been told."""
        state = self._state
        if not state.is_started:
            self._start(now)
        state.now_ns = now.now_ns
        state.market_ns = now.market_ns
        state.at_ns = max(state.at_ns, state.epoch_ns + now.now_ns)
        self._days.advance()
        self._corporate.advance()
        return state.candles.told_ns

    def _start(self, now: Instant) -> None:
        state = self._state
        state.is_started = True
        state.epoch_ns = now.market_ns - now.now_ns
        state.step_due_ns = state.quotes_due_ns = now.now_ns
        state.market_ns = now.market_ns
        self._days.start()

    def _forget_connections(self, now: Instant) -> None:
        """Forget what belonged to the process that ended: connections and waiting messages.

        What the feeds said is forgotten, too: a replay may begin again, at a time long past.
        The steady clock starts at zero with the machine. When it is behind where it was, the
        epoch is made anew, from UTC but never so that server time would turn back.
        """
        state = self._state
        for session in list(state.sessions):
            self._close(session)
        state.parcels.clear()
        state.feeds.clear()
        if now.market_ns < state.candles.told_ns:
            state.candles.begin_anew()
        for key in state.resumes_ns:
            state.resumes_ns[key] = now.now_ns + PAUSE_NS
        if state.is_started and now.now_ns < state.now_ns:
            state.epoch_ns = max(now.market_ns, state.at_ns) - now.now_ns
        state.step_due_ns = state.quotes_due_ns = now.now_ns

    def _on_due(self) -> None:
        state = self._state
        self._delivery.deliver_due()
        synthetic = state.settings.synthetic
        if synthetic is not None and state.step_due_ns <= state.now_ns:
            state.step_due_ns = state.now_ns + synthetic.step_ns
            for plan in synthetic.books:
                market = state.markets[plan.instrument_id]
                book = self._floor.books[plan.instrument_id]
                for event in step(market.plan or plan, market, book, state.chance):
                    state.candles.note(event, state.market_ns, None)
                    self._liquidity.apply(event)
        if state.touched and state.quotes_due_ns <= state.now_ns:
            self._push_quotes()

    def _push_quotes(self) -> None:
        state = self._state
        state.quotes_due_ns = state.now_ns + state.settings.quotes_every_ns
        changed = []
        for instrument_id in state.touched:
            market = state.markets[instrument_id]
            book = self._floor.books[instrument_id]
            quote = Quote(
                instrument_id=instrument_id,
                bid=_ticks(book.best(is_buy=True)),
                ask=_ticks(book.best(is_buy=False)),
                last=_ticks(market.last),
                volume=market.volume,
                splits=market.splits,
            )
            watch = state.feeds.get(instrument_id)
            if watch is not None:
                quote = watched(quote, watch, state.market_ns)
            if quote != market.quoted:
                market.quoted = quote
                changed.append(quote)
        state.touched.clear()
        if changed:
            message = Quotes(quotes=tuple(changed))
            for session, known in state.sessions.items():
                if known.is_logged_in:
                    self._delivery.push(session, message)

    def _close(self, session: int) -> None:
        known = self._state.sessions.pop(session, None)
        if known is not None and known.account is not None:
            self._state.accounts[known.account].sessions.remove(session)

    def _on_request(self, event: Requested) -> None:
        state = self._state
        session = event.session
        known = state.sessions.get(session)
        request = event.request
        if known is None:
            return
        if isinstance(request, Login):
            self._log_in(session, request)
            return
        if isinstance(request, Misbehave):
            if state.settings.misbehavior_open:
                state.misbehavior = bounded(request.misbehavior)
                state.lies = seeded(request.seed)
                self._delivery.refresh()
            return
        if state.lies.happens(state.misbehavior.lose_request):
            return
        account = None if known.account is None else state.accounts[known.account]
        if isinstance(request, AskTime):
            self._delivery.answer(session, self._time(request))
        elif account is None:
            self._turn_away(session, request)
        else:
            self._serve(session, account, request)

    def _serve(
        self,
        session: int,
        account: AccountState,
        request: PlaceOrder | CancelOrder | AmendOrder | CorporateAction | _Question,
    ) -> None:
        match request:
            case CorporateAction():
                self._delivery.push(session, self._corporate.act(request))
            case PlaceOrder():
                self._place(account, request.order)
            case CancelOrder():
                self._cancel(session, account, request)
            case AmendOrder():
                self._amend(session, account, request)
            case _:
                self._delivery.answer(session, self._answer(account, request))

    def _turn_away(self, session: int, request: object) -> None:
        """Answer what can be refused without an account; questions about one get nothing."""
        if isinstance(request, PlaceOrder):
            client_order_id = request.order.client_order_id
            self._delivery.answer(
                session,
                Rejected(client_order_id=client_order_id, code=RejectCode.NOT_LOGGED_IN),
            )
        elif isinstance(request, CancelOrder):
            self._delivery.answer(
                session,
                CancelRejected(
                    client_order_id=request.client_order_id, code=CancelCode.UNKNOWN_ORDER
                ),
            )
        elif isinstance(request, AmendOrder):
            self._delivery.answer(
                session,
                AmendRejected(
                    client_order_id=request.client_order_id, code=AmendCode.UNKNOWN_ORDER
                ),
            )

    def _log_in(self, session: int, request: Login) -> None:
        state = self._state
        account = None if request.account_id is None else self._accounts.get(request.account_id)
        if request.account_id is not None and (
            account is None or account.settings.secret != request.secret
        ):
            self._delivery.push(session, LoginRefused(reason="unknown account or wrong secret"))
            self._delivery.effects.append(CloseSession(session=session))
            self._close(session)
            return
        self._close(session)
        index = None if account is None else account.index
        state.sessions[session] = SessionState(account=index, is_logged_in=True)
        if account is not None:
            account.sessions.append(session)
        self._delivery.push(
            session,
            LoggedIn(
                venue_id=state.settings.venue_id,
                account_id=request.account_id,
                venue_at_ns=self._venue_ns,
            ),
        )
        quotes = tuple(one.quoted for one in state.markets.values() if one.is_quoted)
        if quotes:
            self._delivery.push(session, Quotes(quotes=quotes))

    @property
    def _venue_ns(self) -> int:
        return self._state.at_ns + self._state.misbehavior.skew_ns

    def _time(self, request: AskTime) -> VenueTime:
        return VenueTime(query_id=request.query_id, venue_at_ns=self._venue_ns)

    def _place(self, account: AccountState, order: Order) -> None:
        lies = self._state.lies
        lie = self._state.misbehavior
        code = self._floor.admission.refusal(account, order, self._venue_ns)
        if lies.happens(lie.reject):
            code = RejectCode.CLOSED
        is_unclear = lies.happens(lie.unclear)
        if is_unclear and (code is not None or lies.below(2)):
            code = RejectCode.BUSY
        if code is not None:
            self._refuse(account, order, code)
            return
        record = self._floor.accept(account, order)
        if is_unclear:
            self._refuse(account, order, RejectCode.BUSY)
        else:
            self._delivery.report(account, self._floor.accepted(record))
        self._floor.enter(record)

    def _refuse(self, account: AccountState, order: Order, code: RejectCode) -> None:
        self._delivery.report(account, Rejected(client_order_id=order.client_order_id, code=code))

    def _cancel(self, session: int, account: AccountState, request: CancelOrder) -> None:
        code = self._floor.cancel(account, request.client_order_id)
        if code is not None:
            refusal = CancelRejected(client_order_id=request.client_order_id, code=code)
            self._delivery.answer(session, refusal)

    def _amend(self, session: int, account: AccountState, request: AmendOrder) -> None:
        code = self._floor.amend(account, request)
        if code is not None:
            refusal = AmendRejected(client_order_id=request.client_order_id, code=code)
            self._delivery.answer(session, refusal)

    def _answer(
        self,
        account: AccountState,
        request: _Question,
    ) -> VenueMessage:
        state = self._state
        lag_ns = max(state.settings.read_lag_ns, state.misbehavior.read_lag_ns)
        at_ns = state.at_ns - lag_ns
        query_id = request.query_id
        match request:
            case QueryOrder():
                return queries.order_as_of(
                    account, request.client_order_id, query_id=query_id, at_ns=at_ns
                )
            case ListOpenOrders():
                open_now = self._floor.open_orders_of(account)
                return queries.open_orders_as_of(account, request, open_now, at_ns=at_ns)
            case ListExecutions():
                most = state.settings.executions_answered
                return queries.executions_as_of(account, request, at_ns=at_ns, most=most)
            case AskBalances():
                return self._corporate.balances(account, query_id=query_id, at_ns=at_ns)
            case _:
                assert_never(request)


def _ticks(price: int | None) -> Ticks | None:
    return None if price is None else Ticks(price)
