"""Texts made ready where nobody is waiting: B16."""

from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.guard import guarded
from tandem.strategies.preparing import prepared


def text(source: str, language: Language = Language.LUA) -> StrategyText:
    return StrategyText(name="s", language=language, text=source)


def test_a_text_is_made_ready_as_the_engine_would() -> None:
    """B16."""
    one = text("state.n = 1 return 'long'")
    made = prepared(one)
    assert made is not None
    assert (made.source, made.uses_state) == guarded(one.text)
    assert made.text_hash == one.text_hash


def test_what_is_not_let_in_and_what_is_python_is_left_to_the_engine() -> None:
    """B17: it says why, with the line."""
    assert prepared(text("local n = 1LL return n")) is None
    assert prepared(text("def decide():\n    return 0\n", Language.PYTHON)) is None
