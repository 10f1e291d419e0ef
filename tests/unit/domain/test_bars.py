import msgspec
import pytest

from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId, Lots, Ticks

MINUTE_NS = 60_000_000_000
DAY_NS = 86_400_000_000_000
BAR = Bar(
    instrument_id=InstrumentId("paper:BTCUSD"),
    span=Span.M1,
    begin_ns=MINUTE_NS,
    open=Ticks(10),
    high=Ticks(12),
    low=Ticks(9),
    close=Ticks(11),
    volume=Lots(5),
)


def test_a_span_begins_at_multiples_since_1970_and_its_end_belongs_to_the_next() -> None:
    """B10."""
    assert Span.M15.begin_ns(15 * MINUTE_NS - 1) == 0
    assert Span.M15.begin_ns(15 * MINUTE_NS) == 15 * MINUTE_NS
    assert Span.D1.begin_ns(3 * DAY_NS + 5) == 3 * DAY_NS


def test_a_week_begins_on_monday() -> None:
    """B10: 1970-01-01 was a Thursday, the Monday after it the 5th."""
    assert Span.W1.begin_ns(4 * DAY_NS) == 4 * DAY_NS
    assert Span.W1.begin_ns(11 * DAY_NS - 1) == 4 * DAY_NS
    assert Span.W1.begin_ns(0) == -3 * DAY_NS


def test_a_bar_ends_a_span_after_its_begin() -> None:
    """B8."""
    assert BAR.end_ns == 2 * MINUTE_NS


@pytest.mark.parametrize(
    "change",
    [{"begin_ns": 1}, {"low": 0}, {"low": 11}, {"high": 10}, {"volume": -1}],
)
def test_a_bar_that_cannot_be_is_refused(change: dict[str, int]) -> None:
    """B9."""
    with pytest.raises(ConfigurationError):
        msgspec.structs.replace(BAR, **change)
