"""Parameters as they were written, judged against an indicator's definition."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

from tandem.domain.errors import ConfigurationError
from tandem.strategies.ta import library
from tandem.strategies.ta.definition import (
    AVERAGES,
    WARM_UP_MAX,
    Bound,
    Indicator,
    Kind,
    Parameter,
    Scalar,
)

_NOTHING: Final[Mapping[str, Scalar]] = {}


def bind(
    indicator: Indicator, given: Sequence[Scalar], named: Mapping[str, Scalar] = _NOTHING
) -> Bound:
    """Return a value for every parameter: those given in order, by name, or the defaults.

    What it returns may be given again. A whole number may come as 10.0.

    Raises:
        ConfigurationError: a parameter is too many, unknown, given twice or out of its bounds, or
            all together need more history than there is; says which, and what was expected.
    """
    parameters = indicator.parameters
    names = ", ".join(parameter.name for parameter in parameters) or "none"
    if len(given) > len(parameters):
        raise ConfigurationError(
            f"ta.{indicator.name}: {len(given)} parameters given, expected at most "
            f"{len(parameters)} ({names})"
        )
    values = {one.name: value for one, value in zip(parameters, given, strict=False)}
    for name, value in named.items():
        if name in values:
            raise ConfigurationError(f"ta.{indicator.name}: {name} is given twice")
        if all(name != one.name for one in parameters):
            raise ConfigurationError(
                f"ta.{indicator.name}: there is no parameter {name!r}, expected one of {names}"
            )
        values[name] = value
    bound = tuple(_judged(indicator, one, values.get(one.name, one.default)) for one in parameters)
    needed = bars_needed(indicator, bound)
    if needed > WARM_UP_MAX:
        raise ConfigurationError(
            f"ta.{indicator.name}: needs {needed} bars for its first value, expected parameters "
            f"that need at most {WARM_UP_MAX}"
        )
    return bound


def bars_needed(indicator: Indicator, bound: Bound) -> int:
    """Return its warm-up: how many bars it takes until its first value."""
    if indicator.own is not None:
        return indicator.own.bars(*bound)
    return library.lookback(indicator.name.upper(), bound) + 1


def expected(parameter: Parameter) -> str:
    """Return what may be given for it."""
    if parameter.kind is Kind.AVERAGE:
        return "one of " + ", ".join(AVERAGES)
    return f"{parameter.least:g} to {parameter.most:g}"


def _judged(indicator: Indicator, parameter: Parameter, value: Scalar) -> Scalar:
    wanted = expected(parameter)
    match parameter.kind, value:
        case Kind.AVERAGE, str() if value in AVERAGES:
            return value
        case Kind.WHOLE | Kind.NUMBER, bool() | str():
            wanted = f"{parameter.kind}, {wanted}"
        case Kind.WHOLE, int() | float() if not isfinite(value) or value != int(value):
            wanted = f"{parameter.kind}, {wanted}"
        case Kind.WHOLE, int() | float() if parameter.least <= value <= parameter.most:
            return int(value)
        case Kind.NUMBER, int() | float() if parameter.least <= value <= parameter.most:
            return float(value)
    seen = repr(value) if isinstance(value, str) else value
    raise ConfigurationError(f"ta.{indicator.name}: {parameter.name} is {seen}, expected {wanted}")
