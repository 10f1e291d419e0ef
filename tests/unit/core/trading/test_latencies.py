"""How long things took, counted from what was noted."""

import bisect
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.attempts import HOPS_MAX
from tandem.core.trading.latencies import BOUNDS_NS, SPAN_NS_MAX, add, on_known
from tandem.core.trading.latency_state import BUCKETS, Histogram
from tandem.core.trading.state import Hop
from tandem.domain.commands import SetUpPool
from tandem.domain.ids import SlotId
from tandem.domain.order import FenceClass
from tests.unit.core.trading.desk_driver import MS, SECOND, Floor, settings_of


def counted(floor: Floor) -> dict[str, int]:
    """Return how many spans of each kind were counted."""
    took: Any = floor.state.latencies
    return {
        name: total for name in took.__struct_fields__ if (total := sum(getattr(took, name).counts))
    }


@given(st.lists(st.integers(0, SPAN_NS_MAX)))
def test_each_span_is_in_the_first_bucket_that_it_is_below(spans: list[int]) -> None:
    """C13."""
    histogram = Histogram()
    expected = [0] * BUCKETS
    for span_ns in spans:
        add(histogram, span_ns)
        expected[bisect.bisect_right(BOUNDS_NS, span_ns)] += 1
    assert histogram.counts == expected
    assert histogram.total_us == sum(one // 1_000 for one in spans)


def test_buckets_reach_from_microseconds_to_a_minute() -> None:
    """C13."""
    assert (len(BOUNDS_NS), BOUNDS_NS[0], BOUNDS_NS[-1]) == (BUCKETS - 1, 16_384, 68_719_476_736)
    histogram = Histogram()
    for span_ns in (0, 16_383, 16_384, 68_719_476_735, 68_719_476_736, SPAN_NS_MAX):
        add(histogram, span_ns)
    assert [place for place, count in enumerate(histogram.counts) for _ in range(count)] == [
        0,
        0,
        1,
        BUCKETS - 2,
        BUCKETS - 1,
        BUCKETS - 1,
    ]


@pytest.mark.parametrize("span_ns", [-1, -(2**70), SPAN_NS_MAX + 1, 2**70])
def test_what_cannot_be_a_span_is_left_out(span_ns: int) -> None:
    """F10: another boot's clock, or a worker's nonsense."""
    histogram = Histogram()
    add(histogram, span_ns)
    assert histogram == Histogram()


def test_every_histogram_has_counts_of_its_own() -> None:
    first, second = Histogram(), Histogram()
    add(first, 1)
    assert second.counts == [0] * BUCKETS


def test_an_order_is_timed_from_its_command_to_its_first_fill() -> None:
    """C13: once, when it ends; what comes later changes nothing."""
    floor = Floor().open()
    floor.at("s1").not_ready()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.now_ns += 7 * MS
    floor.at("s1").ready()
    floor.now_ns += 1 * MS
    floor.accept(attempt)
    floor.now_ns += 1 * MS
    floor.fill(attempt, 4)
    floor.now_ns += 5 * MS
    assert counted(floor) == {}
    floor.fill(attempt, 6)
    assert counted(floor) == {
        "begun_released": 1,
        "released_sent": 1,
        "released_accepted": 1,
        "released_filled": 1,
    }
    took = floor.state.latencies
    assert (took.begun_released.total_us, took.released_sent.total_us) == (7_000, 1_000)
    assert (took.released_accepted.total_us, took.released_filled.total_us) == (1_000, 2_000)
    assert floor.state.counters["fills"] == 2
    floor.fill(attempt, 6, execution="e2")
    assert counted(floor)["released_filled"] == 1


def test_an_attempt_that_was_never_released_is_not_timed() -> None:
    floor = Floor().open()
    floor.at("s1").not_ready()
    parent = floor.buy(10, slots=("s1",))
    floor.cancel(parent.parent_id)
    assert counted(floor) == {}


def test_a_refused_order_was_neither_accepted_nor_filled() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.rejected(attempt)
    assert counted(floor) == {"begun_released": 1, "released_sent": 1}


def test_only_the_first_attempt_says_how_long_the_trader_waited() -> None:
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    floor.not_sent(floor.attempts(parent)[0])
    again = floor.attempts(parent)[1]
    assert again.number == 2
    floor.fill(again, 10)
    assert counted(floor)["begun_released"] == 1
    assert counted(floor)["released_filled"] == 1


def test_an_attempt_that_was_never_sent_is_timed_without_it() -> None:
    """F1."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    floor.cancel(parent.parent_id)
    floor.at("s1").join(ready=True)
    assert floor.attempts(parent)[0].sent_ns is None
    assert counted(floor) == {"begun_released": 1}


def test_unknown_lasts_until_somebody_knows() -> None:
    """F13: found alive, or ended."""
    floor = Floor().open()
    found, ended = floor.attempts(floor.buy(10, slots=("s1", "s2")))
    for one in (found, ended):
        floor.timed_out(one)
    floor.now_ns += 30 * MS
    floor.accept(found)
    took = floor.state.latencies.unknown_known
    assert (sum(took.counts), took.total_us) == (1, 30_000)
    floor.now_ns += 30 * MS
    floor.canceled(ended)
    assert (sum(took.counts), took.total_us) == (2, 90_000)


def test_unknown_a_second_time_begins_anew() -> None:
    latencies = Floor().state.latencies
    hops = [Hop("unknown: a", 0), Hop("released again", 2 * MS), Hop("unknown: b", 3 * MS)]
    on_known(latencies, hops, now_ns=5 * MS)
    assert latencies.unknown_known.total_us == 2_000


def test_what_was_not_noted_any_more_is_not_timed() -> None:
    """An attempt's steps are limited, so the beginning of its last UNKNOWN may be missing."""
    latencies = Floor().state.latencies
    on_known(latencies, [Hop("resent", 1)] * HOPS_MAX, now_ns=5)
    assert latencies.unknown_known == Histogram()


def test_a_takeover_is_timed_until_the_next_worker_is_ready() -> None:
    """A18 C2 C13."""
    floor = Floor().open()
    spare = floor.spare()
    floor.at("s1").die()
    floor.now_ns += 12 * MS
    spare.ready()
    took = floor.state.latencies.taken_over
    assert (sum(took.counts), took.total_us) == (1, 12_000)
    spare.not_ready()
    spare.ready()
    assert sum(took.counts) == 1


def test_a_takeover_elsewhere_is_timed_from_the_silence() -> None:
    """A18 C2: that is when the account was lost to the trader, not when it was proved free."""
    floor = Floor(settings_of(fence_class=FenceClass.UNIQUE, slots=2)).open(elsewhere=True)
    spare = floor.spare("spare", "machine")
    floor.at("s1").silent()
    floor.now_ns += 3 * SECOND
    floor.lapse("s1")
    floor.now_ns += 1 * SECOND
    spare.ready()
    assert floor.state.latencies.taken_over.total_us == 4_000_000


def test_the_first_worker_of_a_seat_takes_nothing_over() -> None:
    floor = Floor().open()
    assert counted(floor) == {}
    assert floor.state.seats[SlotId("s1")].vacant_since_ns is None


def test_a_seat_that_is_given_up_waits_for_nobody() -> None:
    """A17: a smaller set-up takes its account away; whoever gets it later takes nothing over."""
    floor = Floor().open()
    floor.command(SetUpPool(workers=2))
    given_up = floor.state.seats[SlotId("s3")]
    assert (given_up.holder, given_up.vacant_since_ns) == (None, None)


def test_a_restart_forgets_since_when_a_seat_is_vacant() -> None:
    """F19: after a reboot the clock has begun anew."""
    floor = Floor().open()
    floor.at("s1").die()
    assert floor.state.seats[SlotId("s1")].vacant_since_ns == floor.now_ns
    floor.restart()
    assert floor.state.seats[SlotId("s1")].vacant_since_ns is None


def test_a_snapshot_of_before_there_were_histograms_is_read() -> None:
    """F19."""
    floor = Floor().open()
    raw = msgspec.msgpack.decode(floor.desk.snapshot())
    del raw["latencies"]
    for one in raw["seats"].values():
        del one["vacant_since_ns"]
    old = floor.desk.restore(msgspec.msgpack.encode(raw))
    assert old.snapshot() == floor.desk.snapshot()
