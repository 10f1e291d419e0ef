"""Splits and dividends at the paper exchange: at a moment, to everybody who holds the instrument.

**A split** gives `numerator` new units for `denominator` old ones. Every open order on the
instrument is canceled, with the cause: its price and quantity are of the old scale. Many real
venues do so with orders that last; others adjust their prices, which differs from venue to venue.
Then nothing trades for `PAUSE_NS`, so that orders which are under way are refused, not traded at
twice their worth; the price is scaled, and what was displayed is gone. What would make no whole
lot is paid in money at the last price, rounded down to the holder's cost or debt.

**A dividend** pays its amount for each unit held, and who is short owes it. Open orders stay as
they are. The synthetic market falls by that amount; a replayed one does what its data say.

Why nothing is made or lost: what an account gets, everybody else gives, lots and money alike.
"""

from decimal import ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from tandem.core.matching import ledger, queries
from tandem.core.matching.delivery import Delivery
from tandem.core.matching.floor import Floor
from tandem.core.matching.liquidity import Liquidity
from tandem.core.matching.state import ZERO, AccountState, Adjustment, ExchangeState, MarketState
from tandem.domain.exchange import MS, SyntheticBook
from tandem.domain.ids import ActionId, InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LOTS_MAX, MONEY_MAX
from tandem.domain.order import OrderStatus
from tandem.domain.reports import EndCause
from tandem.domain.venue import Adjusted, Balances, CorporateActed, CorporateAction

PAUSE_NS: Final = 5_000 * MS
RATIO_MAX: Final = 10_000
KEPT: Final = 100  # the latest actions that an account can be told of
_CENT: Final = Decimal("0.00000001")


