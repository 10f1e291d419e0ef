"""A small exchange and the few words with which tests talk to it."""

from decimal import Decimal
from typing import Any

import msgspec

from tandem.core.matching.exchange import Exchange
from tandem.core.matching.ledger import EXACT
from tandem.core.matching.state import AccountState
from tandem.domain.exchange import (
    AccountSettings,
    CloseSession,
    Due,
    ExchangeEffect,
    ExchangeEvent,
    ExchangeSettings,
    Fees,
    HaltEvent,
    MarketEvent,
    MarketEvents,
    Requested,
    SessionOpened,
    ToSession,
    TradingHalted,
    TradingResumed,
)
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    Lots,
    MarketId,
    Ticks,
    VenueId,
)
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.order import FenceClass, Order, Side, TimeInForce
from tandem.domain.venue import (
    AmendOrder,
    CancelOrder,
    Login,
    Misbehave,
    Misbehavior,
    PlaceOrder,
    Quotes,
    VenueMessage,
    VenueRequest,
)

SHARE = InstrumentId("paper:F")
COIN = InstrumentId("paper:BTCUSD")
DAY = TimeInForce.DAY
GTC = TimeInForce.GOOD_TILL_CANCEL
IOC = TimeInForce.IMMEDIATE_OR_CANCEL
FOK = TimeInForce.FILL_OR_KILL
BUY = Side.BUY
SELL = Side.SELL
NOON_NS = 1_620_043_200 * 1_000_000_000  # 3 May 2021, 12:00 UTC
BOOT_NS = 1_000_000_000


def instrument(instrument_id: InstrumentId, lot: str) -> Instrument:
    symbol = instrument_id.partition(":")[2]
    return Instrument(
        instrument_id=instrument_id,
        symbol=symbol,
        venue_id=VenueId("paper"),
        market_id=MarketId("test"),
        base=symbol,
        quote="USD",
        tick_size=Decimal("0.01"),
        lot_size=Decimal(lot),
    )


def account(name: str, owner: str, **changes: Any) -> AccountSettings:
    plain = AccountSettings(
        account_id=AccountId(name),
        secret=name.lower(),
        owner=owner,
        cash={"USD": Decimal(100_000)},
        positions={SHARE: 1_000, COIN: 10**8},
    )
    return msgspec.structs.replace(plain, **changes)


ACCOUNTS = (
    account("A1", "ann"),
    account("A2", "ann"),
    account("B1", "bob", fees=Fees(maker=Decimal("-0.0001"), taker=Decimal("0.001"))),
    account("U1", "uma", fence_class=FenceClass.UNIQUE),
    account("N1", "ned", fence_class=FenceClass.NEITHER, may_short=True),
)
SESSIONS = {"A1": 1, "A2": 2, "B1": 3, "U1": 4, "N1": 5}


def settings(**changes: Any) -> ExchangeSettings:
    plain = ExchangeSettings(
        venue_id=VenueId("paper"),
        instruments=(instrument(SHARE, "1"), instrument(COIN, "0.00000001")),
        accounts=ACCOUNTS,
        misbehavior_open=True,
    )
    return msgspec.structs.replace(plain, **changes)


def order(name: str, side: Side, quantity: int, price: int | None, **changes: Any) -> Order:
    plain = Order(
        client_order_id=ClientOrderId(name),
        instrument_id=SHARE,
        side=side,
        quantity=Lots(quantity),
        limit_price=None if price is None else Ticks(price),
        time_in_force=DAY,
    )
    return msgspec.structs.replace(plain, **changes)


