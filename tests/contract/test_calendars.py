"""Calendars: sessions, holidays, days that close early, and LEAN's own record of them."""

import itertools
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tandem.adapters.calendars import sessions
from tandem.domain.errors import ConfigurationError

ROOT = Path(__file__).parent.parent.parent
LEAN = ROOT.parent / "shared" / "data" / "lean" / "market-hours" / "market-hours-subset.json"
SECOND = 1_000_000_000


def windows(calendar: str, first: date, last: date) -> list[tuple[str, str]]:
    def text(at_ns: int) -> str:
        return f"{datetime.fromtimestamp(at_ns // SECOND, UTC):%Y-%m-%d %H:%M}"

    return [
        (text(one.begin_ns), text(one.end_ns)) for one in sessions(calendar, first=first, last=last)
    ]


def test_a_holiday_has_no_session_and_the_day_after_closes_early() -> None:
    """A28, A29."""
    assert windows("XNYS", date(2026, 11, 25), date(2026, 11, 30)) == [
        ("2026-11-25 14:30", "2026-11-25 21:00"),
        ("2026-11-27 14:30", "2026-11-27 18:00"),
        ("2026-11-30 14:30", "2026-11-30 21:00"),
    ]


def test_a_break_at_noon_is_between_two_sessions() -> None:
    assert windows("XHKG", date(2024, 3, 6), date(2024, 3, 6)) == [
        ("2024-03-06 01:30", "2024-03-06 04:00"),
        ("2024-03-06 05:00", "2024-03-06 08:00"),
    ]


def test_a_market_that_never_closes_is_open_from_midnight_to_midnight() -> None:
    found = sessions("24/7", first=date(2026, 1, 1), last=date(2026, 1, 3))
    assert found[-1].end_ns - found[0].begin_ns == 3 * 86_400 * SECOND
    assert all(one.end_ns == other.begin_ns for one, other in itertools.pairwise(found))


def test_a_calendar_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"no calendar 'NOWHERE'; there are .* XNYS"):
        sessions("NOWHERE", first=date(2026, 1, 1), last=date(2026, 1, 3))


def test_new_york_is_open_as_lean_has_it() -> None:
    """A29: regular days, holidays and early closes of nine years, where LEAN's file is there."""
    if not LEAN.exists():
        return
    content = json.loads(LEAN.read_text(encoding="utf-8"))
    entry = content.get("entries", content)["Equity-usa-[*]"]
    holidays = {datetime.strptime(one, "%m/%d/%Y").date() for one in entry["holidays"]}  # noqa: DTZ007
    early = {datetime.strptime(one, "%m/%d/%Y").date() for one in entry["earlyCloses"]}  # noqa: DTZ007
    found = sessions("XNYS", first=date(2016, 1, 4), last=date(2024, 12, 31))
    open_days, short_days = set(), set()
    for one in found:
        day = datetime.fromtimestamp(one.begin_ns // SECOND, UTC).date()
        open_days.add(day)
        if one.end_ns - one.begin_ns < 6 * 3_600 * SECOND:
            short_days.add(day)
    assert len(open_days) > 2_000
    assert not open_days & holidays
    wanted = {one for one in early if date(2016, 1, 4) <= one <= date(2024, 12, 31)}
    assert short_days == wanted & open_days
    # LEAN has an early close on a Sunday as well, and on days that became holidays.
    assert all(one in holidays or one.weekday() >= 5 for one in wanted - open_days)
