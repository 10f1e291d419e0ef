"""Audits: what is asked when, and what is believed of the answers."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.trading.state import Phase
from tandem.domain import link
from tandem.domain.commands import ExplainExternal
from tandem.domain.desk import DeskSettings, Timings
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    Ticks,
    VenueOrderId,
)
from tandem.domain.limits import LOTS_MAX
from tandem.domain.order import FenceClass, Order, Side, TimeInForce
from tandem.domain.reports import Accepted, Filled
from tandem.domain.venue import Balances, OpenOrder
from tests.unit.core.trading.desk_driver import (
    MS,
    SECOND,
    Floor,
    Hand,
    fill_of,
    settings_of,
)
from tests.unit.core.trading.outside import Account, T, U, opened, reasons
from tests.unit.core.trading.test_desk_nonsense import Chaos, Numbers, Step, pick, steps

BUY, SELL = Side.BUY, Side.SELL


def asked(floor: Floor) -> list[link.Audit]:
    """Return every audit that was asked so far."""
    return [
        one.message for event in floor.told for one in event if isinstance(one.message, link.Audit)
    ]


# -- when


def test_every_account_is_audited_soon_after_it_opens_and_every_ten_seconds() -> None:
    """F23: the stream may drop whatever it likes."""
    floor = Floor().open()
    assert asked(floor) == []
    floor.pass_time(SECOND)
    assert [one.account_id for one in asked(floor)] == ["A1", "A2", "A3", "A4"]
    assert {one.cursor for one in asked(floor)} == {None}
    floor.pass_time(9 * SECOND)
    assert len(asked(floor)) == 8
    floor.pass_time(10 * SECOND)
    assert len(asked(floor)) == 12
    assert len({one.query_id for one in asked(floor)}) == 12


def test_a_seat_that_is_not_ready_is_not_asked_and_soon_when_it_is() -> None:
    floor, account = opened()
    account.hand.not_ready()
    floor.pass_time(20 * SECOND)
    assert not account.is_asked
    floor.spare()
    account.hand.die()
    account.hand.ready()
    floor.pass_time(SECOND)
    assert account.is_asked


def test_a_reading_of_an_account_that_is_ready_anyway_hastens_nothing() -> None:
    floor, account = opened()
    account.hand.ready()
    floor.pass_time(2 * SECOND)
    assert not account.is_asked


def test_words_of_a_worker_without_a_seat_are_about_no_account() -> None:
    floor, account = opened()
    spare = floor.spare()
    spare.report(Accepted(client_order_id=ClientOrderId("?"), venue_order_id=VenueOrderId("v")))
    ready = link.Ready(
        account_id=AccountId("A1"), account_epoch=9, balances=floor.balances(AccountId("A1"))
    )
    spare.say(ready)
    late = floor.counted("answers_late")
    spare.say(link.Answered(account_id=AccountId("A1"), answer=link.Audited(query_id=1, cursor=0)))
    assert floor.counted("answers_late") == late + 1
    floor.pass_time(2 * SECOND)
    assert not account.is_asked


def test_a_report_of_an_order_that_we_do_not_have_hastens_the_audit() -> None:
    """F24: so an outside trade is found within a second where its venue's stream tells of it."""
    floor, account = opened()
    floor.pass_time(2 * SECOND)
    account.hand.report(
        Accepted(client_order_id=ClientOrderId("x"), venue_order_id=VenueOrderId("v"))
    )
    account.hand.report(
        Accepted(client_order_id=ClientOrderId("x"), venue_order_id=VenueOrderId("v"))
    )
    floor.pass_time(SECOND)
    assert account.is_asked
    assert len(asked(floor)) == 5


def test_an_audit_that_was_to_come_soon_is_not_repeated_after_the_regular_one() -> None:
    floor, account = opened()
    floor.pass_time(9 * SECOND)
    told = Accepted(client_order_id=ClientOrderId("x"), venue_order_id=VenueOrderId("v"))
    floor.desk.state.seats[account.seat.slot_id].audit.asked_at_ns = floor.now_ns
    floor.look_away()
    account.hand.report(told)
    floor.pass_time(2 * SECOND)
    assert len(asked(floor)) == 8


