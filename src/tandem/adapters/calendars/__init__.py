"""When exchanges are open, from the package exchange-calendars (extra `calendars`)."""

from tandem.adapters.calendars.sessions import sessions

__all__ = ["sessions"]
