"""A decider and a desk that hear each other: what a strategy answers is what is held in the end."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tandem.domain.commands import SetTargets, TargetsTaken
from tandem.domain.deciding import CommandSettled, FeedJudged, Send, TargetsDropped
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import FULL_PPM, AssignmentId, DroppedTarget, WantedOrder
from tandem.domain.venue import Quote
from tests.unit.core.deciding.bench import COIN, MINUTE_NS, NOON_NS, Bench, entry, final, said
from tests.unit.core.trading.strategy_floor import MINUTE, strategy_floor

BUY = WantedOrder(side=Side.BUY, quantity=Lots(5))
RESTS = WantedOrder(side=Side.BUY, quantity=Lots(3), limit_price=Ticks(900))
REFUSED = WantedOrder(side=Side.SELL, quantity=Lots(500))  # more than it holds
STOP: dict[str, Any] = {"stop_price": Ticks(985)}


class Both:
    """One assignment; a bar a minute."""

    def __init__(self) -> None:
        self.floor = strategy_floor()
        self.floor.assign()
        self.bench = Bench(entry())
        self.number = 0
        self.shift_ns = self.floor.now.market_ns - NOON_NS - MINUTE_NS

    def bar(
        self, position_ppm: int | None = None, *, is_quoted: bool = True, **answer: Any
    ) -> None:
        """Let a bar end, and the strategy answer so."""
        self.number += 1
        self.floor.pass_time(MINUTE)
        if is_quoted:
            self.floor.quote()
        self.bench.bars(final(self.number))
        self.bench.answer(self.bench.task, said(0, position_ppm, **answer))
        self._carry()

    def stale(self, *, is_stale: bool) -> None:
        self.bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=is_stale))
        self._carry()

    def tell_drops(self) -> None:
        """Let the decider hear what the desk has given up."""
        one = self.floor.assigned()
        if one.dropped_at:
            dropped = DroppedTarget(
                assignment_id=AssignmentId("a"),
                number=one.number,
                end_ns=one.position_end_ns,
                why=one.dropped_why,
                is_expired=one.is_expired,
            )
            self.bench.on(TargetsDropped(dropped=self._back((dropped,))))
            self._carry()

    def trade_nothing(self) -> None:
        for attempt in self.floor.out():
            self.floor.accept(attempt)
            self.floor.canceled(attempt)

    def fall(self) -> None:
        """Let the market fall, and what that sells trade."""
        quote = Quote(
            instrument_id=InstrumentId("T@X"), bid=Ticks(978), ask=Ticks(980), last=Ticks(979)
        )
        self.floor.on(QuotesSeen(quotes=(quote,)))
        self.floor.fill_all(979)

    def _carry(self) -> None:
        sent: list[Send] = list(self.bench.sent)
        while sent:
            send = sent.pop(0)
            assert isinstance(send.command, SetTargets)
            number = self.floor.assigned().number
            targets = tuple(
                msgspec.structs.replace(
                    one,
                    number=number,
                    begin_ns=one.begin_ns + self.shift_ns,
                    end_ns=one.end_ns + self.shift_ns,
                )
                for one in send.command.targets
            )
            taken = self.floor.ask(SetTargets(targets=targets))
            assert isinstance(taken, TargetsTaken)
            settled = CommandSettled(
                command_id=send.command_id, refusal=None, dropped=self._back(taken.dropped)
            )
            self.bench.on(settled)
            sent += self.bench.sent

    def _back(self, dropped: Iterable[DroppedTarget]) -> tuple[DroppedTarget, ...]:
        return tuple(
            msgspec.structs.replace(one, number=1, end_ns=one.end_ns - self.shift_ns)
            for one in dropped
        )


def test_flat_after_orders_alone_sells_what_they_bought_each_time() -> None:
    """B25."""
    both = Both()
    for _ in range(3):
        both.bar(orders=(BUY,))
        both.floor.fill_all()
        assert both.floor.held() == 5
        both.bar()
        assert (both.floor.out(), both.floor.held()) == ([], 5)
        both.bar(0)
        both.floor.fill_all()
        assert both.floor.held() == 0
        both.bar(0)
        assert both.floor.out() == []


def test_flat_after_orders_alone_is_not_lost_while_prices_are_stale() -> None:
    """B25 B26."""
    both = Both()
    both.bar(0)
    both.bar(orders=(BUY,))
    both.floor.fill_all()
    both.stale(is_stale=True)
    both.bar(0)
    assert both.floor.held() == 5
    both.stale(is_stale=False)
    both.floor.fill_all()
    assert both.floor.held() == 0


def test_a_way_out_that_was_not_told_outlives_orders_that_were_not() -> None:
    """B25 B26."""
    both = Both()
    both.bar(FULL_PPM)
    both.floor.fill_all()
    both.stale(is_stale=True)
    both.bar(0)
    both.bar(orders=(RESTS,))
    both.stale(is_stale=False)
    both.floor.fill_all()
    assert both.floor.held() == 0


def test_a_way_out_that_nobody_trades_with_outlives_orders_that_are_refused() -> None:
    """B22 B25 B26."""
    both = Both()
    both.bar(FULL_PPM)
    both.floor.fill_all()
    both.bar(0)
    both.trade_nothing()
    both.bar(orders=(REFUSED,), is_quoted=False)
    both.trade_nothing()
    for _ in range(3):
        both.tell_drops()
        both.bar()
    both.floor.fill_all()
    assert both.floor.held() == 0


def test_what_was_stopped_enters_no_more_after_orders_that_never_were() -> None:
    """B25: neither refused ones, nor such as were not told."""
    for is_stale in (False, True):
        both = Both()
        both.bar(FULL_PPM, **STOP)
        both.floor.fill_all()
        both.fall()
        both.bar(FULL_PPM, **STOP)
        both.stale(is_stale=is_stale)
        both.bar(orders=(REFUSED,))
        both.stale(is_stale=False)
        both.bar(FULL_PPM, **STOP)
        assert (both.floor.out(), both.floor.held()) == ([], 0)


def test_orders_that_were_not_told_cancel_none_that_rest() -> None:
    """B25."""
    both = Both()
    both.bar(FULL_PPM, orders=(RESTS,))
    both.floor.accept(both.floor.out()[0])
    both.stale(is_stale=True)
    both.bar(orders=(RESTS,))
    both.stale(is_stale=False)
    both.bar(FULL_PPM)
    assert not any(one.cancel_wanted for one in both.floor.out())


def test_the_same_position_after_orders_alone_takes_back_what_rests_of_them() -> None:
    """B25: it is another wish since."""
    both = Both()
    both.bar(FULL_PPM)
    both.floor.fill_all()
    both.bar(orders=(RESTS,))
    (rests,) = both.floor.out()
    both.floor.accept(rests)
    both.bar(FULL_PPM)
    assert rests.cancel_wanted
