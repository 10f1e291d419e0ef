"""The coordinator's figures beside the exchange's own, to the last digit."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tandem.cli.printing import amount
from tandem.domain.instrument import Catalogue
from tandem.domain.order import Side
from tandem.domain.reports import Filled
from tandem.domain.views import ParentView
from tandem.wiring.asking import DeskLine
from tandem.wiring.home import Home
from tandem.wiring.polling import poll
from tandem.wiring.settings import read_paper
from tandem.wiring.venue_books import AccountBooks, venue_books

BALANCES_S: Final = 3.0


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the orders of one run; money by currency."""

    fills: int
    bought: dict[str, Decimal]
    sold: dict[str, Decimal]
    fees: dict[str, Decimal]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides say; `differences` are in words, none when they agree."""

    ours: Sums
    exchange: Sums
    accounts: int
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return not self.differences


async def compare(home: Home, line: DeskLine, orders: Sequence[ParentView]) -> Comparison:
    """Return the coordinator's and the exchange's figures for these orders and all accounts.

    Cash and positions are compared until they agree or a few seconds are over: other orders may
    be trading meanwhile.
    """
    try:
        async with asyncio.timeout(BALANCES_S):
            different = await poll(lambda: _different_balances(home, line), lambda one: not one)
    except TimeoutError:
        different = await _different_balances(home, line)
    books = await venue_books(home)
    catalogue = Catalogue(read_paper(home).exchange.instruments)
    by_parent: dict[str, list[Filled]] = {one.parent_id: [] for one in orders}
    for account in books:
        for fill in account.fills:
            parent_id = fill.client_order_id.rpartition("-")[0].rpartition("-")[0]
            if parent_id in by_parent:
                by_parent[parent_id].append(fill)
    differences = list(different)
    theirs = _Adding()
    ours = _Adding()
    for one in orders:
        instrument = catalogue.on_symbol(one.symbol)[0]
        fills = by_parent[one.parent_id]
        value = sum((instrument.notional(it.price, it.quantity) for it in fills), Decimal(0))
        quantity = sum(it.quantity for it in fills) * instrument.lot_size
        fees = sum((it.fee for it in fills), Decimal(0))
        seen = (len(fills), quantity, value, fees)
        known = (one.fills, Decimal(one.filled), one.value, one.fees)
        theirs.add(one.side, instrument.quote, seen)
        ours.add(one.side, instrument.quote, known)
        if seen != known:
            differences.append(
                f"{one.parent_id}: fills, quantity, value, fees {_words(known)}, "
                f"at the exchange {_words(seen)}"
            )
    return Comparison(
        ours=ours.sums(),
        exchange=theirs.sums(),
        accounts=len(books),
        differences=tuple(differences),
    )


class _Adding:
    def __init__(self) -> None:
        self._fills = 0
        self._bought: dict[str, Decimal] = {}
        self._sold: dict[str, Decimal] = {}
        self._fees: dict[str, Decimal] = {}

    def add(self, side: Side, quote: str, figures: tuple[int, Decimal, Decimal, Decimal]) -> None:
        fills, _, value, fees = figures
        self._fills += fills
        sums = self._bought if side is Side.BUY else self._sold
        sums[quote] = sums.get(quote, Decimal(0)) + value
        self._fees[quote] = self._fees.get(quote, Decimal(0)) + fees

    def sums(self) -> Sums:
        return Sums(fills=self._fills, bought=self._bought, sold=self._sold, fees=self._fees)


def _words(figures: tuple[object, ...]) -> str:
    return ", ".join(str(one) for one in figures)


async def _different_balances(home: Home, line: DeskLine) -> list[str]:
    """Return where the accounts' cash and positions differ, in words."""
    view = await line.positions()
    cash: dict[tuple[str, str], Decimal] = {
        (one.account_id, one.currency): one.amount for one in view.cash if one.amount
    }
    held: dict[tuple[str, str], Decimal] = {
        (one.account_id, one.instrument_id): Decimal(one.quantity)
        for one in view.positions
        if Decimal(one.quantity)
    }
    exchange = read_paper(home).exchange
    catalogue = Catalogue(exchange.instruments)
    # An account that never took part is not in the coordinator's books, and has not changed.
    books = [one for one in await venue_books(home) if _takes_part(one, cash)]
    their_cash: dict[tuple[str, str], Decimal] = {
        (one.account_id, currency): money
        for one in books
        for currency, money in one.balances.cash.items()
    }
    their_held: dict[tuple[str, str], Decimal] = {
        (one.account_id, instrument_id): lots * catalogue[instrument_id].lot_size
        for one in books
        for instrument_id, lots in one.balances.positions.items()
    }
    return _apart(cash, theirs=their_cash) + _apart(held, theirs=their_held)


def _takes_part(books: AccountBooks, cash: dict[tuple[str, str], Decimal]) -> bool:
    return any(account_id == books.account_id for account_id, _ in cash)


def _apart(
    ours: dict[tuple[str, str], Decimal], *, theirs: dict[tuple[str, str], Decimal]
) -> list[str]:
    return [
        f"{key[0]} {key[1]}: {ours.get(key, Decimal(0)):f}, "
        f"at the exchange {theirs.get(key, Decimal(0)):f}"
        for key in sorted({**ours, **theirs})
        if ours.get(key) != theirs.get(key)
    ]


def opening_text(home: Home) -> str:
    """Return what the accounts of a home started with, as lines."""
    exchange = read_paper(home).exchange
    first, last = exchange.accounts[0], exchange.accounts[-1]
    cash = " and ".join(f"{amount(money)} {name}" for name, money in first.cash.items())
    held: dict[str, list[str]] = {}
    for one in exchange.instruments:
        lots = first.positions.get(one.instrument_id, 0)
        if lots:
            quantity = (lots * one.lot_size).normalize()
            held.setdefault(f"{quantity:,f}", []).append(one.symbol)
    lines = [f"each of {first.account_id} to {last.account_id} started with {cash}, and"]
    lines += [f"  {quantity} of {' '.join(symbols)}" for quantity, symbols in held.items()]
    return "".join(f"{line}\n" for line in lines)


def _sums_text(label: str, sums: Sums) -> str:
    parts = []
    for word, by_currency in (("bought for", sums.bought), ("sold for", sums.sold)):
        money = ", ".join(f"{amount(one)} {name}" for name, one in by_currency.items())
        parts.append(f"{word} {money or '0'}")
    fees = ", ".join(f"{amount(one)} {name}" for name, one in sums.fees.items())
    return f"{label:<12} {sums.fills} fills, {', '.join(parts)}, fees {fees or '0'}\n"


def totals_text(comparison: Comparison) -> str:
    """Return both sums and whether they agree, as lines."""
    lines = [
        _sums_text("coordinator", comparison.ours),
        _sums_text("exchange", comparison.exchange),
    ]
    if comparison.agrees:
        lines.append(
            "equal to the last digit, as are cash and positions of "
            f"{comparison.accounts} accounts\n"
        )
    else:
        lines.append(f"{len(comparison.differences)} DIFFERENCES:\n")
        lines.extend(f"  {one}\n" for one in comparison.differences)
    return "".join(lines)
