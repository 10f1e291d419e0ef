"""Which parameters a text reads, so that one that is mistyped can be told."""

import ast

from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.errors import StrategyError
from tandem.strategies.lua_tokens import plain_text, tokens

_PARAMS = "params"
_SILENT = ("space", "comment")


def parameters_read(text: StrategyText) -> tuple[str, ...] | None:
    """Return the names that stand behind `params.`, in order; None where there may be others."""
    try:
        if text.language is Language.PYTHON:
            return _in_python(ast.parse(text.text))
        return _in_lua(plain_text(text.text))
    except (StrategyError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # whoever checks the text says what is wrong with it


def _in_lua(text: str) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    words = [(one.kind, one.text) for one in tokens(text) if one.kind not in _SILENT]
    words += [("end", ""), ("end", "")]
    for at, word in enumerate(words):
        is_field = at > 0 and words[at - 1][1] in (".", ":")
        if word != ("name", _PARAMS) or is_field:
            continue
        if words[at + 1] != ("op", ".") or words[at + 2][0] != "name":
            return None
        found[words[at + 2][1]] = None
    return tuple(sorted(found))


def _in_python(tree: ast.Module) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    named = 0
    for node in ast.walk(tree):
        named += isinstance(node, ast.Name) and node.id == _PARAMS
        owner = node.value if isinstance(node, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id == _PARAMS:
            found[node.attr] = None  # type: ignore[attr-defined]
            named -= 1
    # What is handed on, subscripted or gone through may be read by any name.
    return tuple(sorted(found)) if not named else None
