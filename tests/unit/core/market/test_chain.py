"""The final bars of all spans."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.chain import Chain
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.market_words import Kept
from tests.unit.core.market.market_words import COIN, MINUTE, bar, kept_of
from tests.unit.core.market.plain_bars import naive, numbers_of


def run(chain: Chain, minutes: list[Bar], *, closed_ns: int) -> list[FinalBar]:
    chain.begin(minutes[0].begin_ns)
    finals = [final for one in minutes for final in chain.add(one)]
    return finals + chain.pass_to(closed_ns)


def test_weeks_of_minutes_make_what_plain_resampling_makes() -> None:
    """B10: every span, with a tenth of the minutes absent; only closed bars are final."""
    first = Span.D1.begin_ns(1_700_000_000_000_000_000) // MINUTE
    minutes = [
        bar(first + n, 100 + n * 7 % 31, 140 + n % 3, 90 + n % 5, 100 + n * 11 % 37, volume=n % 9)
        for n in range(24 * 1_440)
        if n * 2_654_435_761 % 2**32 % 10
    ]
    closed_ns = minutes[-1].end_ns
    finals = run(Chain(Span.M1), minutes, closed_ns=closed_ns)
    assert numbers_of(finals) == naive(minutes, closed_ns=closed_ns)
    assert len({(one.bar.span, one.number) for one in finals}) == len(finals)


@given(
    minutes=st.lists(st.integers(0, 600), min_size=1, max_size=40, unique=True),
    stop=st.integers(0, 40),
)
def test_stopped_anywhere_it_goes_on_from_what_a_store_keeps(minutes: list[int], stop: int) -> None:
    """B12."""
    bars = [bar(n, 10 + n % 7, volume=n) for n in sorted(minutes)]
    whole = run(Chain(Span.M1), bars, closed_ns=700 * MINUTE)
    chain = Chain(Span.M1)
    chain.begin(bars[0].begin_ns)
    before = [final for one in bars[:stop] for final in chain.add(one)]
    again = Chain(Span.M1, kept_of(before))
    if not before:
        again.begin(bars[0].begin_ns)
    after = [final for one in bars[stop:] for final in again.add(one)]
    assert before + after + again.pass_to(700 * MINUTE) == whole


def test_what_was_kept_of_a_span_that_is_not_made_here_is_passed_over() -> None:
    stored = Kept(instrument_id=COIN, span=Span.M1, number=9, end_ns=MINUTE, recent=(bar(0),))
    chain = Chain(Span.M3, [stored])
    assert (chain.closed_ns, chain.latest) == (MINUTE, None)


@given(
    corrected=st.lists(st.tuples(st.integers(0, 49), st.integers(4, 40)), min_size=1, max_size=8),
    only_missing=st.booleans(),
)
def test_corrections_make_the_bars_that_the_corrected_minutes_make(
    corrected: list[tuple[int, int]], only_missing: bool
) -> None:
    """B9: and each that is published again has the next revision."""
    minutes = {n: bar(n, 10 + n % 7) for n in range(0, 50, 2)}
    chain = Chain(Span.M1)
    finals = run(chain, list(minutes.values()), closed_ns=50 * MINUTE)
    told = sorted({n: bar(n, price) for n, price in corrected}.items())
    ranges = chain.ranges(from_ns=0, to_ns=60 * MINUTE)
    assert [(span, first) for span, first, _ in ranges][:2] == [(Span.M1, 0), (Span.M3, 0)]
    latest = {(one.bar.span, one.bar.begin_ns): one for one in finals}
    made = chain.correct([(one, only_missing) for _, one in told], latest.values())
    for n, one in told:
        if not (only_missing and n in minutes):
            minutes[n] = one
    everything = [minutes[n] for n in sorted(minutes)]
    assert numbers_of(finals + made) == naive(everything, closed_ns=50 * MINUTE)
    for final in made:
        before = latest.get((final.bar.span, final.bar.begin_ns))
        assert final.revision == (1 if before is None else before.revision + 1)
    rest = chain.add(bar(60, 3)) + chain.pass_to(120 * MINUTE)
    expected = naive([*everything, bar(60, 3)], closed_ns=120 * MINUTE)
    assert numbers_of(finals + made + rest) == expected
