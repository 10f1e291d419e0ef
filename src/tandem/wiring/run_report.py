"""The report of a run, from the journals alone."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from tandem.core.matching.own_trades import own_trades
from tandem.core.matching.state import ExchangeState
from tandem.core.trading.booked import Booked
from tandem.core.trading.desk import Desk
from tandem.core.trading.run_record import RunRecord
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId
from tandem.domain.run_report import Inventory, MostShown, RunOrder
from tandem.domain.value import Value
from tandem.domain.views import AlgoView
from tandem.wiring.home import Home
from tandem.wiring.journals import desk_records, replayed_exchange, verify_journals
from tandem.wiring.statements import decide_again


class RunReport(Value, frozen=True, kw_only=True):
    """All of it. `differences`: where the desk's cash and lots are not the exchange's, in words.

    `journal_bytes` is what both journals have recorded. `own_trades` counts, at the exchange,
    trades of which both sides were ours. `counters` are the desk's.
    """

    records: int
    orders: tuple[RunOrder, ...]
    algos: tuple[AlgoView, ...]
    most_shown: tuple[MostShown, ...]
    inventories: tuple[Inventory, ...]
    balanced: bool
    differences: tuple[str, ...]
    own_trades: int
    counters: dict[str, int]
    journal_bytes: dict[str, int]


def report_of(home: Home, on_records: Callable[[int], None]) -> RunReport:
    """Return the report of everything that was recorded in a home.

    Raises:
        ReplayMismatchError: an event gives other effects than those recorded with it.
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there is no journal, or nothing in it.
    """
    desk, run = Desk(), RunRecord()
    booked: list[Booked] = []
    desk.booked = booked
    count = 0
    for count, record in enumerate(desk_records(home), 1):
        decide_again(desk, record)
        for one in booked:
            run.on_booked(one)
        booked.clear()
        run.on_event(desk, record.now.market_ns)
        on_records(count)
    if desk.state.settings is None:
        raise ConfigurationError(f"{home.coordinator}: nothing is recorded")
    exchange = replayed_exchange(home).state
    totals = desk.state.ledger.trial_balance()
    return RunReport(
        records=count,
        orders=run.orders(desk),
        algos=run.algos(desk),
        most_shown=run.most_shown(desk),
        inventories=run.inventories(desk),
        balanced=all(one.debits == one.credits for one in totals),
        differences=tuple(_differences(desk, exchange)),
        own_trades=own_trades(exchange),
        counters=dict(desk.state.counters),
        journal_bytes={name: one.size_bytes for name, one in verify_journals(home).items()},
    )


def _differences(desk: Desk, exchange: ExchangeState) -> list[str]:
    """Say where the accounts of the desk hold something else than at the exchange."""
    found = []
    for account in exchange.accounts:
        account_id = account.settings.account_id
        ours = desk.state.ledger.accounts.get(account_id)
        if ours is None:
            continue  # it never took part
        pairs = (
            (_nonzero(ours.cash), _nonzero(account.cash)),
            (_nonzero(ours.lots), _nonzero(account.positions)),
        )
        found += [
            f"{account_id} {unit}: {mine.get(unit, 0):f}, at the exchange {theirs.get(unit, 0):f}"
            for mine, theirs in pairs
            for unit in sorted({**mine, **theirs})
            if mine.get(unit) != theirs.get(unit)
        ]
    return found


def _nonzero(amounts: Mapping[str, Decimal] | Mapping[InstrumentId, int]) -> dict[str, Decimal]:
    return {str(unit): Decimal(one) for unit, one in amounts.items() if one}
