"""Trading sessions of an exchange: holidays, days that close early, and breaks at noon.

The package is loaded only when a calendar is asked for: it brings pandas. Its own horizon is one
year ahead, so first and last day are always named.
"""

import importlib
import warnings
from datetime import date, timedelta
from importlib.util import find_spec
from typing import Any, Final

from tandem.domain.errors import ConfigurationError
from tandem.domain.limits import Session

DAY: Final = timedelta(days=1)
_SHOWN_MAX: Final = 12


def sessions(calendar: str, *, first: date, last: date) -> tuple[Session, ...]:
    """Return the sessions of the days from `first` to `last`, oldest first, in UTC.

    A day with a break is two sessions.

    Raises:
        ConfigurationError: there is no such calendar, or the package is not installed.
    """
    if find_spec("exchange_calendars") is None:
        raise ConfigurationError(
            f"calendar {calendar!r} needs exchange-calendars: "
            "pip install 'tandem-trading[calendars]'"
        )
    # The package is not there for everybody, so its types cannot be named here.
    package: Any = importlib.import_module("exchange_calendars")
    names = package.get_calendar_names(include_aliases=True)
    if calendar not in names:
        known = [one for one in ("XNYS", "XNAS", "XLON", "XTKS", "24/7", "24/5") if one in names]
        raise ConfigurationError(
            f"no calendar {calendar!r}; there are {len(names)}, such as "
            f"{', '.join(known[:_SHOWN_MAX])}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it and pandas warn of each other's future
        # It knows no span of a single day.
        found = package.get_calendar(calendar, start=str(first), end=str(last + DAY))
        rows = list(found.schedule.loc[str(first) : str(last)].itertuples())
    made: list[Session] = []
    for row in rows:
        begins, ends = [row.open], [row.close]
        if row.break_start == row.break_start:  # not "not a time", which is unlike itself
            begins, ends = [row.open, row.break_end], [row.break_start, row.close]
        made += [
            Session(begin_ns=begin.value, end_ns=end.value)
            for begin, end in zip(begins, ends, strict=True)
        ]
    return tuple(made)
