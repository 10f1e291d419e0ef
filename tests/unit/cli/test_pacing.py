"""The pace of a long list."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.pacing import SECOND_NS, Pace


def test_a_short_list_does_not_wait() -> None:
    pace = Pace(1_000)
    for number in range(20):
        assert pace.wait_ns(8, now_ns=number) == 0
        pace.note(8, now_ns=number)


@given(
    limit=st.integers(min_value=2, max_value=200),
    steps=st.lists(
        st.tuples(st.integers(min_value=1, max_value=20), st.integers(0, SECOND_NS)), max_size=60
    ),
)
def test_no_second_holds_more_than_half_the_limit(limit: int, steps: list[tuple[int, int]]) -> None:
    """Unless one line alone is more than that, which then goes out by itself."""
    pace = Pace(limit)
    now_ns = 0
    sent: list[tuple[int, int]] = []
    for orders, later_ns in steps:
        now_ns += later_ns
        now_ns += pace.wait_ns(orders, now_ns=now_ns)
        assert pace.wait_ns(orders, now_ns=now_ns) == 0
        pace.note(orders, now_ns=now_ns)
        sent.append((now_ns, orders))
        window = [count for at_ns, count in sent if at_ns > now_ns - SECOND_NS]
        assert sum(window) <= max(1, limit // 2) or len(window) == 1