def test_a_restart_audits_anew_with_the_cursor_that_was_reached() -> None:
    """F19: an answer to the question of an earlier life is too late."""
    floor, account = opened()
    account.trade(BUY, 1)
    account.look()
    floor.pass_time(10 * SECOND)
    assert account.is_asked
    query_id = account.seat.audit.query_id
    floor.restart()
    assert not account.is_asked
    for hand in floor.all_hands():
        hand.join(ready=True)
        hand.clock(floor.offset_ns)
    account.say(link.Audited(query_id=query_id, cursor=77))
    assert account.seat.audit.cursor == 1
    account.look()
    assert account.seat.audit.cursor == 1
    floor.replay()


def test_a_restart_before_any_account_opened_waits_for_nothing() -> None:
    floor = Floor()
    floor.restart()
    assert floor.desk.next_due_ns is None


def test_an_answer_of_an_earlier_holder_or_to_an_earlier_audit_is_too_late() -> None:
    """F9."""
    floor, account = opened()
    floor.pass_time(10 * SECOND)
    query_id = account.seat.audit.query_id
    account.trade(BUY, 1)
    floor.pass_time(10 * SECOND)
    account.reply(query_id=query_id)
    assert floor.counted("external_fills") == 0
    other = floor.at("s2")
    told = link.Audited(query_id=account.seat.audit.query_id, cursor=1)
    other.say(link.Answered(account_id=AccountId("A1"), answer=told))
    assert account.is_asked
    account.reply()
    assert floor.counted("external_fills") == 1


def test_an_audit_with_nothing_new_is_answered_in_one_word() -> None:
    floor, account = opened()
    assert account.known == b""
    account.look()
    assert floor.counted("audits_alike") == 1
    assert len(msgspec.msgpack.encode(floor.log[-1][0])) < 120
    floor.fill(floor.attempts(floor.buy(1, slots=("s1",)))[0], 1)
    floor.pass_time(10 * SECOND)
    assert account.known == b"", "our books have changed since"


def test_more_executions_than_one_message_holds_are_asked_for_at_once() -> None:
    floor, account = opened()
    for number in range(link.EXECUTIONS_TOLD_MAX + 5):
        account.trade(BUY if number % 2 else SELL, 1)
    account.look()
    assert account.is_asked
    assert floor.counted("external_fills") == link.EXECUTIONS_TOLD_MAX
    account.reply()
    assert floor.counted("external_fills") == link.EXECUTIONS_TOLD_MAX + 5
    assert floor.state.ledger.cash(AccountId("A1"), "USD") == account.cash["USD"]


def test_the_time_between_audits_must_be_above_zero() -> None:
    with pytest.raises(Exception, match="reconcile_ns"):
        Timings(reconcile_ns=0)


# -- what is ours


def test_a_fill_that_the_stream_dropped_is_found_and_booked_once() -> None:
    """F23 I5: and ends its order."""
    floor, account = opened()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.accept(attempt)
    fill = fill_of(attempt, 10, "e1")
    account.execute(fill, BUY)
    account.look()
    assert attempt.phase is Phase.FINAL
    assert parent.filled == 10
    assert floor.counted("fills_by_audit") == 1
    account.hand.report(fill)
    account.look()
    assert parent.filled == 10
    assert account.seat.external.unexplained == {}


def test_an_execution_that_is_listed_before_its_report_is_ours() -> None:
    floor, account = opened()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    account.execute(fill_of(attempt, 4, "e1"), BUY)
    account.rest(attempt)
    account.look()
    assert attempt.cum_quantity == 4
    assert attempt.phase is Phase.LIVE
    assert account.seat.external.orders == {}


def test_an_order_of_ours_that_is_listed_while_it_is_under_way_is_not_external() -> None:
    floor, account = opened()
    floor.pass_time(10 * SECOND)
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    account.rest(attempt)
    account.reply()
    assert account.seat.external.orders == {}
    assert account.seat.blocked == {}


def test_what_is_told_of_an_order_before_its_release_is_not_believed() -> None:
    floor, account = opened()
    floor.at("s2").not_ready()
    attempt = floor.attempts(floor.buy(10, slots=("s1", "s2")))[0]
    assert attempt.phase is Phase.PLANNED
    account.execute(fill_of(attempt, 4, "e1"), BUY)
    account.rest(attempt)
    floor.pass_time(600 * MS)
    floor.desk.state.seats[account.seat.slot_id].audit.soon_ns = None
    account.hand.report(
        Accepted(client_order_id=ClientOrderId("x"), venue_order_id=VenueOrderId("v"))
    )
    floor.pass_time(SECOND)
    account.reply()
    assert attempt.cum_quantity == 0
    assert floor.counted("reports_before_release") == 1


