"""The static check of a strategy: what is wrong with its text, before it is saved or run."""

from tandem.domain.strategies import Language, StrategyText
from tandem.strategies import lua_check, python_check
from tandem.strategies.errors import Problem


def check(text: StrategyText) -> list[Problem]:
    """Return what is wrong with a text, by line and column; without an error it can be loaded."""
    if text.language is Language.PYTHON:
        return python_check.problems(text.text)
    return lua_check.problems(text.text)
