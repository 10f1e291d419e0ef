"""The paper exchange and its naive judge, and that the judge sees what it must."""

from collections import Counter
from collections.abc import Callable

import pytest

from tandem.core.matching import stops
from tandem.core.matching.admission import Admission, Reach
from tandem.core.matching.book import Book, Meeting, Resting
from tandem.core.matching.deadlines import Deadlines
from tandem.core.matching.floor import Floor
from tandem.core.matching.reducing import Foresight, Reducing
from tandem.core.matching.state import AccountState, OrderRecord
from tandem.domain.order import Order
from tests.simulation.judging import (
    Difference,
    Halt,
    Restore,
    difference,
    judge_seeds,
    main,
    shrunk,
    stream,
)

ADD = Book.add
REACH = Admission.reach
MEET_OWN = Book._meet_own


def test_exchange_and_judge_hear_and_hold_the_same_in_every_stream() -> None:
    """C1, I4: all types of orders and all self-match modes, trade by trade and end by end."""
    counts, found = judge_seeds(range(1, 401))
    assert found is None, str(found)
    for what in ("filled", "canceled", "expired", "amended", "amend_rejected", "cancel_rejected"):
        assert counts[what] > 100, what
    assert counts[Restore.__name__] > 50
    assert counts[Halt.__name__] > 50


def _overtakes(self: Book, order: Resting) -> None:
    """A new order stands before the others of its price."""
    ADD(self, order)
    level = (self._bids if order.is_buy else self._asks).levels[
        order.price if order.is_buy else -order.price
    ]
    level.queue.rotate(1)


def _loses_place(self: Book, number: int, *, by: int) -> None:
    """A lower quantity costs the place in the queue."""
    order = self._orders.get(number)
    if order is not None:
        left = order.leaves - by
        self.cancel(number)
        if left:
            ADD(self, Resting(number, order.owner, order.is_buy, order.price, left))


def _goes_on(self: Book, maker: Resting, meetings: list[Meeting], *, taker: Resting) -> bool:
    """The taker goes on where it met its own."""
    MEET_OWN(self, maker, meetings, taker=taker)
    self.cancel(maker.number)
    return True


def _turns_back(record: OrderRecord, price: int) -> bool:
    """A trailing stop follows the price back."""
    assert record.order.trail is not None
    before = record.stop_price
    record.stop_price = price + record.order.side.sign * record.order.trail
    return record.stop_price != before


def _youngest_first(self: Floor) -> None:
    """Of the orders that were reached, the last enters first."""
    while self._reached:
        self._trigger(self._open[self._reached.pop()])


def _cuts_nobody(*_: object) -> list[tuple[int, int]]:
    """Reduce-only orders stay as they are when the position becomes smaller."""
    return []


def _foresees_nothing(self: Foresight, maker: Resting, quantity: int) -> None:
    """A fill-or-kill order counts on lots that will be cut."""


def _ends_nobody(self: Deadlines, market_ns: int) -> list[OrderRecord]:
    """Dated orders live on."""
    return []


def _sees_no_own(self: Admission, account: AccountState, order: Order) -> Reach:
    """Nobody asks whether an own order stands in the way."""
    found = REACH(self, account, order)
    return Reach(quantity=found.quantity, steps=found.steps, meets_own=False)


PLANTED: tuple[tuple[object, str, Callable[..., object]], ...] = (
    (Book, "add", _overtakes),
    (Book, "reduce", _loses_place),
    (Book, "_meet_own", _goes_on),
    (stops, "follow", _turns_back),
    (Floor, "let_in", _youngest_first),
    (Reducing, "surplus", _cuts_nobody),
    (Foresight, "trade", _foresees_nothing),
    (Deadlines, "due", _ends_nobody),
    (Admission, "reach", _sees_no_own),
)


# Seeds that see an error which few others do; they stay.
SEEDS = (3481, *range(1, 1_000))


def first_difference() -> Difference | None:
    for seed in SEEDS:
        found = difference(seed, stream(seed), Counter())
        if found is not None:
            return found
    return None


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: one[2].__name__.lstrip("_"))
def test_a_planted_error_is_seen(
    planted: tuple[object, str, Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*planted)
    assert first_difference() is not None


def test_a_difference_is_shrunk_to_steps_that_are_all_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Book, "add", _overtakes)
    found = first_difference()
    assert found is not None
    small = shrunk(found)
    assert len(small.steps) == 3  # two orders at one price, and one that meets the wrong one
    assert f"seed {small.seed}" in str(small)
    assert str(small).splitlines()[-1].startswith("judge:")


def test_the_campaign_prints_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--streams", "20", "--processes", "1"]) == 0
    assert capsys.readouterr().out.startswith("20 streams, ")
