"""One target at a time, and nothing given back before the venue has obeyed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.core.trading.amending import may_want
from tandem.core.trading.state import Attempt, Phase
from tandem.domain.link import Amend
from tandem.domain.venue import AmendCode
from tests.unit.core.trading.desk_driver import SECOND, Floor


def test_what_is_asked_names_account_epoch_price_and_the_whole_quantity() -> None:
    """A7: figures that mean the same however often they come."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s2",))
    (attempt,) = floor.attempts(parent)
    floor.accept(attempt)
    floor.replace(parent, 7)
    assert floor.sent(Amend) == [
        Amend(
            account_id=floor.state.seats["s2"].account_id,
            account_epoch=1,
            client_order_id=attempt.order.client_order_id,
            quantity=7,  # type: ignore[arg-type]
            limit_price=1_000,  # type: ignore[arg-type]
        )
    ]


@pytest.mark.parametrize(
    ("wanted", "sends", "may"), [(None, 0, True), (None, 1, True), (None, 2, False), (5, 1, False)]
)
def test_a_next_target_waits_for_the_last_and_for_all_its_copies(
    wanted: int | None, sends: int, *, may: bool
) -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    attempt.wanted_quantity, attempt.amend_sends = wanted, sends
    assert may_want(attempt) is may


class Venue:
    """All venues in one, judged by their own figures; requests come whenever the test says."""

    def __init__(self, slots: int) -> None:
        self.floor = Floor().open()
        self.parent = self.floor.buy(40, slots=("s1", "s2", "s3")[:slots])
        self.quantity: dict[str, int] = {}
        self.traded: dict[str, int] = {}
        self.asked: list[tuple[str, int]] = []

    def hear(self) -> None:
        """Take what was released, and note what is on its way."""
        for one in self.floor.attempts(self.parent):
            key = one.order.client_order_id
            if key not in self.quantity:
                self.quantity[key], self.traded[key] = one.order.quantity, 0
                self.floor.accept(one)
        for effects in self.floor.told:
            for effect in effects:
                if isinstance(effect.message, Amend):
                    self.asked.append((effect.message.client_order_id, effect.message.quantity))
        self.floor.told.clear()

    def obey(self, at: int) -> None:
        """Take one of the requests that are under way, in any order."""
        key, quantity = self.asked.pop(at)
        attempt = self.floor.state.attempts[key]
        if self.quantity[key] <= self.traded[key] or attempt.is_final:
            self.floor.amend_rejected(attempt, AmendCode.FINAL)
        elif quantity <= self.traded[key]:
            self.floor.amend_rejected(attempt, AmendCode.TRADED)
        else:
            self.quantity[key] = quantity
            self.floor.amended(attempt, quantity)

    def fill(self, attempt: Attempt) -> None:
        key = attempt.order.client_order_id
        if self.traded[key] < self.quantity[key]:
            self.traded[key] += 1
            self.floor.fill(attempt, 1)

    def cancel(self, attempt: Attempt) -> None:
        key = attempt.order.client_order_id
        self.quantity[key] = self.traded[key]
        self.floor.canceled(attempt, self.traded[key])

    def step(self, what: str, number: int) -> None:
        live = [one for one in self.floor.attempts(self.parent) if one.phase is Phase.LIVE]
        if what == "lower":
            self.floor.replace(self.parent, max(1, self.parent.quantity - 1 - number % 8))
        elif what == "ask":
            self.floor.pass_time(SECOND)
        elif what == "amend":
            if self.asked:
                self.obey(number % len(self.asked))
        elif live:
            (self.fill if what == "fill" else self.cancel)(live[number % len(live)])


WHAT = st.sampled_from(["amend", "amend", "amend", "lower", "lower", "ask", "fill", "cancel"])


OLD_COPY = [("lower", 3), ("ask", 0), ("amend", 0), ("lower", 3), ("amend", 1), ("amend", 0)]


@given(st.lists(st.tuples(WHAT, st.integers(0, 40)), max_size=40), st.integers(1, 3))
@example(OLD_COPY, 1)
def test_however_requests_come_late_or_twice_no_venue_holds_more_than_the_parent(
    steps: list[tuple[str, int]], slots: int
) -> None:
    """I1, I9, F9."""
    venue = Venue(slots)
    for what, number in steps:
        venue.hear()
        venue.step(what, number)
        assert sum(venue.quantity.values()) <= venue.parent.quantity
