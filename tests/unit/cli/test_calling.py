"""Errors and their exit codes."""

import io

import pytest

from tandem.cli.calling import BadInputError, exit_code, finish
from tandem.cli.main import BAD_INPUT, FAILED, NO_COORDINATOR
from tandem.domain.errors import (
    ConfigurationError,
    CoordinatorUnreachableError,
    JournalCorruptError,
    MarketFileError,
    OffGridError,
    ShareListError,
    TandemError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CoordinatorUnreachableError("x"), NO_COORDINATOR),
        (BadInputError("x"), BAD_INPUT),
        (ConfigurationError("x"), BAD_INPUT),
        (MarketFileError("x"), BAD_INPUT),
        (OffGridError("x"), BAD_INPUT),
        (ShareListError(line=1, column=1, seen="x", expected="y"), BAD_INPUT),
        (JournalCorruptError("x"), FAILED),
        (TandemError("x"), FAILED),
    ],
)
def test_a_script_can_tell_errors_apart(error: TandemError, code: int) -> None:
    assert exit_code(error) == code


def test_an_error_is_one_line() -> None:
    err = io.StringIO()

    async def fail() -> int:
        raise BadInputError("that cannot be")

    assert finish(fail, err) == BAD_INPUT
    assert err.getvalue() == "tandem: that cannot be\n"


def test_a_bug_is_not_hidden() -> None:
    async def fail() -> int:
        raise AssertionError("a bug")

    with pytest.raises(AssertionError):
        finish(fail, io.StringIO())