class Corporate:
    """What issuers do to the instruments of one exchange."""

    __slots__ = ("_delivery", "_floor", "_liquidity", "_state")

    def __init__(
        self, state: ExchangeState, floor: Floor, liquidity: Liquidity, delivery: Delivery
    ) -> None:
        """Act on these."""
        self._state = state
        self._floor = floor
        self._liquidity = liquidity
        self._delivery = delivery

    @property
    def next_due_ns(self) -> int | None:
        """When the next pause ends, by the `now_ns` clock."""
        times = self._state.resumes_ns  # asked after every event, and hardly ever one
        return min(times.values()) if times else None

    def advance(self) -> None:
        """End the pauses that are over."""
        state = self._state
        due = [key for key, at_ns in state.resumes_ns.items() if at_ns <= state.now_ns]
        for instrument_id in due:
            del state.resumes_ns[instrument_id]
            state.markets[instrument_id].is_halted = False
            if not state.is_still(instrument_id):
                self._liquidity.change(instrument_id, trades=True)

    def balances(self, account: AccountState, *, query_id: int, at_ns: int) -> Balances:
        """Return what the account held at `at_ns`."""
        splits = {key: one.splits for key, one in self._state.markets.items()}
        instruments = self._floor.instruments
        return queries.balances_as_of(account, instruments, splits, query_id=query_id, at_ns=at_ns)

    def act(self, asked: CorporateAction) -> CorporateActed:
        """Split, or pay a dividend; refused, nothing has changed."""
        text = self._objection(asked)
        if text is not None:
            return CorporateActed(action_id=None, text=text)
        state = self._state
        state.actions += 1
        action_id = ActionId(f"{state.settings.venue_id}-C{state.actions}")
        is_split = asked.numerator != asked.denominator
        market = state.markets[asked.instrument_id]
        if is_split:
            self._cancel_all(asked.instrument_id)
            market.splits += 1
        count = 0
        for account in state.accounts:
            told = self._share(account, asked, action_id)
            # Everybody is told of a split: prices are others from now on.
            if is_split or told.cash:
                self._book(account, told)
            count += bool(told.lots or told.cash)
        if is_split:
            self._rescale(asked, market)
        elif market.center:
            self._lower(asked, market)
        return CorporateActed(action_id=action_id, text=f"{count} accounts were adjusted")

    def _objection(self, asked: CorporateAction) -> str | None:
        numerator, denominator, dividend = asked.numerator, asked.denominator, asked.dividend
        if asked.instrument_id not in self._state.markets:
            return f"{asked.instrument_id} is not listed here"
        if not (0 < numerator <= RATIO_MAX and 0 < denominator <= RATIO_MAX):
            return f"ratio {numerator}:{denominator}: expected numbers from 1 to {RATIO_MAX}"
        if not (dividend.is_finite() and 0 <= dividend <= MONEY_MAX):
            return f"dividend {dividend}: expected 0 to {MONEY_MAX:f}"
        if (numerator != denominator) is (dividend > 0):
            return "expected a split or a dividend, one of them"
        held = (abs(one.positions.get(asked.instrument_id, 0)) for one in self._state.accounts)
        if max(held, default=0) * numerator // denominator > LOTS_MAX:
            return f"ratio {numerator}:{denominator}: an account would hold more than {LOTS_MAX}"
        return None

    def _cancel_all(self, instrument_id: InstrumentId) -> None:
        for record in self._floor.open_orders:
            if record.order.instrument_id == instrument_id:
                record.cause = EndCause.SPLIT
                self._floor.end_resting(record, OrderStatus.CANCELED)

    def _share(
        self, account: AccountState, asked: CorporateAction, action_id: ActionId
    ) -> Adjusted:
        """Return what the action means for one account."""
        instrument = self._floor.instruments[asked.instrument_id]
        held = account.positions.get(asked.instrument_id, 0)
        lots, left = divmod(abs(held) * asked.numerator, asked.denominator)
        sign = 1 if held > 0 else -1
        last = self._state.markets[asked.instrument_id].last or 0
        if asked.dividend:
            cash = ledger.multiply(ledger.multiply(asked.dividend, instrument.lot_size), held)
        else:
            # `left` of the ratio's denominator of one lot, at the price that is to come.
            value = ledger.multiply(instrument.step_value, sign * left * last)
            share = ledger.EXACT.divide(value, Decimal(asked.numerator))
            cash = share.quantize(_CENT, ROUND_FLOOR, ledger.EXACT)
        return Adjusted(
            action_id=action_id,
            instrument_id=asked.instrument_id,
            numerator=asked.numerator,
            denominator=asked.denominator,
            dividend=asked.dividend,
            lots=sign * lots - held,
            cash=cash,
            venue_at_ns=self._state.at_ns + self._state.misbehavior.skew_ns,
        )

    def _book(self, account: AccountState, told: Adjusted) -> None:
        state = self._state
        instrument, key = self._floor.instruments[told.instrument_id], told.instrument_id
        if told.lots:
            account.positions[key] = account.positions.get(key, 0) + told.lots
        if told.cash:
            before = account.cash.get(instrument.quote, ZERO)
            account.cash[instrument.quote] = ledger.add(before, told.cash)
        ledger.settle_background(state, instrument, lots=-told.lots, cash=-told.cash)
        account.adjusted.append(Adjustment(state.at_ns, told))
        del account.adjusted[:-KEPT]
        balances = self.balances(account, query_id=0, at_ns=state.at_ns)
        for session in account.sessions:
            self._delivery.answer(session, balances)

    def _rescale(self, asked: CorporateAction, market: MarketState) -> None:
        state, key = self._state, asked.instrument_id
        state.candles.split(key, numerator=asked.numerator, denominator=asked.denominator)
        if market.last is not None:
            market.last = _fewer(market.last, asked)
        market.volume = _more(market.volume, asked)
        plan = self._plan(key)
        if plan is not None:
            market.center = _fewer(market.center, asked)
            market.plan = msgspec.structs.replace(
                plan,
                reference=Ticks(_fewer(plan.reference, asked)),
                stride=Ticks(_fewer(plan.stride, asked)),
                depth=Lots(max(2, _more(plan.depth, asked))),
            )
        if key in state.resumes_ns or not state.is_still(key):
            market.is_halted, state.resumes_ns[key] = True, state.now_ns + PAUSE_NS
        self._liquidity.clear(key)

    def _lower(self, asked: CorporateAction, market: MarketState) -> None:
        """Let the synthetic price fall by the dividend, which is the buyer's no more."""
        instrument: Instrument = self._floor.instruments[asked.instrument_id]
        plan = self._plan(asked.instrument_id)
        assert plan is not None, f"{asked.instrument_id} has a center and no plan"
        fall = int(asked.dividend // instrument.tick_size)
        market.center = max(1, market.center - fall)
        lower = Ticks(max(1, plan.reference - fall))
        market.plan = msgspec.structs.replace(plan, reference=lower)

    def _plan(self, instrument_id: InstrumentId) -> SyntheticBook | None:
        synthetic = self._state.settings.synthetic
        books = () if synthetic is None else synthetic.books
        known = next((one for one in books if one.instrument_id == instrument_id), None)
        return self._state.markets[instrument_id].plan or known


def _fewer(price: int, asked: CorporateAction) -> int:
    """Return a price after the split, at least one tick, and one that can be counted."""
    return max(1, min(LOTS_MAX, price * asked.denominator // asked.numerator))


def _more(lots: int, asked: CorporateAction) -> int:
    """Return lots after the split, as many as can be counted."""
    return min(LOTS_MAX, lots * asked.numerator // asked.denominator)
