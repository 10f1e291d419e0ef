"""What a process that remembers much tells Python about garbage."""

import gc

from tandem.wiring.memory import OLDER_EVERY, spare_what_stays


def test_what_stays_is_looked_through_hardly_ever() -> None:
    before = gc.get_threshold()
    try:
        spare_what_stays()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[1:] == (OLDER_EVERY, OLDER_EVERY)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
