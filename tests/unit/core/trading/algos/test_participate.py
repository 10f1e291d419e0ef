"""Percentage of volume: its share, and never more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos import participate
from tandem.core.trading.algos.memos import ParticipateMemo
from tandem.domain.algos import AtEnd, Participate
from tandem.domain.ids import Lots
from tandem.domain.order import Side
from tests.unit.core.trading.algos.rehearsal import Rehearsal


def spec(**changes: Any) -> Participate:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.BUY,
        "quantity": Lots(100),
        "percent": 20,
        "duration_ns": 1_000,
        "interval_ns": 100,
    }
    return Participate(**(fields | changes))


def test_a_participation_that_cannot_be_is_refused_in_words() -> None:
    for changes, word in (
        ({"percent": 0}, "per cent"),
        ({"percent": 91}, "per cent"),
        ({"duration_ns": 0}, "duration"),
        ({"interval_ns": 0}, "interval"),
        ({"interval_ns": 1_001}, "interval"),
    ):
        text = participate.objection(spec(**changes))
        assert text is not None
        assert word in text
    assert participate.objection(spec()) is None


def test_it_trades_its_share_of_what_all_trade_together() -> None:
    """A14: of 400 traded in all, 80 are ours and 320 others'."""
    played = Rehearsal(spec())
    played.see(1_000, volume=50_000)
    for volume in (40, 80, 320):
        played.market_ns += 100
        played.see(1_000, volume=50_000 + volume)
        played.fill()
    assert [one.quantity for _, one in played.placed] == [10, 10, 60]


def test_without_a_quote_it_waits() -> None:
    played = Rehearsal(spec())
    assert played.look().wake_market_ns == 100
    assert not played.placed


def test_a_quote_from_before_it_began_is_no_beginning() -> None:
    """Others may have traded since, and before it began."""
    played = Rehearsal(spec())
    played.see(1_000, volume=0)
    played.quoted_ns = -1
    memo = ParticipateMemo()
    participate.step(spec(), memo, played.sight())
    assert memo.volume is None
    played.see(1_000, volume=70)
    participate.step(spec(), memo, played.sight())
    assert memo == ParticipateMemo(volume=70, next_look_ns=100)


def test_between_its_moments_it_only_counts() -> None:
    played = Rehearsal(spec())
    played.see(1_000, volume=0)
    played.market_ns = 99
    assert played.see(1_000, volume=400).wake_market_ns == 100
    assert not played.placed


@pytest.mark.parametrize(("has_ended", "sizes"), [(True, [10, 20]), (False, [10, 10])])
def test_what_did_not_trade_is_caught_up_and_what_is_out_counts_as_its_own(
    has_ended: bool, sizes: list[int]
) -> None:
    played = Rehearsal(spec())
    played.see(1_000, volume=0)
    played.market_ns = 100
    played.see(1_000, volume=40)
    if has_ended:
        played.end()
    played.market_ns = 200
    played.see(1_000, volume=80)
    assert [one.quantity for _, one in played.placed] == sizes


def test_a_volume_that_falls_back_is_counted_from_there() -> None:
    played = Rehearsal(spec())
    played.see(1_000, volume=1_000)
    played.market_ns = 100
    played.see(1_000, volume=1_040)
    played.fill()
    played.market_ns = 200
    played.see(1_000, volume=7)  # its venue began anew
    assert len(played.placed) == 1
    played.market_ns = 300
    played.see(1_000, volume=47)
    assert [one.quantity for _, one in played.placed] == [10, 10]


def test_it_never_asks_for_more_than_its_quantity() -> None:
    played = Rehearsal(spec())
    played.see(1_000, volume=0)
    played.market_ns = 100
    played.see(1_000, volume=10**9)
    assert [one.quantity for _, one in played.placed] == [100]
    played.fill()
    assert played.look().is_over


def test_when_its_time_is_over_the_rest_is_left_or_taken() -> None:
    for at_end, placed in ((AtEnd.LEAVE, []), (AtEnd.TAKE, [100])):
        played = Rehearsal(spec(at_end=at_end))
        played.market_ns = 1_000
        step = played.see(1_000, volume=0)
        assert step.is_over is (at_end is AtEnd.LEAVE)
        assert [one.quantity for _, one in played.placed] == placed


ACTS = st.one_of(
    st.tuples(st.just("volume"), st.integers(0, 3_000) | st.integers(0, 2**63)),
    st.tuples(st.just("pass"), st.integers(50, 250)),
    st.tuples(st.just("fill"), st.integers(0, 3), st.integers(1, 40)),
    st.tuples(st.just("end"), st.integers(0, 3)),
    st.just(("restore",)),
)


@given(st.lists(ACTS, max_size=40), st.integers(1, 90))
def test_its_share_is_never_above_its_percentage(acts: list[Any], percent: int) -> None:
    """A14: of what was seen to trade, whatever the venue says of its volume."""
    played = Rehearsal(spec(percent=percent, duration_ns=10**6))
    volume, others = None, 0
    for act in acts:
        played.act(act)
        now = played.quote["volume"]
        if now is not None and volume is not None:
            others += max(0, now - volume)
        volume = now
        sight = played.sight()
        ours = sight.bought + sight.open_buys
        assert ours * 100 <= percent * (ours + others)
        assert ours <= 100
