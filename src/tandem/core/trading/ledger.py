"""The desk's books: double entry, so that nothing is made and nothing is lost.

The argument: each booking adds amounts that sum to zero, in each currency and in lots of each
instrument, to books that are summed independently of one another. So the sum over all books of
one unit is always zero, and a booking that forgets a side shows at the next check.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.instrument import Instrument
from tandem.domain.money import ZERO, add, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.reports import Filled
from tandem.domain.value import Value

_BUY: Final = Side.BUY  # finding a member of an enum costs more than comparing it


class Total(Value, frozen=True, kw_only=True):
    """One currency or instrument over all books: what was taken in, and what was given."""

    unit: str
    debits: Decimal
    credits: Decimal


class Books(msgspec.Struct, array_like=True, gc=False):
    """One account's books, by currency and by instrument.

    `cash` and `lots` are what it holds, `fees` what it paid (negative: rebates). The others are
    the far sides: `market` and `market_lots` of everything traded, `opening` and `opening_lots`
    of what was there before, `external` and `external_lots` of what others did, `issuer` and
    `issuer_lots` of splits and dividends. What comes in is positive, what goes out is negative.
    """

    cash: dict[str, Decimal] = {}
    fees: dict[str, Decimal] = {}
    market: dict[str, Decimal] = {}
    opening: dict[str, Decimal] = {}
    lots: dict[InstrumentId, int] = {}
    market_lots: dict[InstrumentId, int] = {}
    opening_lots: dict[InstrumentId, int] = {}
    external: dict[str, Decimal] = {}
    external_lots: dict[InstrumentId, int] = {}
    issuer: dict[str, Decimal] = {}
    issuer_lots: dict[InstrumentId, int] = {}


_Sides = dict[str, tuple[Decimal, Decimal]]  # debits and credits of a unit
_EMPTY: Final = (ZERO, ZERO)


class Ledger(msgspec.Struct, array_like=True, gc=False):
    """All accounts of one desk."""

    accounts: dict[AccountId, Books] = {}

    def open_cash(self, account_id: AccountId, currency: str, amount: Decimal) -> None:
        """Book money that the account holds from before."""
        books = self._books(account_id)
        books.cash[currency] = add(books.cash.get(currency, ZERO), amount)
        books.opening[currency] = subtract(books.opening.get(currency, ZERO), amount)

    def open_lots(self, account_id: AccountId, instrument_id: InstrumentId, lots: int) -> None:
        """Book a position that the account holds from before; negative when short."""
        books = self._books(account_id)
        books.lots[instrument_id] = books.lots.get(instrument_id, 0) + lots
        books.opening_lots[instrument_id] = books.opening_lots.get(instrument_id, 0) - lots

    def book_external(self, account_id: AccountId, currency: str, amount: Decimal) -> None:
        """Book money that somebody else added to the account, or (negative) took."""
        books = self._books(account_id)
        books.cash[currency] = add(books.cash.get(currency, ZERO), amount)
        books.external[currency] = subtract(books.external.get(currency, ZERO), amount)

    def book_external_lots(
        self, account_id: AccountId, instrument_id: InstrumentId, lots: int
    ) -> None:
        """Book lots that somebody else added to the account, or (negative) took."""
        books = self._books(account_id)
        books.lots[instrument_id] = books.lots.get(instrument_id, 0) + lots
        books.external_lots[instrument_id] = books.external_lots.get(instrument_id, 0) - lots

    def book_issuer(
        self, account_id: AccountId, instrument: Instrument, lots: int, cash: Decimal
    ) -> None:
        """Book what a split or a dividend added to the account, or (negative) took."""
        books, key, currency = self._books(account_id), instrument.instrument_id, instrument.quote
        books.lots[key] = books.lots.get(key, 0) + lots
        books.issuer_lots[key] = books.issuer_lots.get(key, 0) - lots
        books.cash[currency] = add(books.cash.get(currency, ZERO), cash)
        books.issuer[currency] = subtract(books.issuer.get(currency, ZERO), cash)

    def book_fill(
        self, account_id: AccountId, instrument: Instrument, side: Side, fill: Filled
    ) -> None:
        """Book what one execution moved: money, lots and the fee.

        The caller knows executions by their id and books each once.
        """
        books = self._books(account_id)
        currency, instrument_id, fee = instrument.quote, instrument.instrument_id, fill.fee
        lots = fill.quantity if side is _BUY else -fill.quantity
        value = multiply(instrument.step_value, fill.price * lots)
        cash, market = books.cash, books.market
        cash[currency] = subtract(subtract(cash.get(currency, ZERO), value), fee)
        market[currency] = add(market.get(currency, ZERO), value)
        if fee:
            books.fees[currency] = add(books.fees.get(currency, ZERO), fee)
        books.lots[instrument_id] = books.lots.get(instrument_id, 0) + lots
        books.market_lots[instrument_id] = books.market_lots.get(instrument_id, 0) - lots

    def cash(self, account_id: AccountId, currency: str) -> Decimal:
        """Return the money that the account holds; negative when it owes."""
        books = self.accounts.get(account_id)
        return books.cash.get(currency, ZERO) if books is not None else ZERO

    def lots(self, account_id: AccountId, instrument_id: InstrumentId) -> int:
        """Return the position of the account in lots; negative when short."""
        books = self.accounts.get(account_id)
        return books.lots.get(instrument_id, 0) if books is not None else 0

    def trial_balance(self) -> list[Total]:
        """Return the totals of every currency, then of every instrument, in order of first use."""
        money: _Sides = {}
        lots: _Sides = {}
        for books in self.accounts.values():
            far = (books.market, books.opening, books.external, books.issuer)
            for amounts in (books.cash, books.fees, *far):
                _add_up(money, amounts)
            far_lots = (books.market_lots, books.opening_lots, books.external_lots)
            for counts in (books.lots, *far_lots, books.issuer_lots):
                _add_up(lots, {unit: Decimal(count) for unit, count in counts.items()})
        return [
            Total(unit=unit, debits=debits, credits=credits)
            for sides in (money, lots)
            for unit, (debits, credits) in sides.items()
        ]

    def check(self) -> None:
        """Assert that debits equal credits in every unit."""
        for total in self.trial_balance():
            assert total.debits == total.credits, (
                f"ledger: {total.unit} has debits {total.debits}, credits {total.credits}"
            )

    def _books(self, account_id: AccountId) -> Books:
        books = self.accounts.get(account_id)
        if books is None:
            books = self.accounts[account_id] = Books()
        return books


def _add_up(sides: _Sides, book: Mapping[str, Decimal]) -> None:
    for unit, amount in book.items():
        debits, credits = sides.get(unit, _EMPTY)
        if amount > 0:
            sides[unit] = add(debits, amount), credits
        else:
            sides[unit] = debits, subtract(credits, amount)
