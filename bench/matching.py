"""How many operations a second the order book does, beside naive judges, and the whole exchange.

An operation is an order that comes to rest, one that crosses, or a cancel, over the whole stream;
four owners trade in one book with prevention across all accounts of an owner. Beside the book,
with integers in and meetings out: its judge, by scanning lists; the whole exchange as an actor,
with checks, money, fees, reports and two accounts for each owner; and the judge of that. Nothing
waits here, so a second is one of the processor's, whatever else runs on this computer. Run it
with `python -m bench.matching`.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeVar

from tandem.core.matching import listing
from tandem.core.matching.book import Book, Resting
from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import (
    AccountSettings,
    ExchangeSettings,
    Requested,
    SelfMatch,
    SessionOpened,
)
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.venue import CancelOrder, Login, PlaceOrder
from tests.simulation.naive_judge import Asked, NaiveJudge
from tests.unit.core.matching.naive_book import NaiveBook, NaiveOrder

OPERATIONS = 200_000
OPERATIONS_NAIVE = 10_000
OPERATIONS_JUDGED = 1_000
ROUNDS = 7
OWNERS = 4
OPEN_MAX = 2_000
SHARE = InstrumentId("paper:F")
ENDS_TAKER = (SelfMatch.REJECT, SelfMatch.EXPIRE_TAKER, SelfMatch.EXPIRE_BOTH)

Fed = TypeVar("Fed")


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


def requests(operations: list[Operation]) -> list[Requested]:
    """Return the same stream as an exchange is asked it; an owner's accounts take turns."""
    placed: dict[int, int] = {}
    asked = []
    for number, is_cancel, owner, is_buy, price, quantity in operations:
        request: PlaceOrder | CancelOrder
        if is_cancel:
            request = CancelOrder(client_order_id=ClientOrderId(str(number)))
        else:
            placed[number] = 2 * owner - number % 2
            request = PlaceOrder(order=_order(number, is_buy, price, quantity))
        asked.append(Requested(session=placed[number], request=request))
    return asked


def _order(number: int, is_buy: bool, price: int, quantity: int) -> Order:
    return Order(
        client_order_id=ClientOrderId(str(number)),
        instrument_id=SHARE,
        side=Side.BUY if is_buy else Side.SELL,
        quantity=Lots(quantity),
        limit_price=Ticks(price),
        time_in_force=TimeInForce.GOOD_TILL_CANCEL,
    )


def run_exchange(asked: list[Requested], mode: SelfMatch) -> int:
    """Feed a whole exchange; return the number of its effects."""
    exchange = Exchange(_settings(mode))
    for session in range(1, 2 * OWNERS + 1):
        login = Login(account_id=AccountId(f"A{session}"), secret="")
        for event in (SessionOpened(session=session), Requested(session=session, request=login)):
            exchange.on(event, Instant(1, 1))
    count = 0
    for at_ns, one in enumerate(asked, start=2):
        count += len(exchange.on(one, Instant(at_ns, at_ns)))
    return count


def _settings(mode: SelfMatch) -> ExchangeSettings:
    listed = next(one for one in listing.instruments() if one.instrument_id == SHARE)
    accounts = tuple(
        AccountSettings(
            account_id=AccountId(f"A{number}"),
            secret="",
            owner=f"owner {(number + 1) // 2}",
            cash={"USD": Decimal(10) ** 15},
            positions={SHARE: 0},
            may_short=True,
        )
        for number in range(1, 2 * OWNERS + 1)
    )
    return ExchangeSettings(
        venue_id=listing.PAPER, instruments=(listed,), accounts=accounts, self_match=mode
    )


def run_judge(operations: list[Operation], mode: SelfMatch) -> int:
    """Feed the judge of the whole exchange; return the number of its words."""
    owners = {f"A{number}": f"owner {(number + 1) // 2}" for number in range(1, 2 * OWNERS + 1)}
    judge = NaiveJudge(mode.value, owners, dict.fromkeys(owners, 0))
    account: dict[int, str] = {}
    for number, is_cancel, owner, is_buy, price, quantity in operations:
        if is_cancel:
            judge.cancel(account[number], str(number))
        else:
            account[number] = f"A{2 * owner - number % 2}"
            judge.place(Asked(account[number], str(number), is_buy, quantity, price, "gtc"))
    return len(judge.take_news())


def measure(
    name: str,
    run: Callable[[list[Fed], SelfMatch], int],
    *,
    count: int,
    made: Callable[[list[Operation]], list[Fed]],
) -> Rate:
    """Return the rate of `run` over `ROUNDS` streams of `count` operations, `made` beforehand."""
    rates = []
    for seed in range(ROUNDS):
        operations = made(stream(seed, count=count))
        gc.collect()
        begin_ns = time.process_time_ns()
        run(operations, SelfMatch.EXPIRE_TAKER)
        rates.append(count * 1e9 / (time.process_time_ns() - begin_ns))
    return Rate(name, statistics.median(rates), min(rates), max(rates))


def as_they_are(operations: list[Operation]) -> list[Operation]:
    """Return the stream itself."""
    return operations


def rates() -> list[Rate]:
    """Measure our book, the whole exchange, and the judges of both."""
    return [
        measure("our book", run_book, count=OPERATIONS, made=as_they_are),
        measure("naive judge of it", run_naive, count=OPERATIONS_NAIVE, made=as_they_are),
        measure("whole exchange", run_exchange, count=OPERATIONS // 4, made=requests),
        measure("naive judge of it", run_judge, count=OPERATIONS_JUDGED, made=as_they_are),
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
