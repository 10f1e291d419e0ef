"""Reading the tokens of a Lua text one by one, and noting what is wrong with them."""

from typing import Final

from tandem.strategies.errors import Problem
from tandem.strategies.lua_tokens import SLASHES, Token

_DEPTH_MAX: Final = 400
_SILENT: Final = ("space", "comment", "slashes")


class EndedError(Exception):
    """The text cannot be read on from here."""


class TokenReader:
    """Stands at a token of a text; the last of its tokens is its end."""

    def __init__(self, found: list[Token]) -> None:
        """Begin at the first of all tokens of a text, blanks and comments too."""
        self.found: list[Problem] = [
            Problem(one.line, one.column, SLASHES) for one in found if one.kind == "slashes"
        ]
        self.tokens = [one for one in found if one.kind not in _SILENT]
        self.tokens.append(_end(found))
        self.at = 0
        self._depth = 0

    @property
    def next(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """Read a token."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def stands(self, text: str) -> bool:
        """Return whether this word or sign is next."""
        token = self.next
        return token.text == text and token.kind in ("op", "keyword")

    def accept(self, text: str) -> bool:
        """Read this word or sign if it is next; return whether it was."""
        if self.stands(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str, opened: Token | None = None) -> None:
        """Read this word or sign, which closes what was `opened`.

        Raises:
            EndedError: something else is next.
        """
        if self.accept(text):
            return
        where = ""
        if opened is not None and opened.line != self.next.line:
            where = f" (to close '{opened.text}' in line {opened.line})"
        raise self.stopped(f"expected '{text}'{where}, got {self.shown()}")

    def name(self) -> Token:
        """Read a name.

        Raises:
            EndedError: something else is next.
        """
        if self.next.kind != "name":
            raise self.stopped(f"expected a name, got {self.shown()}")
        return self.take()

    def shown(self) -> str:
        """Return what is next, for an error."""
        return f"'{self.next.text[:40]}'" if self.next.text else "the end of the text"

    def say(self, token: Token, message: str, *, is_error: bool = True) -> None:
        """Note what is wrong with a token."""
        self.found.append(Problem(token.line, token.column, message, is_error))

    def stopped(self, message: str) -> EndedError:
        """Note what is wrong with the next token; return what to raise."""
        self.say(self.next, message)
        return EndedError()

    def deeper(self, by: int) -> None:
        """Go so much deeper, or up again when negative.

        Raises:
            EndedError: it is too deep for any machine.
        """
        self._depth += by
        if self._depth > _DEPTH_MAX:
            raise self.stopped("nested too deeply")


def _end(found: list[Token]) -> Token:
    """Return a token where the text ends."""
    if not found:
        return Token("end", "", 1, 1)
    last = found[-1]
    *before, rest = last.text.split("\n")
    column = len(rest) + (1 if before else last.column)
    return Token("end", "", last.line + len(before), column)
