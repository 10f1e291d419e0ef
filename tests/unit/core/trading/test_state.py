"""What a desk remembers of one attempt."""

import pytest

from tandem.core.trading.state import Attempt, Phase
from tandem.domain.ids import ClientOrderId, InstrumentId, Lots, ParentId, SlotId, Ticks
from tandem.domain.order import Order, Side, TimeInForce


def attempt(phase: Phase, *, cum: int = 0, final_cum: int | None = None) -> Attempt:
    order = Order(
        client_order_id=ClientOrderId("o"),
        instrument_id=InstrumentId("T"),
        side=Side.BUY,
        quantity=Lots(10),
        limit_price=Ticks(1),
        time_in_force=TimeInForce.DAY,
    )
    return Attempt(
        order=order,
        parent_id=ParentId("p"),
        child=0,
        number=1,
        slot_id=SlotId("s"),
        book_id="m:T",
        phase=phase,
        cum_quantity=cum,
        final_cum=final_cum,
    )


@pytest.mark.parametrize("phase", list(Phase))
def test_only_the_last_phase_is_final(phase: Phase) -> None:
    assert attempt(phase).is_final is (phase is Phase.FINAL)


@pytest.mark.parametrize(
    ("cum", "final_cum", "missing"), [(3, None, 0), (3, 5, 2), (5, 5, 0), (6, 5, 0)]
)
def test_what_is_missing_is_what_the_venue_counted_and_nobody_told(
    cum: int, final_cum: int | None, missing: int
) -> None:
    assert attempt(Phase.FINAL, cum=cum, final_cum=final_cum).missing == missing


def test_two_attempts_share_nothing() -> None:
    one, other = attempt(Phase.PLANNED), attempt(Phase.PLANNED)
    one.hops.append("x")  # type: ignore[arg-type]
    one.executions["e"] = 1  # type: ignore[index]
    assert (other.hops, other.executions) == ([], {})
