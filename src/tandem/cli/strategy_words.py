"""What a person types of strategies, in the desk's words."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from tandem.cli.calling import BadInputError
from tandem.cli.typed import Choice, duration_ns, time_of_day_ns
from tandem.domain.bars import Span
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    Parameters,
    PercentOfEquity,
    Scalar,
    Sizing,
    StrategyText,
    TextHash,
    VolatilityTarget,
)
from tandem.strategies.shipped import shipped
from tandem.wiring.strategies import is_installed

SpanText = Literal["1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
_LANGUAGES: Final = {".lua": Language.LUA, ".py": Language.PYTHON}
_PPM_OF_PERCENT: Final = 10_000
_PPM_MAX: Final = 2**53
_NUMBER_MAX: Final = 2**53  # up to there every whole number is the same one in Lua


@Parameter(name="*")
@dataclass(frozen=True)
class AssignOptions:
    """On what it decides, for whom, and how large a full position is: one of the three sizings.

    Attributes:
        span: The bars that it decides on.
        accounts: The slots that trade for it, such as w1,w2; all without.
        quantity: A full position is so much on each account.
        percent: A full position is worth so many per cent of each account's equity.
        volatility: A full position is expected to vary by so many per cent of equity a day.
        volatility_bars: Of how many bars volatility is taken.
        param: A parameter of it, such as fast=10; as often as there are some.
        others: Symbols that it looks at besides, such as BTCUSD,ETHUSD.
        may_short: Let "short" be a negative position, on margin accounts.
        good_for: How long after its bar a decision may be carried out, in market time; as long as
            its bars last without.
        flat_by: Be flat from this time of the day (UTC) until midnight, such as 15:55.
        name: What this assignment is called; by strategy, symbol and bars without.
    """

    span: SpanText = "1m"
    accounts: str | None = None
    quantity: str | None = None
    percent: str | None = None
    volatility: str | None = None
    volatility_bars: int = 100
    param: tuple[str, ...] = ()
    others: str = ""
    may_short: Annotated[bool, Parameter(negative="")] = False
    good_for: str | None = None
    flat_by: str | None = None
    name: Annotated[str | None, Parameter(name="--id")] = None


def is_file(what: str | Path) -> bool:
    """Whether a strategy was named by its file, and not by the name that it was saved under."""
    return Path(what).suffix in _LANGUAGES


def text_of(file: Path, name: str | None = None) -> StrategyText:
    """Return the strategy in a file; it is called like the file unless told.

    Raises:
        BadInputError: it cannot be read, or is of no known language.
    """
    language = _LANGUAGES.get(file.suffix)
    if language is None:
        raise BadInputError(f"{file}: expected a file that ends in .lua or .py")
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file}: byte {error.start} is not UTF-8") from error
    return StrategyText(name=name or file.stem, language=language, text=text)


def text_or_shipped(what: Path) -> StrategyText:
    """Return the strategy in a file, or the one of this name that comes along.

    Raises:
        BadInputError: there is neither.
    """
    if is_file(what):
        return text_of(what)
    along = shipped()
    text = along.get(str(what))
    if text is None:
        names = ", ".join(along)
        raise BadInputError(f"{what}: expected a file that ends in .lua or .py, or one of {names}")
    return text


def assignment_of(
    saved: tuple[str, TextHash], symbol: str, options: AssignOptions, choice: Choice
) -> Assignment:
    """Return what was typed as an assignment of a saved strategy.

    Raises:
        BadInputError: something of it cannot be; says what was expected.
        OffGridError: the quantity is no positive multiple of the lot size.
    """
    name, text_hash = saved
    others = tuple(one.strip() for one in options.others.split(",") if one.strip())
    for one in (symbol, *others):
        choice.instrument(one)
    return Assignment(
        assignment_id=AssignmentId(options.name or f"{name}-{symbol}-{options.span}"),
        text_hash=text_hash,
        name=name,
        symbol=symbol,
        span=Span(options.span),
        slots=choice.slots(options.accounts, None, option="--accounts"),
        sizing=_sizing(symbol, options, choice),
        parameters=parameters_of(options.param),
        others=others,
        may_short=options.may_short,
        good_for_ns=None if options.good_for is None else duration_ns(options.good_for),
        flat_by_ns=_flat_by_ns(options.flat_by),
    )


def _flat_by_ns(text: str | None) -> int | None:
    if text is None:
        return None
    at_ns = time_of_day_ns(text)
    if at_ns is None:
        raise BadInputError(f"--flat-by {text!r}: expected a time of the day (UTC) such as 15:55")
    return at_ns


def _sizing(symbol: str, options: AssignOptions, choice: Choice) -> Sizing:
    given = [options.quantity, options.percent, options.volatility]
    if sum(one is not None for one in given) != 1:
        raise BadInputError("expected one of --quantity, --percent and --volatility")
    if options.quantity is not None:
        return Fixed(quantity=choice.quantity(symbol, text=options.quantity))
    if options.percent is not None:
        return PercentOfEquity(ppm=_ppm("--percent", options.percent))
    ppm = _ppm("--volatility", options.volatility or "")
    return VolatilityTarget(ppm_per_day=ppm, bars=options.volatility_bars)


def _ppm(name: str, text: str) -> int:
    try:
        ppm = Decimal(text) * _PPM_OF_PERCENT
        whole = int(ppm)
    except (ArithmeticError, ValueError):
        raise BadInputError(f"{name} {text!r}: expected per cent such as 20 or 1.5") from None
    if whole > _PPM_MAX:
        raise BadInputError(f"{name} {text!r}: expected per cent such as 20 or 1.5")
    if ppm != whole or whole <= 0:
        raise BadInputError(f"{name} {text!r}: expected per cent above 0, to four places")
    return whole


def parameters_of(words: tuple[str, ...]) -> Parameters:
    """Return parameters from words such as fast=10, ratio=1.5, on=true or side=long.

    Raises:
        BadInputError: a word without a name or a value, a name twice, or a number that is none.
    """
    found: Parameters = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not name.isidentifier() or not equals or not text:
            raise BadInputError(f"--param {word!r}: expected a name and a value such as fast=10")
        if name in found:
            raise BadInputError(f"--param {name} stands twice")
        value = found[name] = _scalar(text)
        if isinstance(value, int | float) and not abs(value) <= _NUMBER_MAX:
            raise BadInputError(f"--param {word[:60]!r}: expected a number within 2^53")
    return found


def judged_parameters(parameters: Parameters, text: StrategyText) -> Parameters:
    """Return them; one that a text never reads was mistyped.

    Raises:
        BadInputError: there is one; says which the text reads.
    """
    if not parameters or not is_installed():
        return parameters
    from tandem.strategies.parameters import parameters_read

    read = parameters_read(text)
    for name in parameters if read is not None else ():
        if name not in (read or ()):
            known = f"it reads {', '.join(read)}" if read else "it reads none"
            raise BadInputError(f"--param {name}: {text.name} reads no such parameter; {known}")
    return parameters


def _scalar(text: str) -> Scalar:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
