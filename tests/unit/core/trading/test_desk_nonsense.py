"""Anything in any order: the desk never raises, its books agree, and replay gives the same.

The events are what workers, venues and traders may say, sensible or not: repeated, late, in
contradiction to each other, about orders, slots and symbols that never were.
"""

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.trading.state import Attempt, Phase
from tandem.domain import link
from tandem.domain.commands import (
    CancelOrders,
    ExitRule,
    HaltTrading,
    LegPolicy,
    PlaceBoth,
    PlacePair,
    PlaceParent,
    ResolveOrder,
    ResumeTrading,
    SetUpPool,
    SwapWorker,
)
from tandem.domain.desk import QuotesSeen, RoomChanged
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    SlotId,
    Ticks,
    VenueId,
    VenueOrderId,
)
from tandem.domain.order import FenceClass, OrderStatus, Side, TimeInForce
from tandem.domain.parents import ParentSpec, Rounding, SelfTrade, Split, WhenUnready
from tandem.domain.reports import Accepted, Canceled, Expired, Filled, RejectCode, Rejected
from tandem.domain.venue import (
    Balances,
    CancelCode,
    CancelRejected,
    OrderFound,
    OrderNotFound,
    Quote,
)
from tests.unit.core.trading.desk_driver import (
    SECOND,
    Floor,
    Hand,
    X,
    Y,
    instrument,
    settings_of,
    two_markets,
)

