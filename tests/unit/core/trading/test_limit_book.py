"""What was set by persons, and why somebody only reduces."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.limit_book import Cause, LimitBook, Reason, Scope
from tandem.core.trading.risk import TradingState
from tandem.domain.ids import AccountId
from tandem.domain.limits import LimitChanges

A = AccountId("A1")


def test_a_scope_reduces_while_there_is_a_reason() -> None:
    """A28: REDUCING, and why."""
    scope = Scope()
    assert (scope.state, scope.text) == (TradingState.ACTIVE, "")
    scope.reasons[Cause.HAND] = Reason("lunch")
    scope.reasons[Cause.DAILY_LOSS] = Reason("lost 5", 3)
    assert (scope.state, scope.text) == (TradingState.REDUCING, "lunch; lost 5")


def test_an_account_is_listed_once_it_was_asked_for() -> None:
    book = LimitBook()
    scope = book.account(A)
    assert book.account(A) is scope
    assert book.scopes() == [(None, book.desk), (A, scope)]


@given(st.dictionaries(st.sampled_from(Cause), st.text(max_size=5)), st.none() | st.integers(1, 9))
def test_a_book_comes_out_of_a_snapshot_as_it_went_in(
    reasons: dict[Cause, str], day: int | None
) -> None:
    """I11."""
    book = LimitBook(lapses_day=day)
    scope = book.account(A)
    scope.changes = LimitChanges(max_open_orders=4)
    for cause, text in reasons.items():
        scope.reasons[cause] = Reason(text, day)
    content = msgspec.msgpack.encode(book)
    assert msgspec.msgpack.decode(content, type=LimitBook) == book
