"""Join tokens: once, for a while, and of one pool."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.adapters.lan.tokens import (
    ADDRESSES_MAX,
    KEPT_S,
    TOKENS_MAX,
    WRONG_MAX,
    Token,
    Tokens,
    WrongTokenError,
    WrongTokens,
    read_token,
)
from tandem.domain.errors import ConfigurationError

NOW_S = 1_800_000_000
TOKEN = Token(secret=b"s" * 16, fingerprint=b"f" * 16)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    made = Tokens(tmp_path)
    made.add(TOKEN, minutes=10, now_s=NOW_S)
    return made


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_token_is_read_as_it_was_written(secret: bytes, fingerprint: bytes) -> None:
    token = Token(secret=secret, fingerprint=fingerprint)
    assert read_token(token.text) == token
    assert read_token(f"  {token.text.upper()}\n") == token


@given(st.text(max_size=80))
def test_any_other_text_is_no_token(text: str) -> None:
    with pytest.raises(JoinRefusedError, match="no join token"):
        read_token(text)


@given(st.integers(3, 60), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_letter_that_was_typed_wrong_is_noticed(place: int, letter: str) -> None:
    text = TOKEN.text
    place = min(place, len(text) - 1)
    typed = text[:place] + letter + text[place + 1 :]
    if read_or_none(typed) is not None:
        # The last letter carries a few bits that mean nothing.
        assert read_or_none(typed) == TOKEN
        assert place == len(text) - 1 or typed == text


def read_or_none(text: str) -> Token | None:
    try:
        return read_token(text)
    except JoinRefusedError:
        return None


def test_a_token_never_prints_its_secret() -> None:
    """A6."""
    assert TOKEN.secret.decode() not in repr(TOKEN)
    assert TOKEN.secret.hex() not in repr(TOKEN)


def test_only_a_hash_is_kept(tokens: Tokens, tmp_path: Path) -> None:
    """A6."""
    content = (tmp_path / "tokens.json").read_bytes()
    assert TOKEN.secret not in content
    assert TOKEN.secret.hex().encode() not in content
    assert TOKEN.text.encode() not in content


def test_a_token_is_good_for_one_key(tokens: Tokens, tmp_path: Path) -> None:
    """A4: and a restarted pool has not forgotten it."""
    tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S)
    with pytest.raises(JoinRefusedError, match="used already"):
        Tokens(tmp_path).redeem(TOKEN.secret, key="another", now_s=NOW_S)


def test_a_computer_whose_connection_broke_may_ask_again(tokens: Tokens) -> None:
    tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S)
    tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S + 599)


def test_a_token_expires(tokens: Tokens) -> None:
    with pytest.raises(JoinRefusedError, match="expired"):
        tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S + 600)


def test_a_used_token_expires_for_its_own_key_too(tokens: Tokens) -> None:
    tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S)
    with pytest.raises(JoinRefusedError, match="expired"):
        tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S + 600)


def test_a_token_that_nobody_made_is_wrong(tokens: Tokens) -> None:
    with pytest.raises(WrongTokenError, match="never made"):
        tokens.redeem(b"x" * 16, key="mine", now_s=NOW_S)


def test_old_tokens_are_forgotten_and_new_ones_limited(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    (tmp_path / "tokens.json").write_text(
        "[" + ",".join(f'{{"hash":"{n}","expires_s":{NOW_S}}}' for n in range(TOKENS_MAX)) + "]"
    )
    with pytest.raises(ConfigurationError, match="1000 tokens within 86400 s"):
        tokens.add(TOKEN, minutes=10, now_s=NOW_S)
    tokens.add(TOKEN, minutes=10, now_s=NOW_S + KEPT_S)
    tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S + KEPT_S)
    assert (tmp_path / "tokens.json").stat().st_size < 500


@pytest.mark.parametrize("minutes", [0, -1, 1_441])
def test_so_many_minutes_cannot_be(tokens: Tokens, minutes: int) -> None:
    with pytest.raises(ConfigurationError, match="expected 1 to 1440"):
        tokens.add(TOKEN, minutes=minutes, now_s=NOW_S)


def test_a_damaged_file_is_named(tokens: Tokens, tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("[{")
    with pytest.raises(ConfigurationError, match=r"tokens\.json"):
        tokens.redeem(TOKEN.secret, key="mine", now_s=NOW_S)


def test_after_five_wrong_tokens_a_host_waits_a_minute_and_others_do_not() -> None:
    wrong = WrongTokens()
    for number in range(WRONG_MAX):
        wrong.refuse("guesser", NOW_S + number)
        wrong.count("guesser", NOW_S + number)
    with pytest.raises(JoinRefusedError, match="5 wrong tokens within 60 s: wait 1 s"):
        wrong.refuse("guesser", NOW_S + 59)
    wrong.refuse("somebody", NOW_S + 59)
    wrong.refuse("guesser", NOW_S + 60)


def test_a_host_that_waited_long_begins_anew() -> None:
    wrong = WrongTokens()
    for _ in range(WRONG_MAX):
        wrong.count("guesser", NOW_S)
    wrong.refuse("guesser", NOW_S + 60)
    wrong.count("guesser", NOW_S + 60)
    wrong.refuse("guesser", NOW_S + 60)


def test_of_very_many_guessers_the_first_is_forgotten() -> None:
    wrong = WrongTokens()
    for host in ("first", *map(str, range(ADDRESSES_MAX))):
        for _ in range(WRONG_MAX):
            wrong.count(host, NOW_S)
    wrong.refuse("first", NOW_S)
    with pytest.raises(JoinRefusedError):
        wrong.refuse("0", NOW_S)
