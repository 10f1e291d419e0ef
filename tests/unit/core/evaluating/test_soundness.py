"""Bounds of what a tenant's process may say of an attachment. I14."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.evaluating.soundness import LENGTH_MAX, LINES_MAX, ORDERS_MAX, is_sound, sound
from tandem.domain.evaluation import AttachmentNumber, Said
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import FULL_PPM, STATE_BYTES_MAX, Answer, WantedOrder

ONE = AttachmentNumber(1)


def order(quantity: int = 1, limit: int | None = None) -> WantedOrder:
    price = None if limit is None else Ticks(limit)
    return WantedOrder(side=Side.BUY, quantity=Lots(quantity), limit_price=price)


SOUND = [
    Said(number=ONE, answer=Answer()),
    Said(number=ONE, answer=Answer(position_ppm=-FULL_PPM, stop_price=Ticks(1), state="{}")),
    Said(number=ONE, answer=Answer(orders=(order(limit=5),) * ORDERS_MAX)),
    Said(number=ONE, answer=Answer(error="x" * LENGTH_MAX), lines=("x",) * LINES_MAX),
]
UNSOUND = [
    Said(number=ONE, answer=Answer(position_ppm=FULL_PPM + 1)),
    Said(number=ONE, answer=Answer(position_ppm=-5 * FULL_PPM)),
    Said(number=ONE, answer=Answer(stop_price=Ticks(0))),
    Said(number=ONE, answer=Answer(target_price=Ticks(2**53 + 1))),
    Said(number=ONE, answer=Answer(orders=(order(),) * (ORDERS_MAX + 1))),
    Said(number=ONE, answer=Answer(orders=(order(quantity=0),))),
    Said(number=ONE, answer=Answer(orders=(order(limit=-1),))),
    Said(number=ONE, answer=Answer(state="x" * (STATE_BYTES_MAX + 1))),
    Said(number=ONE, answer=Answer(error="x" * (LENGTH_MAX + 1))),
    Said(number=ONE, answer=Answer(), lines=("x",) * (LINES_MAX + 1)),
    Said(number=ONE, answer=Answer(), lines=("x" * (LENGTH_MAX + 1),)),
]


@pytest.mark.parametrize("said", SOUND)
def test_what_keeps_the_bounds_stays_as_it_is(said: Said) -> None:
    assert is_sound(said)
    assert sound(said) is said


@pytest.mark.parametrize("said", UNSOUND)
def test_what_no_strategy_can_answer_is_an_error_of_that_strategy(said: Said) -> None:
    error = "it answered what no strategy can answer"
    assert not is_sound(said)
    assert sound(said) == Said(number=ONE, answer=Answer(error=error))


@given(st.integers(), st.integers())
def test_what_is_passed_on_is_within_its_bounds(position_ppm: int, stop: int) -> None:
    passed = sound(
        Said(number=ONE, answer=Answer(position_ppm=position_ppm, stop_price=Ticks(stop)))
    )
    assert is_sound(passed)
    assert abs(passed.answer.position_ppm or 0) <= FULL_PPM
