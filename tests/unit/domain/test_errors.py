"""Errors are told from Python's own, and a share list's says where."""

import pytest

from tandem.domain import errors
from tandem.domain.errors import ShareListError, TandemError

KINDS = [one for one in vars(errors).values() if isinstance(one, type)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_ours_and_says_what_it_means(kind: type[TandemError]) -> None:
    assert issubclass(kind, TandemError)
    assert kind.__doc__
    assert kind.__name__.endswith("Error")


def test_a_share_list_error_holds_its_place() -> None:
    error = ShareListError(line=3, column=6, seen="saw 'bye'", expected="buy or sell")
    assert str(error) == "line 3, column 6: saw 'bye', expected buy or sell"
    assert (error.line, error.column) == (3, 6)
    assert (error.seen, error.expected) == ("saw 'bye'", "buy or sell")