@pytest.mark.parametrize("what", ["account", "side", "instrument"])
def test_our_id_on_what_we_did_not_send_is_external(what: str) -> None:
    """F24: another account, side or instrument is no order of ours."""
    floor, account = opened()
    slots = ("s2",) if what == "account" else ("s1",)
    (attempt,) = floor.attempts(floor.buy(10, slots=slots))
    key = attempt.order.client_order_id
    side = SELL if what == "side" else BUY
    instrument_id = U if what == "instrument" else T
    account.open(side, 3, 1_100 if side is SELL else 900, key=key, instrument_id=instrument_id)
    account.trade(side, 2, key=key, instrument_id=instrument_id)
    account.look()
    assert list(account.seat.external.orders) == [key]
    assert attempt.cum_quantity == 0
    assert floor.counted("external_fills") == 1


def forgetful() -> DeskSettings:
    return settings_of(finished_max=0)


def test_executions_of_a_forgotten_parent_are_ours_and_booked_already() -> None:
    """F24: its number is one that we gave."""
    floor, account = opened(settings=forgetful())
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    fill = fill_of(attempt, 10, "e1")
    account.execute(fill, BUY)
    account.hand.report(fill)
    assert floor.state.attempts == {}
    account.look(2)
    assert floor.counted("fills_of_forgotten_orders") == 1
    assert account.seat.external.unexplained == {}
    assert floor.state.ledger.lots(AccountId("A1"), T) == account.lots[T]


@pytest.mark.parametrize(
    "key",
    [
        "d-1-1",
        "d-2-1-1",
        "d-0-1-1",
        "d-1-1-x",
        "d-01-1-1",
        "e-1-1-1",
        "d-1-1-1-1",
        "",
        "d-" + 30 * "1" + "-1-1",
    ],
)
def test_an_id_that_we_never_gave_is_external(key: str) -> None:
    """F24: also one that looks like ours, of a life whose journal is lost."""
    floor, account = opened(settings=forgetful())
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.fill(attempt, 10)
    account.trade(BUY, 1, key=key)
    account.look()
    assert floor.counted("external_fills") == 1


def test_an_id_of_a_known_parent_but_of_no_attempt_is_external() -> None:
    floor, account = opened()
    floor.buy(10, slots=("s1",))
    account.trade(BUY, 1, key="d-1-9-9")
    account.look()
    assert floor.counted("external_fills") == 1


# -- orders that live on


def test_an_order_that_was_listed_just_before_its_end_is_left_alone() -> None:
    floor, account = opened()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    account.rest(attempt)
    floor.cancel(None)
    floor.canceled(attempt)
    account.look()
    account.orders.clear()
    effects = account.look(2)
    assert floor.sent(link.Withdraw, effects) == []
    assert floor.counted("orders_undead") == 0
    assert account.seat.audit.undead == {}


def test_an_order_that_lives_although_it_ended_is_counted_and_canceled_until_it_is_gone() -> None:
    """F23 I4: a venue that lied, or a person who was wrong."""
    floor, account = opened()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    account.rest(attempt)
    floor.cancel(None)
    floor.canceled(attempt, 0)
    account.look()
    effects = account.look()
    assert floor.counted("orders_undead") == 1
    (order,) = account.seat.external.orders.values()
    assert order.is_ours
    assert account.seat.blocked == {}, "a machine can settle it"
    assert len(floor.sent(link.Withdraw, effects)) == 1
    refused = floor.refusal(floor.place(SELL, 1, 1_000, slots=("s2",)))
    assert refused.met == "external:A1:d-1-1-1"
    assert len(floor.sent(link.Withdraw, account.look())) == 1
    fill = fill_of(attempt, 3, "e9")
    account.execute(fill, BUY)
    account.orders.clear()
    account.look()
    assert attempt.final_cum == 3
    assert account.seat.external.orders == {}
    floor.parent_of(floor.place(SELL, 1, 1_000, slots=("s2",)))


def test_what_a_lost_connection_still_said_cancels_nothing_but_counts() -> None:
    floor, account = opened()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    account.rest(attempt)
    floor.cancel(None)
    floor.canceled(attempt, 0)
    account.look()
    floor.pass_time(SECOND)
    account.hand.lose()
    assert floor.sent(link.Withdraw, account.reply()) == []
    assert floor.counted("orders_undead") == 1


