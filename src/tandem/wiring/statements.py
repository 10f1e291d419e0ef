"""Statements from the coordinator's journal alone, while the pool runs or after it has ended."""

from collections.abc import Callable, Sequence

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
    return statements_of(home, (asked,), on_records)[0]


def statements_of(
    home: Home, asked: Sequence[Asking], on_records: Callable[[int], None]
) -> list[Statement]:
    """Return several statements of one replay, as `statement_of` does."""
    desk = Desk()
    booked: list[Booked] = []
    desk.booked = booked
    making = [_Making(one) for one in asked]
    for count, record in enumerate(desk_records(home), 1):
        for one in making:
            one.before(desk, record.now.market_ns)
        if all(one.is_over for one in making):
            break
        decide_again(desk, record)
        for one in making:
            one.after(booked)
        booked.clear()
        on_records(count)
    if desk.state.settings is None:
        raise ConfigurationError(f"{home.coordinator}: nothing is recorded up to then")
    return [one.made(desk) for one in making]


class _Making:
    """A statement in the making, beside a desk that is replayed."""

    def __init__(self, asked: Asking) -> None:
        self._asked = asked
        self._accounting = Accounting(asked.by, asked.method, asked.traces)
        self._start = Moment() if asked.from_ns is None else None
        self._end: Moment | None = None
        self._kept: list[Booked] = []

    @property
    def is_over(self) -> bool:
        """Whether its period is over."""
        return self._end is not None

    def before(self, desk: Desk, at_ns: int) -> None:
        """See the desk as it is before it decides on a record of that time."""
        asked = self._asked
        if self._start is None and asked.from_ns is not None and at_ns >= asked.from_ns:
            self._begin(desk, asked.from_ns)
        if self._start is None or self._end is not None:
            return
        if asked.to_ns is not None and at_ns >= asked.to_ns:
            self._end = self._accounting.end(desk)
        else:
            self._accounting.on_time(desk, at_ns)

    def after(self, booked: Sequence[Booked]) -> None:
        """Count what the desk has booked."""
        if self._end is not None:
            return
        for one in booked:
            self._accounting.on_booked(one)
        if self._start is not None:
            self._kept.extend(booked)

    def made(self, desk: Desk) -> Statement:
        """Return it; where its period is not over, up to the last record."""
        asked = self._asked
        if self._start is None and asked.from_ns is not None:  # it begins after the last record
            self._begin(desk, asked.from_ns)
        end = self._end or self._accounting.end(desk)
        period = Period(
            start=self._start or end,
            end=end,
            booked=self._kept,
            from_ns=asked.from_ns,
            to_ns=asked.to_ns,
        )
        return statement(desk.rules.catalogue, asked.by, asked.method, period)

    def _begin(self, desk: Desk, from_ns: int) -> None:
        self._start = self._accounting.moment(desk)
        self._accounting.begin(desk, from_ns)
