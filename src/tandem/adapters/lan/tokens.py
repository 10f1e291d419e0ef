"""Join tokens: what a person carries from the pool to the computer that is to join.

A token holds a secret, by which the pool knows that this computer was invited, and the fingerprint
of the pool's authority, by which the computer knows that it talks to this pool: nobody is trusted
for being the first to answer. The pool keeps a hash of the secret only.

A token is good for one key. Its use is durable before a certificate goes out; a computer whose
connection broke in between may ask again with the same key until the token expires.
"""

import binascii
import hashlib
from base64 import b32decode, b32encode
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.lan.files import held, write_private
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.domain.errors import ConfigurationError

SECRET_BYTES: Final = 16
FINGERPRINT_BYTES: Final = 16  # of SHA-256: nobody finds a second authority with the same ones
MINUTES: Final = 10
MINUTES_MAX: Final = 24 * 60
TOKENS_MAX: Final = 1_000
KEPT_S: Final = 86_400  # an old token is still known for so long, to say what is wrong with it
WRONG_MAX: Final = 5
WRONG_SPAN_S: Final = 60
ADDRESSES_MAX: Final = 1_000
_PREFIX: Final = "tj-"
_CHECK_BYTES: Final = 4


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says; it never prints its secret."""

    secret: bytes
    fingerprint: bytes

    def __repr__(self) -> str:
        return f"Token(fingerprint={self.fingerprint.hex()})"

    @property
    def text(self) -> str:
        """What a person copies."""
        content = self.secret + self.fingerprint
        whole = content + _check(content)
        return _PREFIX + b32encode(whole).decode().rstrip("=").lower()


def read_token(text: str) -> Token:
    """Return what a token's text says.

    Raises:
        JoinRefusedError: it is no token, or not copied whole.
    """
    body = text.strip().lower().removeprefix(_PREFIX).upper()
    try:
        whole = b32decode(body + "=" * (-len(body) % 8))
    except (binascii.Error, ValueError):
        whole = b""
    content, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
    if len(content) != SECRET_BYTES + FINGERPRINT_BYTES or check != _check(content):
        raise JoinRefusedError("that is no join token, or not all of it: copy the whole of it")
    return Token(secret=content[:SECRET_BYTES], fingerprint=content[SECRET_BYTES:])


def _check(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:_CHECK_BYTES]


class KeptToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool keeps of a token; `key` is the hash of the key that used it."""

    hash: str
    expires_s: int
    key: str | None = None


class Tokens:
    """The tokens of a pool, in `tokens.json` of its folder `lan/`. Times are UTC seconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "tokens.json"

    def add(self, token: Token, *, minutes: int, now_s: int) -> None:
        """Let `token` be good for one key and so many minutes; durable on return.

        Raises:
            ConfigurationError: so many minutes or tokens cannot be.
        """
        if not 1 <= minutes <= MINUTES_MAX:
            raise ConfigurationError(f"{minutes} minutes: expected 1 to {MINUTES_MAX}")
        with held(self._folder):
            kept = [one for one in self._read() if one.expires_s + KEPT_S > now_s]
            if len(kept) >= TOKENS_MAX:
                raise ConfigurationError(f"{TOKENS_MAX} tokens within {KEPT_S} s: no more")
            new = KeptToken(hash=_hash(token.secret), expires_s=now_s + 60 * minutes)
            self._write([*kept, new])

    def redeem(self, secret: bytes, *, key: str, now_s: int) -> None:
        """Take note that the token with this secret is used by `key`; durable on return.

        Raises:
            WrongTokenError: the pool never made it, or long ago.
            JoinRefusedError: it has expired, or another key has used it.
        """
        wanted = _hash(secret)
        with held(self._folder):
            kept = self._read()
            found = next((one for one in kept if one.hash == wanted), None)
            if found is None:
                raise WrongTokenError("this pool never made that token")
            if now_s >= found.expires_s:
                raise JoinRefusedError("that token has expired: make a new one")
            if found.key not in (None, key):
                raise JoinRefusedError("that token was used already: make one for each computer")
            if found.key is None:
                used = msgspec.structs.replace(found, key=key)
                self._write([used if one is found else one for one in kept])

    def _read(self) -> list[KeptToken]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[KeptToken])
        except FileNotFoundError:
            return []
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"{self._file}: {error}") from error

    def _write(self, kept: list[KeptToken]) -> None:
        write_private(self._file, msgspec.json.encode(kept))


class WrongTokenError(JoinRefusedError):
    """A secret that the pool never made: somebody may be guessing."""


class WrongTokens:
    """Wrong tokens of late, by the host they came from: after a few it has to wait."""

    def __init__(self) -> None:
        self._times: dict[str, deque[int]] = {}

    def refuse(self, host: str, now_s: int) -> None:
        """See that `host` may try a token.

        Raises:
            JoinRefusedError: it tried too many wrong ones in the last minute.
        """
        times = self._times.get(host)
        while times and now_s - times[0] >= WRONG_SPAN_S:
            times.popleft()
        if not times:
            self._times.pop(host, None)
        elif len(times) >= WRONG_MAX:
            wait_s = WRONG_SPAN_S - (now_s - times[0])
            raise JoinRefusedError(
                f"{WRONG_MAX} wrong tokens within {WRONG_SPAN_S} s: wait {wait_s} s"
            )

    def count(self, host: str, now_s: int) -> None:
        """Take note of a wrong one. Of many hosts the one heard of first is forgotten."""
        self._times.setdefault(host, deque(maxlen=WRONG_MAX)).append(now_s)
        if len(self._times) > ADDRESSES_MAX:
            del self._times[next(iter(self._times))]


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()