def test_an_order_of_a_forgotten_parent_that_lives_is_canceled_as_well() -> None:
    floor, account = opened(settings=forgetful())
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    account.rest(attempt)
    floor.cancel(None)
    floor.canceled(attempt)
    assert floor.state.attempts == {}
    effects = account.look(2)
    assert len(floor.sent(link.Withdraw, effects)) == 1
    assert floor.counted("reports_of_unknown_orders") == 0
    account.hand.report(
        Accepted(client_order_id=ClientOrderId("d-1-1-1"), venue_order_id=VenueOrderId("v"))
    )
    assert account.seat.external.orders["d-1-1-1"].is_ours


# -- holdings


def test_a_position_that_nothing_explains_is_believed_when_seen_twice() -> None:
    """F24 I5 I6."""
    floor, account = opened()
    account.lots[T] += 7
    account.look()
    assert account.seat.external.unexplained == {}
    began_ns = floor.now_ns
    account.look()
    assert floor.now_ns - began_ns < SECOND, "the second look comes soon"
    assert reasons(account) == ["+7 that no execution explains"]
    assert account.seat.blocked == {T: 1}
    assert floor.state.ledger.lots(AccountId("A1"), T) == 1_007
    account.look(2)
    assert floor.counted("external_differences") == 1
    assert floor.counted("audits_alike") == 1


def test_money_that_came_or_went_blocks_its_currency() -> None:
    """F24: a withdrawal is nobody's trade, but what can be spent has changed."""
    floor, account = opened()
    account.cash["USD"] -= Decimal(99_000)
    account.look(2)
    assert account.seat.blocked == {T: 1, U: 1}
    assert reasons(account) == ["-99000 USD that no execution explains"]
    assert floor.state.ledger.cash(AccountId("A1"), "USD") == 1_000


def test_an_outside_trade_without_an_execution_blocks_its_instrument_only() -> None:
    """F24: before the first audit, or at a venue that lists no executions."""
    floor, account = opened()
    account.trade(SELL, 5)
    account.executions.clear()
    account.look(2)
    assert account.seat.blocked == {T: 1}
    assert floor.state.ledger.cash(AccountId("A1"), "USD") == account.cash["USD"]
    assert floor.state.ledger.lots(AccountId("A1"), T) == 995


def test_a_difference_that_changes_or_goes_away_is_not_believed() -> None:
    floor, account = opened()
    for lots in (1_001, 1_002, 1_000, 1_001, 1_000):
        account.lots[T] = lots
        account.look()
    assert floor.counted("external_differences") == 0
    assert account.seat.external.suspected == {}


def test_a_difference_seen_twice_within_a_read_lag_is_not_believed() -> None:
    """The second answer may be as old as the first."""
    floor, account = opened()
    account.lots[T] += 7
    account.look()
    account.seat.external.suspected[T].seen_ns = floor.now_ns + 570 * MS
    floor.look_away()
    account.look()
    assert floor.counted("external_differences") == 0
    account.look()
    assert floor.counted("external_differences") == 1


def test_an_instrument_is_not_compared_while_an_order_on_it_is_under_way() -> None:
    floor, account = opened()
    floor.buy(10, slots=("s1",))
    account.lots[T] += 7
    account.lots[U] += 1
    account.look(3)
    assert list(account.seat.external.unexplained) == [U]


def test_an_instrument_is_not_compared_when_a_fill_may_be_newer_than_the_answer() -> None:
    """F24: or a fill on its way would be taken for somebody else's."""
    floor, account = opened()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    floor.pass_time(10 * SECOND)
    assert account.is_asked
    before = dict(account.cash), dict(account.lots)
    account.execute(fill_of(attempt, 4, "e1"), BUY)
    account.hand.report(fill_of(attempt, 4, "e1"))
    balances = Balances(query_id=1, cash=before[0], positions=before[1])
    account.reply(executions=(), cursor=0, balances=balances)
    assert account.seat.external.suspected == {}
    account.look(2)
    assert account.seat.external.suspected == {}
    assert floor.counted("external_differences") == 0


def test_a_fill_of_before_a_restart_may_still_be_newer_than_the_first_answer_after_it() -> None:
    floor, account = opened()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.fill(attempt, 10)
    floor.restart()
    assert account.seat.audit.booked_ns == {T: floor.now_ns}