ODD = (0, 1, 2, 3, 5, 10, 40, 100, 999, 1_000, 1_001, -1, -(2**63), 2**53, 2**63, 2**64 - 1)
SMALL = (1, 2, 3, 5, 10, 40)
MONEY = ("0", "0.01", "-3", "NaN", "Infinity", "-Infinity", "1E+400", "1E-400", "sNaN")
WAITS = (0, 1, 1_000_000, SECOND // 10, SECOND // 2, SECOND, 3 * SECOND, 40 * SECOND)

COUNTED = ("clearings", "refused_self_trade", "takeovers", "fills", "venue_refused_funds")

Numbers = tuple[int, int, int, int]
Step = tuple[int, Numbers]


def pick(choices: Any, number: int) -> Any:
    return choices[number % len(choices)]


class Chaos:
    """Turns numbers into events."""

    def __init__(self, floor: Floor, *, is_sane: bool = False) -> None:
        self.floor = floor
        self.amounts = SMALL if is_sane else ODD
        self.money = MONEY[:3] if is_sane else MONEY
        self.steps: tuple[Callable[[Numbers], None], ...] = (
            self.place,
            self.place,
            self.report,
            self.report,
            self.report,
            self.report,
            self.answer,
            self.answer,
            self.wait,
            self.wait,
            self.person,
            self.worker,
            self.worker,
            self.both,
            self.pair,
            self.world,
        )

    def do(self, step: Step) -> None:
        pick(self.steps, step[0])(step[1])

    def attempt(self, number: int) -> Attempt | None:
        known = list(self.floor.state.attempts.values())
        return pick(known[-12:], number) if known else None

    def key(self, number: int) -> ClientOrderId:
        attempt = self.attempt(number)
        return ClientOrderId("nobody") if attempt is None else attempt.order.client_order_id

    def hand(self, number: int) -> Hand:
        return pick(self.floor.all_hands(), number)  # type: ignore[no-any-return]

    def amount(self, number: int) -> int:
        return pick(self.amounts, number)  # type: ignore[no-any-return]

    def slots(self, number: int) -> tuple[SlotId, ...]:
        known = [*self.floor.state.seats, SlotId("nowhere")]
        return tuple(one for at, one in enumerate(known) if number >> at & 1)

    def place(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        price = None if a % 7 == 0 else 995 + b % 11
        spec = ParentSpec(
            symbol=pick(("T", "T", "T", "U", "?"), a),
            side=pick(tuple(Side), b),
            quantity=Lots(self.amount(c)),
            limit_price=None if price is None else Ticks(price),
            time_in_force=pick(tuple(TimeInForce), d),
            post_only=c % 13 == 0,
            slots=() if d % 2 else self.slots(a),
            split=pick(tuple(Split), c + d),
            rounding=Rounding(min_percent=50, max_percent=pick((150, 100, 99, -1), d)),
            when_unready=pick(tuple(WhenUnready), a + b),
            self_trade=pick(tuple(SelfTrade), a + c),
        )
        self.floor.command(PlaceParent(spec=spec))

    def report(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        key = self.key(a)
        attempt = self.attempt(a)
        hand = self.hand(d)
        if attempt is not None and d % 4:
            hand = self.floor.hands.get(self.floor.state.seats[attempt.slot_id].holder, hand)
        quantity = Lots(self.amount(c))
        kinds: tuple[link.WorkerReport, ...] = (
            Accepted(client_order_id=key, venue_order_id=VenueOrderId("v")),
            Accepted(client_order_id=key, venue_order_id=VenueOrderId("v")),
            Filled(
                client_order_id=key,
                execution_id=ExecutionId(f"{key}/{d % 5}"),
                quantity=quantity,
                price=Ticks(1_000 if c % 3 else self.amount(d)),
                fee=Decimal(pick(self.money, c)),
                venue_at_ns=0,
            ),
            self.whole_fill(attempt, key),
            Canceled(client_order_id=key, cum_quantity=quantity),
            Canceled(
                client_order_id=key,
                cum_quantity=Lots(0 if attempt is None else attempt.cum_quantity),
            ),
            Expired(client_order_id=key, cum_quantity=quantity),
            Rejected(client_order_id=key, code=pick(tuple(RejectCode), c)),
            CancelRejected(client_order_id=key, code=pick(tuple(CancelCode), c)),
            link.NotSent(client_order_id=key, reason=pick(tuple(link.NotSentReason), c)),
            link.TimedOut(client_order_id=key),
        )
        hand.report(pick(kinds, b), pick((None, 1, 2), c))

    def whole_fill(self, attempt: Attempt | None, key: ClientOrderId) -> Filled:
        left = 1 if attempt is None else attempt.order.quantity - attempt.cum_quantity
        return Filled(
            client_order_id=key,
            execution_id=ExecutionId(f"{key}/whole"),
            quantity=Lots(left),
            price=Ticks(1_000),
            fee=Decimal(0),
            venue_at_ns=0,
        )

    def answer(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        attempt = self.attempt(a)
        key = self.key(a)
        number = d % 9
        if attempt is not None and attempt.query_id is not None and d % 5:
            number = attempt.query_id
        quantity = Lots(self.amount(c))
        fills = (self.whole_fill(attempt, key),) if b % 3 == 0 else ()
        answers = (
            OrderNotFound(query_id=number, client_order_id=key),
            OrderFound(
                query_id=number,
                client_order_id=key,
                status=pick(tuple(OrderStatus), b),
                cum_quantity=quantity,
                fills=fills,
            ),
            OrderFound(
                query_id=number,
                client_order_id=key,
                status=pick(tuple(OrderStatus), c),
                cum_quantity=Lots(sum(one.quantity for one in fills)),
                fills=fills,
            ),
        )
        hand = self.hand(c)
        hand.say(link.Answered(account_id=AccountId("A1"), answer=pick(answers, a + b)))

    def wait(self, numbers: Numbers) -> None:
        self.floor.pass_time(pick(WAITS, numbers[0]))

    def person(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        known: list[str] = [
            *self.floor.state.parents,
            *self.floor.state.boths,
            *self.floor.state.pairs,
            "nothing",
        ]
        commands = (
            CancelOrders(order_id=pick(known[-6:], b)),
            CancelOrders(order_id=pick(known[-6:], b)),
            CancelOrders(order_id=None),
            HaltTrading(reason="why not"),
            ResumeTrading(),
            ResumeTrading(),
            SwapWorker(slot_id=pick((*self.floor.state.seats, SlotId("nowhere")), c)),
            ResolveOrder(
                client_order_id=self.key(b),
                lived=bool(c % 2),
                cum_quantity=Lots(self.amount(d)),
                price=pick((None, Ticks(1_000), Ticks(self.amount(c))), d),
                fee=Decimal(pick(self.money, d)),
            ),
        )
        self.floor.command(pick(commands, a), f"again{b % 3}" if d % 6 == 0 else None)

    def worker(self, numbers: Numbers) -> None:  # noqa: C901 - one line a kind
        a, b, c, d = numbers
        hand = self.hand(b)
        if a % 12 == 0:
            hand.die()
            self.floor.spare(f"w{len(self.floor.hands) + 1}")
        elif a % 12 == 1:
            hand.lose(None if c % 3 else d)
        elif a % 12 in (2, 3, 4):
            for attempt in self.floor.state.attempts.values():
                if hand.incarnation in attempt.handed_to and c % 3:
                    hand.seen[attempt.order.client_order_id] = link.Progress.SENT
            hand.join(ready=bool(c % 2), seen_all=bool(d % 4), seen=bool(c % 3))
        elif a % 12 == 9:
            hand.silent()
        elif a % 12 == 10:
            hand.configured("?" if c % 2 else None)
        elif a % 12 == 11:
            odd = pick((0, SECOND // 10, -SECOND, 2**63, -(2**63)), c)
            vague = pick((0, SECOND, -1), d)
            hand.clock(self.floor.offset_ns + odd, vague, VenueId(pick(("X", "X", "?"), d)))
        elif hand.account_id is not None:
            if a % 12 == 8:
                hand.not_ready()
            else:
                hand.ready(account_epoch=hand.account_epoch + (c % 7 == 0))

    def both(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        self.floor.command(
            PlaceBoth(
                symbol=pick(("T", "U", "?"), a),
                quantity=Lots(pick(SMALL, b)),
                buy_price=Ticks(995 + a % 6),
                sell_price=Ticks(1_000 + b % 6),
                slots=self.slots(c) if c % 2 else (),
                inventory_limit=Lots(self.amount(d)),
                refreshes=d % 3,
                lifetime_ns=pick((*WAITS[2:], 0, 2**64 - 1), c),
                exit_rule=pick(tuple(ExitRule), c + d),
            )
        )

    def pair(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        known = tuple(self.floor.state.seats)
        self.floor.command(
            PlacePair(
                buy_symbol="T",
                sell_symbol=pick(("T", "U", "?"), a),
                buy_price=Ticks(998 + a % 5),
                sell_price=Ticks(998 + b % 5),
                slice_quantity=Lots(self.amount(c)),
                slices=pick((1, 2, 3, 0, -1), d),
                buy_slots=known[:2] if b % 5 else (),
                sell_slots=known[2:] if b % 7 else known,
                policy=pick(tuple(LegPolicy), a + d),
                slice_ns=pick((SECOND, 5 * SECOND, 0, 2**64 - 1), c),
                policy_ns=pick((SECOND, 5 * SECOND, -1, 2**64 - 1), d),
            )
        )

    def world(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        if a % 6 == 0:
            self.floor.restart()
        elif a % 6 == 1:
            self.floor.on(RoomChanged(short=bool(b % 2)))
        elif a % 6 == 2:
            self.floor.command(SetUpPool(workers=self.amount(b)))
        elif a % 6 == 3:
            quote = Quote(
                instrument_id=InstrumentId(pick(("T@X", "?@X"), b)),
                bid=pick((None, Ticks(self.amount(c))), b),
                ask=pick((None, Ticks(self.amount(d))), c),
                last=pick((None, Ticks(self.amount(b))), d),
            )
            self.floor.on(QuotesSeen(quotes=(quote,)))
        elif a % 6 == 4:
            self.floor.quote(1_000 + b % 3)
        else:
            hand = self.hand(b)
            if hand.account_id is not None:
                odd = Balances(
                    query_id=c,
                    cash={"USD": Decimal(pick(self.money, c)), "": Decimal(1)},
                    positions={InstrumentId("T@X"): self.amount(d), InstrumentId("?"): 1},
                )
                hand.ready(balances=odd)


number = st.integers(0, 255)
steps = st.lists(
    st.tuples(number, st.tuples(number, number, number, number)), min_size=10, max_size=60
)


@given(st.sampled_from(list(FenceClass)), steps)
@settings(max_examples=150)
def test_nothing_that_is_said_makes_a_desk_raise_or_its_books_disagree(
    fence_class: FenceClass, chosen: list[Step]
) -> None:
    """I1 I4 I6 I9 I11 F9: after each event, and by replay of all of them."""
    floor = Floor(settings_of(fence_class=fence_class, finished_max=3)).open()
    floor.spare()
    chaos = Chaos(floor)
    for step in chosen:
        chaos.do(step)
    floor.replay()


@given(st.sampled_from(list(FenceClass)), steps)
@settings(max_examples=100)
def test_nothing_that_is_said_makes_two_markets_raise_or_their_books_disagree(
    fence_class: FenceClass, chosen: list[Step]
) -> None:
    """I1 I4 I6 I9 I11 F9: the same with pairs on two markets, and quantities that may be."""
    floor = Floor(two_markets(fence_class=fence_class)).open()
    chaos = Chaos(floor, is_sane=True)
    for step in chosen:
        chaos.do(step)
    floor.replay()


@given(st.sampled_from(list(FenceClass)), steps)
@settings(max_examples=100)
def test_nothing_that_is_said_makes_one_market_over_two_venues_raise_or_its_books_disagree(
    fence_class: FenceClass, chosen: list[Step]
) -> None:
    """C1 I1 I4 I6 I9 I11 F9: own orders of both venues can meet, and never do."""
    instruments = (instrument("T", X, "m"), instrument("T", Y, "m"))
    floor = Floor(two_markets(fence_class=fence_class, instruments=instruments)).open()
    chaos = Chaos(floor, is_sane=True)
    for step in chosen:
        chaos.do(step)
    floor.replay()


@pytest.mark.no_cover
def test_own_orders_never_meet_over_accounts_venues_takeovers_and_restarts() -> None:
    """C1 I4: judged by looking at every order that may be at a venue, after every event."""
    instruments = (instrument("T", X, "m"), instrument("T", Y, "m"))
    steps_ = (_order, _order, _order, _report, _report, _report, _disturb)
    counted: Counter[str] = Counter()
    for seed in range(12):
        draws = random.Random(seed)
        floor = Floor(two_markets(instruments=instruments), is_checked=False).open()
        for _ in range(250):
            draws.choice(steps_)(floor, draws)
            assert _reach(floor, Side.BUY) < _reach(floor, Side.SELL)
        counted.update({name: floor.counted(name) for name in COUNTED})
    assert counted["clearings"] > 20
    assert counted["refused_self_trade"] > 20
    assert counted["takeovers"] > 20
    assert counted["fills"] + counted["venue_refused_funds"] > 100


def _order(floor: Floor, draws: random.Random) -> None:
    price = draws.randint(990, 1_010) if draws.random() < 0.9 else None
    side, manner = draws.choice(list(Side)), draws.choice(list(SelfTrade))
    floor.place(side, draws.randint(1, 20), price, self_trade=manner)


def _report(floor: Floor, draws: random.Random) -> None:
    out = [one for one in floor.attempts() if one.phase not in (Phase.PLANNED, Phase.FINAL)]
    attempt = draws.choice(out) if out else None
    if attempt is None or floor.state.seats[attempt.slot_id].holder is None:
        return
    words: list[Callable[[], object]] = [
        lambda: floor.accept(attempt),
        lambda: floor.fill(attempt, attempt.order.quantity - attempt.cum_quantity),
        lambda: floor.canceled(attempt),
        lambda: floor.rejected(attempt),
        lambda: floor.timed_out(attempt),
    ]
    draws.choice(words)()


def _disturb(floor: Floor, draws: random.Random) -> None:
    chance = draws.random()
    if chance < 0.7:
        floor.pass_time(draws.randint(0, SECOND))
    elif chance < 0.9:
        draws.choice([one for one in floor.all_hands() if one.account_id is not None]).die()
        floor.spare(f"w{len(floor.hands) + 1}")
    else:
        floor.restart()
    for hand in floor.all_hands():
        if hand.incarnation in floor.state.workers:
            if not floor.state.workers[hand.incarnation].up:
                hand.seen = dict.fromkeys(floor.state.attempts, link.Progress.SENT)
                hand.join()
            if hand.account_id is not None:
                hand.ready()


def _reach(floor: Floor, side: Side) -> int:
    """Return how far orders of that side that may be at a venue reach towards the other."""
    far = 10**9 * side.sign
    prices = [
        far if one.order.limit_price is None else int(one.order.limit_price)
        for one in floor.attempts()
        if one.order.side is side and one.phase not in (Phase.PLANNED, Phase.FINAL)
    ]
    return max(prices, default=-2 * far) if side is Side.BUY else min(prices, default=-2 * far)