class Paper:
    """An exchange with a session for every account, and a clock that moves a little each time."""

    def __init__(self, *, logged_in: bool = True, **changes: Any) -> None:
        self.exchange = Exchange(settings(**changes))
        self.now_ns = BOOT_NS
        if logged_in:
            for name, session in SESSIONS.items():
                self.on_session(name, session)

    def on_session(self, name: str, session: int) -> list[VenueMessage]:
        self.on(SessionOpened(session=session))
        return self.log_in(name, session)

    def log_in(self, name: str, session: int) -> list[VenueMessage]:
        return self.ask(Login(account_id=AccountId(name), secret=name.lower()), session)

    def on(self, event: ExchangeEvent, *, after_ns: int = 1_000) -> list[ExchangeEffect]:
        self.now_ns += after_ns
        now = Instant(self.now_ns, NOON_NS + self.now_ns)
        return self.exchange.on(event, now)

    def ask(self, request: VenueRequest, session: int = 1) -> list[VenueMessage]:
        """Return what that session is told in return."""
        return told(self.on(Requested(session=session, request=request)), session)

    def place(
        self, name: str, side: Side, quantity: int, price: int | None, **changes: Any
    ) -> list[VenueMessage]:
        """Place an order on the account that begins its name: "A1-7" is an order of A1."""
        request = PlaceOrder(order=order(name, side, quantity, price, **changes))
        return self.ask(request, SESSIONS[name.partition("-")[0]])

    def cancel(self, name: str) -> list[VenueMessage]:
        request = CancelOrder(client_order_id=ClientOrderId(name))
        return self.ask(request, SESSIONS[name.partition("-")[0]])

    def amend(self, name: str, quantity: int, price: int | None) -> list[VenueMessage]:
        request = AmendOrder(
            client_order_id=ClientOrderId(name),
            quantity=Lots(quantity),
            limit_price=None if price is None else Ticks(price),
        )
        return self.ask(request, SESSIONS[name.partition("-")[0]])

    def market(self, *events: MarketEvent | HaltEvent) -> list[ExchangeEffect]:
        return self.on(MarketEvents(events=events))

    def halt(self) -> None:
        self.market(TradingHalted(instrument_id=SHARE))

    def resume(self) -> list[ExchangeEffect]:
        return self.market(TradingResumed(instrument_id=SHARE))

    def misbehave(self, seed: int = 1, **lies: Any) -> None:
        self.ask(Misbehave(misbehavior=Misbehavior(**lies), seed=seed))

    def wait(self, duration_ns: int) -> list[ExchangeEffect]:
        """Let time pass, feeding each `Due` when it is wanted."""
        end_ns = self.now_ns + duration_ns
        effects: list[ExchangeEffect] = []
        while (due_ns := self.exchange.next_due_ns) is not None and due_ns <= end_ns:
            effects += self.on(Due(), after_ns=max(due_ns - self.now_ns, 0))
        self.now_ns = end_ns
        return effects

    def book(self, instrument_id: InstrumentId = SHARE) -> list[tuple[str, int, int]]:
        """Return (side, price, leaves) of all that rests, bids then asks, best first."""
        resting = self.exchange.resting(instrument_id)
        return [("buy" if one.is_buy else "sell", one.price, one.leaves) for one in resting]

    def cash(self, name: str) -> Decimal:
        return self.account(name).cash["USD"]

    def held(self, name: str) -> Decimal:
        return self.account(name).held.get("USD", Decimal(0))

    def shares(self, name: str, instrument_id: InstrumentId = SHARE) -> int:
        return self.account(name).positions[instrument_id]

    def account(self, name: str) -> AccountState:
        found = [one for one in self.exchange.state.accounts if one.settings.account_id == name]
        return found[0]

    def sums(self) -> tuple[Decimal, int, int]:
        """Return all money and all positions there are, which nothing may change."""
        state = self.exchange.state
        money = EXACT.add(
            state.background_cash.get("USD", Decimal(0)), state.fees.get("USD", Decimal(0))
        )
        for one in state.accounts:
            money = EXACT.add(money, one.cash["USD"])
        shares, coins = (
            sum(one.positions[key] for one in state.accounts)
            + state.background_positions.get(key, 0)
            for key in (SHARE, COIN)
        )
        return money.normalize(EXACT), shares, coins


ALL_THERE_IS = (Decimal(100_000 * len(ACCOUNTS)).normalize(), 1_000 * 5, 10**8 * 5)


def told(effects: list[ExchangeEffect], session: int) -> list[VenueMessage]:
    """Return what that session is told, quotes left out."""
    return [
        one.message
        for one in effects
        if isinstance(one, ToSession)
        and one.session == session
        and not isinstance(one.message, Quotes)
    ]


def quoted(effects: list[ExchangeEffect], session: int) -> list[Quotes]:
    """Return the quotes that session is told."""
    return [
        one.message
        for one in effects
        if isinstance(one, ToSession) and one.session == session and isinstance(one.message, Quotes)
    ]


def closed(effects: list[ExchangeEffect]) -> list[int]:
    return [one.session for one in effects if isinstance(one, CloseSession)]


def kinds(messages: list[VenueMessage]) -> list[str]:
    return [type(one).__name__ for one in messages]