def test_holdings_that_cannot_be_are_not_compared() -> None:
    floor, account = opened()
    account.lots |= {InstrumentId("?"): 5, U: LOTS_MAX + 1}
    account.cash |= {"EUR": Decimal("NaN")}
    account.look(2)
    assert floor.counted("balances_garbled") == 3
    assert account.seat.external.unexplained == {}
    account.lots.pop(InstrumentId("?"))
    account.cash["EUR"] = Decimal(5)
    account.look(2)
    assert floor.state.ledger.cash(AccountId("A1"), "EUR") == 5
    assert account.seat.blocked == {}, "nothing is traded in it"


def test_while_the_account_is_being_traded_executions_count_and_balances_do_not() -> None:
    floor, account = opened()
    account.trade(BUY, 3)
    account.lots[T] += 5
    account.look()
    floor.pass_time(SECOND)
    account.trade(BUY, 1)
    account.reply(balances=None, digest=b"")
    assert floor.counted("external_fills") == 2
    assert floor.state.ledger.lots(AccountId("A1"), T) == 1_004


def test_a_cursor_that_goes_back_is_not_followed() -> None:
    floor, account = opened()
    account.trade(BUY, 1)
    account.look()
    account.look(1)
    floor.pass_time(10 * SECOND)
    account.reply(cursor=0, digest=b"other")
    assert account.seat.audit.cursor == 1


def test_the_same_difference_is_valued_when_a_price_is_known() -> None:
    """The position's cost; nothing is gained by it."""
    floor = Floor().open(quoted=("U",))
    account = Account(floor)
    account.look()
    account.lots[T] += 7
    account.look(2)
    floor.quote(1_000)
    position = floor.state.positions[AccountId("A1")][T]
    assert (position.quantity, position.realized) == (1_007, 0)


# -- laws


class Life:
    """What happens on an account, in whatever order: ours and theirs."""

    def __init__(self) -> None:
        self.floor, self.account = opened()
        self.is_foreign = False

    def ours(self, number: int, side: Side) -> None:
        self.floor.place(side, number, 990 if side is BUY else 1_010, slots=("s1",))

    def streamed(self, number: int, _side: Side) -> None:
        """Let the venue fill an order of ours, and half of the time not tell it."""
        out = [one for one in self.floor.attempts() if not one.is_final]
        if out:
            fill = fill_of(out[0], 1, f"e{len(self.account.executions)}")
            self.account.execute(fill, out[0].order.side)
            if number % 2:
                self.account.hand.report(fill)

    def theirs(self, number: int, side: Side) -> None:
        self.account.trade(side, number)
        self.is_foreign = True

    def resting(self, number: int, side: Side) -> None:
        self.account.open(side, number, 990 if side is BUY else 1_010, key=f"x{number}")

    def gone(self, _number: int, _side: Side) -> None:
        self.account.orders.clear()

    def moved(self, number: int, _side: Side) -> None:
        self.account.lots[T] += number
        self.is_foreign = True

    def wait(self, number: int, _side: Side) -> None:
        self.floor.pass_time(number * 100 * MS)

    def answer(self, _number: int, _side: Side) -> None:
        if self.account.is_asked:
            self.is_foreign = self.is_foreign or bool(self.account.orders)
            self.account.reply()

    def end(self) -> None:
        """Let everything of ours end, as the venue has it, and look until nothing is new."""
        live = [one for one in self.floor.attempts() if not one.is_final]
        self.floor.cancel(None)
        for attempt in live:
            key = attempt.order.client_order_id
            fills = [one.fill for one in self.account.executions]
            cum = sum(one.quantity for one in fills if one.client_order_id == key)
            self.floor.canceled(attempt, cum)
        self.is_foreign = self.is_foreign or bool(self.account.orders)
        self.account.look(4)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    Life.ours,
                    Life.streamed,
                    Life.theirs,
                    Life.resting,
                    Life.gone,
                    Life.moved,
                    Life.wait,
                    Life.answer,
                ]
            ),
            st.integers(1, 20),
            st.sampled_from([BUY, SELL]),
        ),
        max_size=25,
    )
)
@settings(max_examples=150)
def test_in_the_end_our_books_are_the_venue_s_and_only_what_is_foreign_blocks(
    steps: list[tuple[Callable[[Life, int, Side], None], int, Side]],
) -> None:
    """F23 F24 I5 I6: whatever the stream told of it."""
    life = Life()
    for step, number, side in steps:
        step(life, number, side)
    life.end()
    account, ledger = life.account, life.floor.state.ledger
    assert ledger.cash(AccountId("A1"), "USD") == account.cash["USD"]
    assert {key: ledger.lots(AccountId("A1"), key) for key in (T, U)} == account.lots
    assert list(account.seat.external.orders) == list(account.orders)
    assert bool(account.seat.external.unexplained) is life.is_foreign
    life.floor.replay()


