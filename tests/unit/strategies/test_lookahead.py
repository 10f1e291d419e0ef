"""The truncation test: honest strategies pass it, whoever peeks is caught."""

from collections.abc import Sequence
from itertools import pairwise

from tandem.domain.bars import Bar
from tandem.domain.strategies import Answer, Language, StrategyText
from tandem.strategies.lookahead import Other, Trial, engine_runs, prove
from tandem.strategies.shipped import shipped
from tests.unit.strategies.market import bars, instrument, lua, walk
from tests.unit.strategies.scripts import made_up

MARKET = bars(walk(160))
PEEKING = """\
def decide(bar, log):
    return 1 if log(bar.time) > bar.close else -1
"""


class Peeking:
    """A strategy that was given the bars to come, and looks `ahead` bars into them."""

    def __init__(self, everything: Sequence[Bar], ahead: int) -> None:
        self._closes = {bar.begin_ns: bar.close for bar in everything}
        self._ahead = ahead

    def answer(self, bar: Bar) -> Answer:
        later = self._closes.get(bar.begin_ns + self._ahead * bar.span.ns, bar.close)
        return Answer(position_ppm=1_000_000 if later > bar.close else 0)


def test_the_shipped_strategies_and_made_up_ones_see_nothing_of_the_future() -> None:
    """C11."""
    for text in (*shipped().values(), made_up(3).lua, made_up(4).python):
        found = prove(engine_runs(text, instrument(), {}), MARKET, every=9)
        assert found.peek is None, text.name
        assert found.error is None
        assert found.compared == 160 // 9


def test_whoever_peeks_one_bar_ahead_is_caught_on_the_first_bar_where_it_matters() -> None:
    """C11: the planted strategy holds all bars from the start."""

    def start(everything: Sequence[Bar]) -> Trial:
        return Peeking(everything, ahead=1)

    found = prove(start, MARKET)

    assert found.peek is not None
    at = found.peek.number
    assert MARKET[at + 1].close > MARKET[at].close
    assert all(later.close <= one.close for one, later in pairwise(MARKET[: at + 1]))
    assert found.peek.with_future.position_ppm == 1_000_000
    assert found.peek.without.position_ppm == 0


def test_whoever_peeks_far_ahead_is_caught_too() -> None:
    """C11."""
    assert prove(lambda everything: Peeking(everything, ahead=30), MARKET, every=7).peek is not None


def test_whoever_looks_only_at_this_bar_is_not_accused() -> None:
    """C11."""
    assert prove(lambda everything: Peeking(everything, ahead=0), MARKET).peek is None


def test_the_strategys_own_error_is_told() -> None:
    found = prove(engine_runs(lua("return nothing"), instrument(), {}), MARKET[:5])
    assert found.error == "line 1: unknown name 'nothing'"
    text = StrategyText(name="tried", language=Language.PYTHON, text=PEEKING)
    found = prove(engine_runs(text, instrument(), {}), MARKET[:5])
    assert found.error is not None
    assert found.error.startswith("line 2: ")


def test_whoever_looks_at_others_sees_what_was_over_when_its_own_bar_began() -> None:
    """B33 C11: and is proved on it."""
    eth = bars(walk(160, seed=3), symbol="ETH")
    other = Other(instrument=instrument("ETH"), bars=eth)
    seen = lua("return instrument('ETH').bar.time / 10000")
    run = engine_runs(seen, instrument(), {}, [other])(MARKET[:5])
    said = [run.answer(one).position_ppm for one in MARKET[:5]]
    assert said == [None, 0, 6_000, 12_000, 18_000]
    text = lua("return instrument('ETH').close() > instrument('ETH').ta.sma(5)() and 1 or 0")
    found = prove(engine_runs(text, instrument(), {}, [other]), MARKET, every=9)
    assert (found.peek, found.error, found.compared) == (None, None, 160 // 9)


def test_no_bars_prove_nothing() -> None:
    found = prove(engine_runs(lua("return 1"), instrument(), {}), [])
    assert (found.bars, found.compared, found.peek) == (0, 0, None)
