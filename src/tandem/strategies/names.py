"""The names that every strategy knows, and judging calls of `ta` before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError
from tandem.strategies import ta
from tandem.strategies.errors import meant
from tandem.strategies.ta.definition import Scalar

BARS: Final = ("open", "high", "low", "close", "volume")
GIVEN: Final = frozenset(
    {"ta", "bar", "position", "params", "state", "log", "instrument"}.union(BARS)
)
FIELDS: Final[Mapping[str, frozenset[str]]] = {"bar": frozenset({"time", *BARS})}
LUA_FUNCTIONS: Final = frozenset(
    {"type", "pairs", "ipairs", "tostring", "tonumber", "select", "assert", "error"}
)
LUA_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    **FIELDS,
    "math": frozenset(
        {"abs", "ceil", "floor", "sqrt", "exp", "log", "log10", "fmod", "modf", "pow", "huge", "pi"}
        | {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "max", "min", "random"}
    ),
    "string": frozenset({"rep", "format", "sub", "len", "upper", "lower", "byte"}),
    "table": frozenset({"insert", "remove", "concat", "sort", "unpack"}),
}
LUA_NAMES: Final = GIVEN | LUA_FUNCTIONS | LUA_FIELDS.keys()
_SPANS: Final = frozenset(str(one) for one in Span)
Argument = Scalar | None  # None: known only when it runs


def field_problem(owner: str, *, name: str, fields: Mapping[str, frozenset[str]]) -> str | None:
    """Return what is wrong with `owner.name`, if anything is."""
    known = frozenset(ta.catalogue) if owner == "ta" else fields.get(owner)
    if known is None or name in known:
        return None
    return f"{owner} has no '{name}'{meant(name, known)}"


def call_problem(name: str, given: Sequence[Argument], named: Mapping[str, Argument]) -> str | None:
    """Return what is wrong with what an indicator is given, as far as it can be seen."""
    indicator = ta.catalogue.get(name)
    if indicator is None:
        return None
    if given and isinstance(given[-1], str) and given[-1] in _SPANS:
        given = given[:-1]
    elif len(given) == len(indicator.parameters) + 1 and given[-1] is None:
        given = given[:-1]  # it may turn out to be a time-scale
    span = given[-1] if len(given) == len(indicator.parameters) + 1 else None
    if isinstance(span, str):
        return f"ta.{name}: no time-scale {span!r}, expected one of {', '.join(Span)}"
    try:
        ta.bind(indicator, list(_filled(indicator, given)), _known(named))
    except ConfigurationError as error:
        return str(error)
    return None


def _filled(indicator: ta.Indicator, given: Sequence[Argument]) -> Iterator[Scalar]:
    """Yield arguments, with the default where one is not known yet."""
    for at, one in enumerate(given):
        if one is not None or at >= len(indicator.parameters):
            yield 0 if one is None else one
        else:
            yield indicator.parameters[at].default


def _known(named: Mapping[str, Argument]) -> dict[str, Scalar]:
    return {name: one for name, one in named.items() if one is not None}
