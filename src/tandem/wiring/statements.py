"""Statements from the coordinator's journal alone, while the pool runs or after it has ended."""

from collections.abc import Callable

import msgspec

from tandem.core.trading.accounting import Accounting, Moment
from tandem.core.trading.booked import Booked
from tandem.core.trading.desk import Desk
from tandem.core.trading.statements import Period, statement
from tandem.domain.errors import ConfigurationError, ReplayMismatchError
from tandem.domain.statements import CostMethod, GroupBy, Statement
from tandem.shells.coordinator import DeskRecord
from tandem.wiring.home import Home
from tandem.wiring.journals import desk_records


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement is asked for; times are UTC of the market, None is all there is.

    `from_ns` is included, `to_ns` is not. `traced` is the one group whose equity over time is
    told besides; `all_traced`: that of all.
    """

    by: tuple[GroupBy, ...]
    method: CostMethod
    from_ns: int | None = None
    to_ns: int | None = None
    traced: tuple[str, ...] | None = None
    all_traced: bool = False

    def traces(self, key: tuple[str, ...]) -> bool:
        """Whether the equity of this group over time is asked for."""
        return self.all_traced or key == self.traced


def decide_again(desk: Desk, record: DeskRecord) -> None:
    """Let a desk decide what it has decided before.

    Raises:
        ReplayMismatchError: it decides otherwise, so its records are of another version.
    """
    if desk.on(record.event, record.now) != record.effects:
        kind = type(record.event).__name__
        raise ReplayMismatchError(
            f"record {record.number} ({kind}): replay gives other effects than recorded"
        )


def statement_of(home: Home, asked: Asking, on_records: Callable[[int], None]) -> Statement:
    """Return the statement that was asked for, by a replay from the first record.

    `on_records` is told how many records were replayed, now and then.

    Raises:
        ReplayMismatchError: an event gives other effects than those recorded with it.
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there is no journal, or nothing in it.
    """
    desk = Desk()
    booked: list[Booked] = []
    desk.booked = booked
    accounting = Accounting(asked.by, asked.method, asked.traces)
    start = Moment() if asked.from_ns is None else None
    kept: list[Booked] = []
    for count, record in enumerate(desk_records(home), 1):
        at_ns = record.now.market_ns
        if start is None and asked.from_ns is not None and at_ns >= asked.from_ns:
            start = accounting.moment(desk)
            accounting.begin(desk, asked.from_ns)
        if start is not None and asked.to_ns is not None and at_ns >= asked.to_ns:
            break
        if start is not None:
            accounting.on_time(desk, at_ns)
        decide_again(desk, record)
        for one in booked:
            accounting.on_booked(one)
        if start is not None:
            kept.extend(booked)
        booked.clear()
        on_records(count)
    if desk.state.settings is None:
        raise ConfigurationError(f"{home.coordinator}: nothing is recorded up to then")
    if start is None and asked.from_ns is not None:  # it begins after the last record
        accounting.begin(desk, asked.from_ns)
    end = accounting.end(desk)
    period = Period(
        start=start or end, end=end, booked=kept, from_ns=asked.from_ns, to_ns=asked.to_ns
    )
    return statement(desk.rules.catalogue, asked.by, asked.method, period)