class AuditChaos(Chaos):
    """The same nonsense, with answers to audits in it, and a trader who explains."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(floor)
        self.steps = (*self.steps, *[self.listed] * 3, *[self.audited] * 5, self.explain)

    def asked(self, number: int) -> tuple[Hand, int]:
        """Return who was asked, and the number of the question, or nearly so."""
        hand = self.hand(number)
        worker = self.floor.state.workers.get(hand.incarnation)
        slot_id = worker.slot_id if worker is not None else None
        query_id = self.floor.state.seats[slot_id].audit.query_id if slot_id is not None else None
        return hand, query_id if query_id is not None and number % 7 else number

    def id(self, number: int) -> ClientOrderId:
        known = [self.key(number), ClientOrderId(f"x{number % 5}"), ClientOrderId("d-1-1-1")]
        return known[number % 3]

    def listed(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        hand, query_id = self.asked(a)
        order = Order(
            client_order_id=self.id(b),
            instrument_id=InstrumentId(pick(("T@X", "T@X", "U@X", "?"), c)),
            side=pick(tuple(Side), c),
            quantity=Lots(self.amount(d)),
            limit_price=pick((None, Ticks(995 + b % 11), Ticks(self.amount(c))), d),
            time_in_force=TimeInForce.DAY,
        )
        found = OpenOrder(order=order, cum_quantity=Lots(self.amount(b + c)))
        told = link.Listed(query_id=query_id, orders=(found,) * (1 + a % 2))
        hand.say(link.Answered(account_id=hand.account_id or AccountId("A1"), answer=told))

    def audited(self, numbers: Numbers) -> None:
        a, b, c, d = numbers
        hand, query_id = self.asked(a)
        fill = Filled(
            client_order_id=self.id(b),
            execution_id=ExecutionId(f"e{c % 9}"),
            quantity=Lots(self.amount(d)),
            price=Ticks(pick((1_000, 1_001, self.amount(b)), c)),
            fee=Decimal(pick(self.money, c)),
            venue_at_ns=0,
        )
        instrument_id = InstrumentId(pick(("T@X", "T@X", "U@X", "?"), c))
        executed = link.Executed(fill=fill, instrument_id=instrument_id, side=pick(tuple(Side), d))
        held = Balances(
            query_id=0,
            cash={"USD": pick((Decimal(100_000), Decimal(pick(self.money, b))), c)},
            positions={T: pick((1_000, 1_000, self.amount(c)), b), U: 1_000},
        )
        told = link.Audited(
            query_id=query_id,
            cursor=abs(self.amount(c)),
            executions=(executed,) * (d % 3),
            balances=pick((None, held, held, held), d),
            digest=pick((b"", b"1", b"2"), b),
        )
        hand.say(link.Answered(account_id=hand.account_id or AccountId("A1"), answer=told))

    def explain(self, numbers: Numbers) -> None:
        a, b, _, _ = numbers
        unit = pick((T, U, "USD", "?"), a)
        account_id = AccountId(pick(("A1", "A2", "A3", "A4", "?"), b))
        self.floor.command(ExplainExternal(account_id=account_id, unit=unit))


@given(st.sampled_from(list(FenceClass)), steps)
@settings(max_examples=150)
def test_nothing_that_an_audit_tells_makes_a_desk_raise_or_its_books_disagree(
    fence_class: FenceClass, chosen: list[Step]
) -> None:
    """I1 I4 I6 I9 I11 F9 F24: late, repeated, contradictory, about what never was."""
    floor = Floor(settings_of(fence_class=fence_class, finished_max=3)).open()
    floor.spare()
    floor.pass_time(SECOND)
    chaos = AuditChaos(floor)
    for step in chosen:
        chaos.do(step)
    floor.replay()
