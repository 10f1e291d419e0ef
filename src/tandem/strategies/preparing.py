"""Texts, made ready to be compiled before somebody is cold."""

from tandem.domain.evaluation import Prepared
from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.errors import StrategyError
from tandem.strategies.guard import guarded


def prepared(text: StrategyText) -> Prepared | None:
    """Return a text as engines compile it; None when it is not in Lua, or not let in."""
    if text.language is not Language.LUA:
        return None
    try:
        found = guarded(text.text)
    except StrategyError:
        return None  # whoever loads it finds out again, and says why
    return Prepared(text_hash=text.text_hash, source=found.source, uses_state=found.uses_state)
