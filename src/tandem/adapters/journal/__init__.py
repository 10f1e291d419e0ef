"""The journal: an append-only, hash-chained log of batches on a `Disk`."""

from tandem.adapters.journal.log import LogJournal, Recovered, open_log
from tandem.adapters.journal.reading import Verified, read_all, verify

__all__ = ["LogJournal", "Recovered", "Verified", "open_log", "read_all", "verify"]
