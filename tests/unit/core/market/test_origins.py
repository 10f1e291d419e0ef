"""Where an indicator's history begins."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.origins import STEP, origin_ns
from tandem.domain.bars import Span
from tandem.domain.ids import InstrumentId

COIN = InstrumentId("paper:BTCUSD")


def test_the_origin_is_that_of_the_agreed_formula() -> None:
    number, shift = 20_000_000, crc32(b"paper:BTCUSD") % 2_000
    agreed = ((number + shift) // 2_000 - 1) * 2_000 - shift
    assert origin_ns(Span.M1, number * Span.M1.ns, COIN) == agreed * Span.M1.ns


def test_instruments_move_their_origins_at_different_bars() -> None:
    ids = [InstrumentId(f"paper:{name}") for name in ("A", "B", "C", "D")]
    origins = [origin_ns(Span.M1, 20_000_000 * Span.M1.ns, one) for one in ids]
    assert len(set(origins)) == len(ids)


@pytest.mark.parametrize("span", Span)
@given(begins=st.integers(0, 4 * 10**18))
def test_2000_to_4000_bars_are_behind_the_latest_and_the_origin_moves_by_2000(
    span: Span, begins: int
) -> None:
    begin_ns = span.begin_ns(begins)
    origin = origin_ns(span, begin_ns, COIN)
    assert span.begin_ns(origin) == origin
    assert STEP <= (begin_ns - origin) // span.ns < 2 * STEP
    following = origin_ns(span, begin_ns + span.ns, COIN)
    assert following - origin in (0, STEP * span.ns)
