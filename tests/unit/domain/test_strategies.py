import msgspec
import pytest

from tandem.domain.errors import ConfigurationError
from tandem.domain.strategies import Language, StrategyText

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
