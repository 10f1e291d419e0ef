import msgspec
import pytest

from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import Lots
from tandem.domain.strategies import Assignment, AssignmentId, Fixed, Language, StrategyText

CROSS = StrategyText(name="cross", language=Language.LUA, text="return 'long'")


def test_a_strategy_is_known_by_its_language_and_text_not_by_its_name() -> None:
    """B16."""
    assert CROSS.text_hash == msgspec.structs.replace(CROSS, name="other").text_hash
    assert CROSS.text_hash != msgspec.structs.replace(CROSS, text="return 'flat'").text_hash
    assert CROSS.text_hash != msgspec.structs.replace(CROSS, language=Language.PYTHON).text_hash


@pytest.mark.parametrize("change", [{"name": ""}, {"name": "n" * 61}, {"text": "-" * 65_537}])
def test_a_strategy_without_a_name_or_too_long_is_refused(change: dict[str, str]) -> None:
    """B3."""
    with pytest.raises(ConfigurationError):
        msgspec.structs.replace(CROSS, **change)


def test_it_is_flat_from_its_time_until_the_day_ends() -> None:
    """A13."""
    always = Assignment(
        assignment_id=AssignmentId("a"),
        text_hash=CROSS.text_hash,
        name="cross",
        symbol="T",
        span=Span.M1,
        sizing=Fixed(quantity=Lots(1)),
    )
    day_ns = Span.D1.ns
    assert not always.is_flat_at(day_ns - 1)
    one = msgspec.structs.replace(always, flat_by_ns=5)
    moments = (4, 5, day_ns - 1, day_ns, day_ns + 5)
    assert [one.is_flat_at(at_ns) for at_ns in moments] == [False, True, True, False, True]
