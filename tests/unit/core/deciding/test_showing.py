"""How far strategies are evaluated: B33."""

import msgspec
import pytest

from tandem.core.deciding import showing
from tandem.domain.deciding import FeedJudged
from tandem.domain.halting import AskEvaluated
from tandem.domain.link import MESSAGE_BYTES_MAX
from tests.unit.core.deciding.bench import COIN, OTHER, Bench, entry, final, said


def test_a_page_of_the_longest_ids_fits_into_one_message() -> None:
    """B33."""
    bench = Bench(*[entry(f"{number:060}".replace("0", "\U0001f600")) for number in range(301)])
    view = showing.evaluated(bench.decider.state, AskEvaluated())
    assert (len(view.assignments), view.total) == (300, 301)
    assert len(msgspec.msgpack.encode([view])) < MESSAGE_BYTES_MAX


def rows(bench: Bench, begin: int = 0) -> list[tuple[str, int | None, bool, bool]]:
    view = showing.evaluated(bench.decider.state, AskEvaluated(begin=begin))
    assert (view.begin, view.total) == (max(0, begin), 2)
    return [
        (one.assignment_id, one.end_ns, one.is_behind, one.is_stale) for one in view.assignments
    ]


def test_it_is_known_up_to_which_bar_each_is_evaluated() -> None:
    """B33: whatever came of it, also one that says nothing; and not of one that has failed."""
    bench = Bench(entry("a"), entry("b", instrument=OTHER))
    assert rows(bench, begin=-1) == rows(bench)
    assert rows(bench) == [("a", None, False, False), ("b", None, False, False)]
    bench.bars(final(1))
    assert rows(bench)[0] == ("a", None, True, False)
    bench.answer(bench.task)
    first_ns = final(1).bar.end_ns
    assert rows(bench) == [("a", first_ns, False, False), ("b", None, False, False)]
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=True))
    bench.bars(final(2))
    assert rows(bench)[0] == ("a", first_ns, True, True)
    assert rows(bench, begin=1) == [("b", None, False, False)]
    bench.answer(bench.task, said(0, error="line 1: no"))
    bench.bars(final(3))
    assert rows(bench)[0] == ("a", None, False, False)


def test_a_page_has_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """B33: whoever asks goes on with the next."""
    monkeypatch.setattr(showing, "PAGE_MAX", 1)
    bench = Bench(entry("a"), entry("b"))
    assert [one[0] for one in rows(bench)] == ["a"]
    assert [one[0] for one in rows(bench, begin=1)] == ["b"]
    assert rows(bench, begin=2) == []
