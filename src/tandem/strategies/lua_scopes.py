"""Which names a Lua text declares where, and which of them are used."""

from collections.abc import Callable

from tandem.strategies.errors import meant
from tandem.strategies.lua_tokens import Token
from tandem.strategies.names import LUA_NAMES


class _Local:
    """A name that the text declares."""

    def __init__(self, token: Token, *, is_used: bool, is_handle: bool) -> None:
        self.token = token
        self.is_used = is_used
        self.is_handle = is_handle


class Scopes:
    """The blocks around the place that is read, innermost last.

    `say` is told what is wrong: the token, a message and whether it is an error.
    """

    def __init__(self, say: Callable[..., None]) -> None:
        """Begin outside of all blocks."""
        self._say = say
        self._scopes: list[dict[str, _Local]] = []

    def open(self) -> None:
        """Enter a block."""
        self._scopes.append({})

    def close(self) -> None:
        """Leave it, and say what was declared there for nothing."""
        for one in self._scopes.pop().values():
            self._judge(one)

    def declare(self, token: Token, *, is_used: bool = False, is_handle: bool = False) -> None:
        """Declare a name; with `is_handle` it is an indicator."""
        before = self._scopes[-1].get(token.text)
        if before is not None:
            self._judge(before)
        self._scopes[-1][token.text] = _Local(token, is_used=is_used, is_handle=is_handle)

    def found(self, name: str) -> _Local | None:
        """Return what a name means here; None for one that the text does not declare."""
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return None

    def use(self, token: Token) -> bool:
        """Read a name; return whether it is an indicator."""
        one = self.found(token.text)
        if one is not None:
            one.is_used = True
            return one.is_handle
        if token.text not in LUA_NAMES:
            known = LUA_NAMES.union(*self._scopes)
            self._say(token, f"unknown name '{token.text}'{meant(token.text, known)}")
        return False

    def assign(self, token: Token) -> None:
        """Give a name another value."""
        name = token.text
        one = self.found(name)
        if one is not None:
            one.is_handle = False
        elif name in LUA_NAMES:
            self._say(token, f"'{name}' can only be read")
        else:
            near = meant(name, [known for scope in self._scopes for known in scope])
            self._say(token, f"'{name}' is not declared{near or f'; write: local {name} = …'}")

    def _judge(self, one: _Local) -> None:
        if not one.is_used and not one.token.text.startswith("_"):
            self._say(one.token, f"'{one.token.text}' is never used", is_error=False)
