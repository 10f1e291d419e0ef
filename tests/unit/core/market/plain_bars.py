"""A plain resampling of minutes, the judge of the market core's longer bars."""

from collections.abc import Iterable

from tandem.domain.bars import Bar, FinalBar, Span

Numbers = dict[tuple[Span, int], tuple[int, ...]]


def naive(minutes: list[Bar], *, closed_ns: int) -> Numbers:
    """Return what a plain resampling of the minutes gives: the judge."""
    found: dict[tuple[Span, int], list[Bar]] = {}
    for one in minutes:
        for span in Span:
            begin_ns = span.begin_ns(one.begin_ns)
            if begin_ns + span.ns <= closed_ns:
                found.setdefault((span, begin_ns), []).append(one)
    return {
        key: (
            bars[0].open,
            max(one.high for one in bars),
            min(one.low for one in bars),
            bars[-1].close,
            sum(one.volume for one in bars),
        )
        for key, bars in found.items()
    }


def numbers_of(finals: Iterable[FinalBar]) -> Numbers:
    return {
        (one.bar.span, one.bar.begin_ns): (
            one.bar.open,
            one.bar.high,
            one.bar.low,
            one.bar.close,
            one.bar.volume,
        )
        for one in finals
    }
