"""Quote stuffing is noticed; A49."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.bursts import CALM_SECONDS, BurstWatch
from tests.unit.core.market.market_news import SECOND


def _play(watch: BurstWatch, rates: list[int], begin: int = 0) -> list[bool]:
    """Return whether a burst was on at the end of each second."""
    seen = []
    for second, rate in enumerate(rates, start=begin):
        for number in range(rate):
            watch.note(second * SECOND + number)
        watch.pass_to(second * SECOND)
        seen.append(watch.is_on)
    return seen


def test_many_times_the_usual_rate_is_a_burst_from_the_message_that_is_too_many() -> None:
    """A49: messages a second held against a slow average."""
    watch = BurstWatch(least=20)
    _play(watch, [5] * 10)
    for number in range(50):
        watch.note(10 * SECOND + number)
    assert not watch.is_on
    watch.note(10 * SECOND + 60)
    assert watch.is_on
    assert (watch.bursts, watch.most) == (1, 51)


def test_few_messages_are_no_burst_however_quiet_it_was() -> None:
    watch = BurstWatch(least=20)
    assert not any(_play(watch, [0, 1, 0, 20, 0, 20]))


def test_the_first_second_is_no_burst_for_nothing_is_usual_yet() -> None:
    watch = BurstWatch(least=20)
    assert _play(watch, [500, 500, 500]) == [False, False, False]


def test_a_burst_ends_after_some_calm_seconds_and_not_before() -> None:
    watch = BurstWatch(least=20)
    rates = [5] * 10 + [100] + [5, 5, 60, 5, 5, 5, 5]
    seen = _play(watch, rates)
    # The calm second is counted when the next one begins.
    assert seen[10:] == [True] * 7 + [False]
    assert watch.bursts == 1
    watch.pass_to(10 * SECOND)  # a time that went back changes nothing
    assert watch.second == 17


def test_silence_ends_a_burst_too() -> None:
    watch = BurstWatch(least=20)
    _play(watch, [5] * 10 + [100])
    watch.pass_to((10 + CALM_SECONDS) * SECOND)
    assert watch.is_on
    watch.pass_to((11 + CALM_SECONDS) * SECOND)
    assert not watch.is_on


def test_a_market_that_stays_busy_becomes_the_usual_one() -> None:
    watch = BurstWatch(least=20)
    _play(watch, [5] * 10)
    assert _play(watch, [200] * 90, 10)[0]
    assert not watch.is_on


def test_after_a_long_silence_nothing_is_left_of_the_average() -> None:
    watch = BurstWatch(least=20)
    _play(watch, [50] * 10)
    watch.pass_to(10**6 * SECOND)
    assert watch.average == 0


@given(st.lists(st.integers(0, 60), max_size=40))
def test_there_is_no_burst_below_the_least_rate_and_time_alone_ends_each(rates: list[int]) -> None:
    watch = BurstWatch(least=30)
    for on, rate in zip(_play(watch, rates), rates, strict=True):
        assert watch.most > 30 or not on, rate
    watch.pass_to((len(rates) + CALM_SECONDS + 1) * SECOND)
    assert not watch.is_on
