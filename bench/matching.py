"""How many operations a second the order book does, beside its naive judge.

An operation is an order that comes to rest, one that crosses, or a cancel, over the whole stream;
four owners trade in one book with prevention across all accounts of an owner. Run it with
`python -m bench.matching`.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from tandem.core.matching.book import Book, Resting
from tandem.domain.exchange import SelfMatch
from tests.unit.core.matching.naive_book import NaiveBook, NaiveOrder

OPERATIONS = 200_000
OPERATIONS_NAIVE = 10_000
ROUNDS = 7
OWNERS = 4
OPEN_MAX = 2_000
ENDS_TAKER = (SelfMatch.REJECT, SelfMatch.EXPIRE_TAKER, SelfMatch.EXPIRE_BOTH)


class Operation(NamedTuple):
    """An order, or the cancel of the order of that number."""

    number: int
    is_cancel: bool
    owner: int
    is_buy: bool
    price: int
    quantity: int


class Rate(NamedTuple):
    """Operations a second over several rounds."""

    name: str
    median: float
    lowest: float
    highest: float


def stream(seed: int, *, count: int) -> list[Operation]:
    """Return a seeded stream: half orders that rest, a quarter that cross, a quarter cancels."""
    draw = random.Random(seed)
    operations: list[Operation] = []
    recent: list[int] = []
    for number in range(1, count + 1):
        kind = draw.random()
        if (kind < 0.25 and recent) or len(recent) > OPEN_MAX:
            at = draw.randrange(len(recent))
            recent[at], recent[-1] = recent[-1], recent[at]
            operations.append(Operation(recent.pop(), True, 0, False, 0, 0))
            continue
        is_buy = draw.random() < 0.5
        distance = draw.randint(1, 40) if kind < 0.75 else -draw.randint(1, 5)
        price = 10_000 + (-distance if is_buy else distance)
        owner = draw.randint(1, OWNERS)
        operations.append(Operation(number, False, owner, is_buy, price, draw.randint(1, 100)))
        recent.append(number)
    return operations


def run_book(operations: list[Operation], mode: SelfMatch) -> int:
    """Feed our book; return the number of meetings."""
    book = Book(mode)
    ends_taker = mode in ENDS_TAKER
    count = 0
    for number, is_cancel, owner, is_buy, price, quantity in operations:
        if is_cancel:
            book.cancel(number)
            continue
        order = Resting(number, owner, is_buy, price, quantity)
        meetings = book.match(order)
        count += len(meetings)
        if order.leaves and not (ends_taker and meetings and meetings[-1].is_own):
            book.add(order)
    return count


def run_naive(operations: list[Operation], mode: SelfMatch) -> int:
    """Feed the judge; return the number of meetings."""
    book = NaiveBook(mode)
    count = 0
    for number, is_cancel, owner, is_buy, price, quantity in operations:
        if is_cancel:
            book.cancel(number)
        else:
            order = NaiveOrder(number, owner, is_buy=is_buy, price=price, leaves=quantity)
            count += len(book.submit(order, rests=True))
    return count


def measure(name: str, run: Callable[[list[Operation], SelfMatch], int], *, count: int) -> Rate:
    """Return the rate of `run` over `ROUNDS` streams of `count` operations."""
    rates = []
    for seed in range(ROUNDS):
        operations = stream(seed, count=count)
        gc.collect()
        begin_ns = time.perf_counter_ns()
        run(operations, SelfMatch.EXPIRE_TAKER)
        rates.append(count * 1e9 / (time.perf_counter_ns() - begin_ns))
    return Rate(name, statistics.median(rates), min(rates), max(rates))


def rates() -> list[Rate]:
    """Measure our book and its judge."""
    return [
        measure("matching: our book", run_book, count=OPERATIONS),
        measure("matching: naive judge", run_naive, count=OPERATIONS_NAIVE),
    ]


def main() -> None:
    """Print the rates."""
    for rate in rates():
        print(
            f"{rate.name:<24} {rate.median:>12,.0f} operations/s"
            f"  (from {rate.lowest:,.0f} to {rate.highest:,.0f} in {ROUNDS} rounds)"
        )


if __name__ == "__main__":
    main()
