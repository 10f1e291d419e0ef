"""Reading a venue's clock: wrong by at most half of the way there and back."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.time_reading import TimeReading


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**9), st.integers())
def test_the_offset_is_wrong_by_no_more_than_it_says(
    now_ns: int, there_ns: int, back_ns: int, true_offset_ns: int
) -> None:
    """Skew is measured, not guessed."""
    reading = TimeReading()
    query = reading.ask(now_ns)
    told = now_ns + there_ns + true_offset_ns
    after_ns = now_ns + there_ns + back_ns
    error_ns = reading.read(query, venue_at_ns=told, now_ns=after_ns, error_ns_max=2 * 10**9)
    assert error_ns is not None
    assert reading.offset_ns is not None
    assert abs(reading.offset_ns - true_offset_ns) <= error_ns + 1


def test_an_answer_that_is_too_vague_changes_nothing() -> None:
    reading = TimeReading()
    query = reading.ask(0)
    assert reading.read(query, venue_at_ns=5, now_ns=202, error_ns_max=100) == 101
    assert reading.offset_ns is None


def test_an_answer_counts_once_and_not_after_a_hang_up() -> None:
    reading = TimeReading()
    first, second = reading.ask(0), reading.ask(0)
    assert reading.read(first, venue_at_ns=7, now_ns=0, error_ns_max=0) == 0
    assert reading.offset_ns == 7
    assert reading.read(first, venue_at_ns=9, now_ns=0, error_ns_max=0) is None
    reading.hang_up()
    assert reading.read(second, venue_at_ns=9, now_ns=0, error_ns_max=0) is None
    assert reading.offset_ns == 7
