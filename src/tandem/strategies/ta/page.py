"""The page of the documents that lists every indicator, written from the definitions."""

from collections.abc import Iterator

from tandem.strategies.ta.binding import bars_needed, bind, expected
from tandem.strategies.ta.definition import (
    AVERAGES,
    PERIOD_MAX,
    WARM_UP_MAX,
    Indicator,
    Input,
    Kind,
    Parameter,
)
from tandem.strategies.ta.listing import GROUPS


def page() -> str:
    """Return docs/indicators.md."""
    return "\n".join([*_beginning(), *_groups(), ""])


def _beginning() -> Iterator[str]:
    count = sum(map(len, GROUPS.values()))
    yield f"""\
# Indicators

The {count} indicators that strategies and backtests have as `ta.NAME(...)`. This page is written
from their definitions by `tandem.strategies.ta.page`, and a test holds it true.

- They have TA-Lib's names and are computed by TA-Lib; what it lacks is said below. Only `cmf`,
  `mfi`, `rvol` and `vwma` are computed otherwise: TA-Lib's sums keep the rounding of large volumes,
  and where hardly anything trades its values are any numbers. Elsewhere they are the same.
- A live strategy feeds them bar by bar and a backtest computes them at once: both give the same
  numbers, bit for bit, from the same first bar.
- Parameters may be left out from the right. Numbers show their bounds; a kind of average is one
  of {", ".join(AVERAGES)}.
- *Bars* is the warm-up with the usual parameters: how many bars it takes until the first value
  of every output. Before, a value is NaN ("not a number"). Nothing can ask for periods over
  {PERIOD_MAX:,} or for a warm-up over {WARM_UP_MAX:,} bars.
- *Seed* is what it begins with. Where only the window counts, the value is the same whatever came
  before. What fades or counts for ever depends on where the history begins; live and in a
  backtest that is the same bar.
- A value may be NaN later too, where a formula divides by nothing, as by the volume of bars in
  which nothing traded.
- `time` is when the bar began, in seconds since 1970 UTC.
"""


def _groups() -> Iterator[str]:
    for title, group in GROUPS.items():
        yield f"## {title}\n"
        yield "| Call, with the usual parameters | What it is | From | Outputs | Bars | Seed |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for one in group:
            yield _row(one)
        yield ""


def _row(one: Indicator) -> str:
    call = ", ".join(map(_usual, one.parameters))
    also = "".join(f"; also `ta.{name}`" for name in one.also)
    bounds = "".join(f"; {text}" for text in map(_bounds, one.parameters) if text)
    cells = (
        f"`ta.{one.name}({call})`{also}{bounds}",
        one.doc,
        ", ".join(map(Input, one.inputs)),
        ", ".join(one.outputs),
        f"{bars_needed(one, bind(one, ()))}",
        one.seed.text,
    )
    return f"| {' | '.join(cells)} |"


def _usual(parameter: Parameter) -> str:
    if isinstance(parameter.default, str):
        return f'{parameter.name}="{parameter.default}"'
    return f"{parameter.name}={parameter.default:g}"


def _bounds(parameter: Parameter) -> str:
    return "" if parameter.kind is Kind.AVERAGE else f"{parameter.name} {expected(parameter)}"
