"""The gate against its judge, a scan of everything reserved."""

import random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.self_trade import Gate
from tandem.domain.ids import ClientOrderId, Ticks
from tandem.domain.order import Side

BOOK = "us:T"


def named(text: str) -> ClientOrderId:
    return ClientOrderId(text)


class Reservation(NamedTuple):
    book_id: str
    side: Side
    price: Ticks | None
    client_order_id: ClientOrderId


class Judge:
    """Every reservation in one list, oldest first."""

    def __init__(self) -> None:
        self.live: list[Reservation] = []

    def all_met(self, book_id: str, side: Side, price: Ticks | None) -> list[ClientOrderId]:
        met = [
            one
            for one in self.live
            if one.book_id == book_id
            and one.side is side.opposite
            and (one.price is None or price is None or (price - one.price) * side.sign >= 0)
        ]
        met.sort(
            key=lambda one: (one.price is not None, (one.price or 0) * side.sign)
        )  # stable: the oldest of equals stays first
        return [one.client_order_id for one in met]


def roundtrip(gate: Gate) -> Gate:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(gate), type=Gate)


def step(gate: Gate, judge: Judge, drawn: random.Random, number: int) -> None:
    """Ask for one random order; then reserve it, or release a random live one."""
    book_id = drawn.choice(["us:T", "us:F", "coins:T"])
    side = drawn.choice(list(Side))
    price = None if drawn.random() < 0.05 else Ticks(drawn.randrange(1, 40))
    met = judge.all_met(book_id, side, price)
    assert gate.all_met(book_id, side, price) == met
    assert gate.first_met(book_id, side, price) == (met[0] if met else None)
    if drawn.random() < 0.5:
        one = Reservation(book_id, side, price, named(f"c-{number}"))
        judge.live.append(one)
        gate.reserve(*one)
    elif judge.live:
        gate.release(*judge.live.pop(drawn.randrange(len(judge.live))))


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(4))
def test_gate_agrees_with_a_scan_of_all_on_random_steps(seed: int) -> None:
    """C1, I4."""
    drawn = random.Random(seed)
    gate, judge = Gate(), Judge()
    for number in range(12_000):
        step(gate, judge, drawn, number)
        if len(judge.live) > 60:
            for _ in range(30):
                gate.release(*judge.live.pop(drawn.randrange(len(judge.live))))
    again = roundtrip(gate)
    assert again == gate
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(gate)


@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_gate_agrees_with_a_scan_of_all(drawn: random.Random, steps: int) -> None:
    """C1, I4."""
    gate, judge = Gate(), Judge()
    for number in range(steps):
        step(gate, judge, drawn, number)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Side)),
            st.one_of(st.none(), st.integers(1, 20)),
            st.booleans(),
        ),
        max_size=80,
    )
)
def test_own_buys_stay_below_own_sells_when_only_unmet_orders_are_reserved(
    asked: list[tuple[Side, int | None, bool]],
) -> None:
    """C1, I4."""
    gate = Gate()
    live: list[Reservation] = []
    for number, (side, steps, ends) in enumerate(asked):
        price = None if steps is None else Ticks(steps)
        if gate.first_met(BOOK, side, price) is None:
            live.append(Reservation(BOOK, side, price, named(f"c-{number}")))
            gate.reserve(*live[-1])
        if ends and live:
            gate.release(*live.pop(0))
        buys = [one.price for one in live if one.side is Side.BUY]
        sells = [one.price for one in live if one.side is Side.SELL]
        for buy in buys:
            for sell in sells:
                assert buy is not None
                assert sell is not None
                assert buy < sell


def test_nothing_is_met_in_a_book_never_used() -> None:
    assert Gate().first_met(BOOK, Side.BUY, None) is None
    assert Gate().all_met(BOOK, Side.SELL, None) == []


def test_equal_prices_meet_and_the_oldest_is_named() -> None:
    gate = Gate()
    gate.reserve(BOOK, Side.SELL, Ticks(11), named("old"))
    gate.reserve(BOOK, Side.SELL, Ticks(11), named("new"))
    gate.reserve(BOOK, Side.SELL, Ticks(12), named("dear"))
    assert gate.first_met(BOOK, Side.BUY, Ticks(10)) is None
    assert gate.first_met(BOOK, Side.BUY, Ticks(11)) == "old"
    assert gate.all_met(BOOK, Side.BUY, Ticks(12)) == ["old", "new", "dear"]


def test_a_reserved_market_order_meets_every_price_and_is_named_first() -> None:
    gate = Gate()
    gate.reserve(BOOK, Side.BUY, Ticks(9), named("cheap"))
    gate.reserve(BOOK, Side.BUY, None, named("any"))
    assert gate.first_met(BOOK, Side.SELL, Ticks(2**53)) == "any"
    assert gate.all_met(BOOK, Side.SELL, Ticks(9)) == ["any", "cheap"]


def test_a_price_is_free_again_only_after_its_last_order_is_released() -> None:
    gate = Gate()
    gate.reserve(BOOK, Side.SELL, Ticks(5), named("a"))
    gate.reserve(BOOK, Side.SELL, Ticks(5), named("b"))
    gate.release(BOOK, Side.SELL, Ticks(5), named("a"))
    assert gate.first_met(BOOK, Side.BUY, Ticks(5)) == "b"
    gate.release(BOOK, Side.SELL, Ticks(5), named("b"))
    assert gate.first_met(BOOK, Side.BUY, None) is None


@pytest.mark.parametrize("price", [None, Ticks(5)])
def test_reserving_one_order_twice_is_our_own_mistake(price: Ticks | None) -> None:
    gate = Gate()
    gate.reserve(BOOK, Side.SELL, price, named("a"))
    with pytest.raises(AssertionError, match="a reserved twice"):
        gate.reserve(BOOK, Side.SELL, price, named("a"))


@pytest.mark.parametrize("price", [None, Ticks(5), Ticks(6)])
def test_releasing_what_is_not_reserved_is_our_own_mistake(price: Ticks | None) -> None:
    gate = Gate()
    gate.reserve(BOOK, Side.SELL, Ticks(5), named("a"))
    with pytest.raises(AssertionError, match="b is not reserved"):
        gate.release(BOOK, Side.SELL, price, named("b"))
