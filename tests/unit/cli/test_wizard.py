"""The conversation of `tandem setup`: defaults, checks, and what comes of it."""

import io
import shlex
from collections.abc import Sequence

import pytest

from tandem.cli.calling import BadInputError
from tandem.cli.wizard import ASKED_MAX, LIVELY, Talk, converse, money_or_none, one_of, whole
from tandem.core.matching import listing
from tandem.domain.instrument import Catalogue
from tandem.wiring.session_file import Line, SessionFile

CATALOGUE = Catalogue(listing.instruments())


def hold(answers: Sequence[str]) -> tuple[SessionFile, str]:
    out = io.StringIO()
    source = io.StringIO("".join(f"{one}\n" for one in answers))
    return converse(Talk(source, out=out), CATALOGUE, {"TSLA": "650.00"}), out.getvalue()


def test_enter_everywhere_is_a_whole_session() -> None:
    """A1, A47."""
    session, _ = hold([""] * 20)
    assert session.workers == 9
    assert session.lasts == ""
    assert [one.words[:2] for one in session.commands] == [["algo", "momentum"]]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            ["1", "tsla", "80"],
            ["algo", "momentum", "TSLA", "80", "--for", "5m", *LIVELY],
        ),
        (
            ["3", "tsla", "", "80"],
            ["algo", "quote", "TSLA", "80", "--for", "5m", "--half-spread", "0.32"],
        ),
        (
            ["3", "T", "0.05", "80"],
            ["algo", "quote", "T", "80", "--for", "5m", "--half-spread", "0.05"],
        ),
    ],
)
def test_a_strategy_on_both_sides_is_asked_for_no_side(
    answers: list[str], words: list[str]
) -> None:
    """A1."""
    session, _ = hold(["9", *answers, "5m", "none", "none", "y"])
    assert session.commands == (Line(do=shlex.join(words)),)


def test_a_spread_around_an_unknown_price_is_one_tick_unless_told() -> None:
    session, _ = hold(["9", "3", "GE", "", "80", "5m", "none", "none", "n"])
    assert session.commands[0].words[-3:] == ["0.01", "--leave", "keep"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("2", ["order", "sell", "TSLA", "80", "--price", "640.00"]),
        ("4", ["algo", "twap", "sell", "TSLA", "80", "--for", "5m", "--price", "640.00"]),
    ],
)
def test_a_strategy_on_one_side_is_asked_for_side_and_price(number: str, words: list[str]) -> None:
    """A1, A7."""
    session, said = hold(["9", number, "TSLA", "sell", "640", "80", "5m", "none", "none", "n"])
    assert session.commands == (Line(do=shlex.join(words)),)
    assert session.lasts == ("5m" if words[0] == "order" else "")
    assert "it was at 650.00" in said


def test_objectives_become_the_first_command() -> None:
    """A1."""
    session, _ = hold(["9", "2", "TSLA", "buy", "", "80", "5m", "500", "200.50", "y"])
    first = session.commands[0].words
    assert first[:2] == ["objectives", "set"]
    assert first[first.index("--target-profit") + 1] == "500"
    assert first[first.index("--loss-limit") + 1] == "200.50"
    assert first[first.index("--flat-after") + 1] == "5m"


def test_a_bad_answer_is_asked_again_with_the_reason() -> None:
    """A7."""
    bad = ["one", "1", "9", "7", "4", "NONE", "TSLA", "hold", "buy", "650.001", "-1", "", "0.5"]
    session, said = hold([*bad, "80", "5 minutes", "5m", "-3", "none", "nan", "none", "x", "n"])
    assert session.commands[0].words[:5] == ["algo", "twap", "buy", "TSLA", "80"]
    for word in (
        "'one': expected a whole number from 2 to 100",
        "expected one of",
        "'hold': expected one of buy, sell",
        "'650.001' is not a positive multiple of 0.01",
        "'0.5' is not a positive multiple",
        "duration '5 minutes'",
        "'-3': expected a sum above 0",
        "'x': expected y or n",
    ):
        assert word in said, word


def test_input_that_ends_saves_nothing_and_says_where() -> None:
    with pytest.raises(BadInputError, match="Strategy"):
        hold(["9"])


def test_a_question_is_not_asked_for_ever() -> None:
    with pytest.raises(BadInputError, match="was not answered"):
        hold(["no number"] * (ASKED_MAX + 5))


def test_numbers_and_words_are_checked_whatever_they_are() -> None:
    assert whole(1, high=3)("02") == "2"
    for text in ("", "²", "9" * 400, "1.0", "-1"):
        with pytest.raises(BadInputError):
            whole(1, high=3)(text)
    assert one_of(("buy", "sell"))("BUY") == "buy"
    assert money_or_none("NONE") == "none"
    for text in ("0", "1e9", "inf", "9" * 30, "1_0"):
        with pytest.raises(BadInputError):
            money_or_none(text)
