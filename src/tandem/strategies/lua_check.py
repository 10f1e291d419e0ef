"""Reads a Lua text as a person would before running it, and says all that looks wrong.

A reader of the whole language, by recursive descent over the guard's tokens. It keeps no tree: it
knows which names stand where, which calls are of `ta`, and whether a block's end can be reached.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tandem.strategies.errors import Problem, StrategyError
from tandem.strategies.lua_scopes import Scopes
from tandem.strategies.lua_tokens import SLASHES, Token, plain_text, tokens
from tandem.strategies.names import (
    LUA_FIELDS,
    Argument,
    call_problem,
    field_problem,
)

_DEPTH_MAX: Final = 400
_UNARY: Final = frozenset({"-", "#", "not"})
_POWER: Final = 8
_BINARY: Final[dict[str, tuple[int, int]]] = {  # how strongly it binds on its left and right
    "or": (1, 1),
    "and": (2, 2),
    **{word: (3, 3) for word in ("<", ">", "<=", ">=", "~=", "==")},
    "..": (5, 4),
    **{word: (6, 6) for word in ("+", "-")},
    **{word: (7, 7) for word in ("*", "/", "%")},
    "^": (10, 9),
}
_COUNTING: Final = frozenset(_BINARY) - {"or", "and", "==", "~="}
_BLOCK_ENDS: Final = frozenset({"end", "else", "elseif", "until", ""})


class _EndedError(Exception):
    """The text cannot be read on from here."""


class _Seen(NamedTuple):
    """What an expression is, as far as it matters."""

    kind: str  # call, handle, literal, other
    value: Argument = None


_OTHER: Final = _Seen("other")


def problems(text: str) -> list[Problem]:
    """Return what is wrong with a Lua text, by line and column."""
    try:
        found = list(tokens(plain_text(text)))
    except StrategyError as error:
        return [Problem(error.line or 1, 1, error.message)]
    return _Reader(found).read()


class _Reader:
    """Reads one text."""

    def __init__(self, found: list[Token]) -> None:
        self._found: list[Problem] = [
            Problem(one.line, one.column, SLASHES) for one in found if one.kind == "slashes"
        ]
        silent = ("space", "comment", "slashes")
        self._tokens = [one for one in found if one.kind not in silent]
        self._tokens.append(_end(found))
        self._at = 0
        self._depth = 0
        self._names = Scopes(self._say)
        self._loops: list[list[bool]] = [[]]  # of each function, whether each loop is left
        self._returns = False
        self._statements: dict[str, Callable[[], bool]] = {
            "if": self._if,
            "while": self._while,
            "do": self._do,
            "for": self._for,
            "repeat": self._repeat,
            "function": self._function_statement,
            "local": self._local,
            "return": self._return,
            "break": self._break,
        }

    def read(self) -> list[Problem]:
        try:
            is_end_reached = self._block()
            if self._next.kind != "end":
                raise self._stopped(f"'{self._next.text}' closes nothing")
            self._judge_end(is_end_reached)
        except _EndedError:
            pass
        return sorted(set(self._found))

    def _judge_end(self, is_end_reached: bool) -> None:
        end = self._tokens[-1]
        if not self._returns:
            self._say(end, "it never returns anything: expected a return of what is wanted")
        elif is_end_reached:
            text = "the end can be reached without a return: then the position stays as it is"
            self._say(end, text, is_error=False)

    # Tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _is(self, text: str) -> bool:
        token = self._next
        return token.text == text and token.kind in ("op", "keyword")

    def _accept(self, text: str) -> bool:
        if self._is(text):
            self._at += 1
            return True
        return False

    def _expect(self, text: str, opened: Token | None = None) -> None:
        if self._accept(text):
            return
        where = ""
        if opened is not None and opened.line != self._next.line:
            where = f" (to close '{opened.text}' in line {opened.line})"
        raise self._stopped(f"expected '{text}'{where}, got {self._shown()}")

    def _name(self) -> Token:
        if self._next.kind != "name":
            raise self._stopped(f"expected a name, got {self._shown()}")
        return self._take()

    def _shown(self) -> str:
        return f"'{self._next.text[:40]}'" if self._next.text else "the end of the text"

    def _say(self, token: Token, message: str, *, is_error: bool = True) -> None:
        self._found.append(Problem(token.line, token.column, message, is_error))

    def _stopped(self, message: str) -> _EndedError:
        self._say(self._next, message)
        return _EndedError()

    def _deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > _DEPTH_MAX:
            raise self._stopped("nested too deeply")

    def _use(self, token: Token) -> None:
        """Read a name that was just taken."""
        is_handle = self._names.use(token)
        if is_handle and self._is_counted_with(token):
            text = f"'{token.text}' is an indicator, not its value; write '{token.text}()'"
            self._say(token, text)

    def _is_counted_with(self, token: Token) -> bool:
        """Return whether the name just taken stands beside an operator that wants numbers."""
        before = self._tokens[self._at - 2] if self._at > 1 else token
        is_before = before.text in _COUNTING and before.kind in ("op", "keyword")
        return self._next.text in _COUNTING or (is_before and self._next.text not in ("(", "."))

    # Statements: each returns whether what stands behind it can be reached

    def _block(self) -> bool:
        self._deeper(3)
        self._names.open()
        is_reached = self._statements_of()
        self._names.close()
        self._depth -= 3
        return is_reached

    def _statements_of(self) -> bool:
        is_reached = True
        while not (self._next.kind in ("keyword", "end") and self._next.text in _BLOCK_ENDS):
            if not is_reached:
                self._say(self._next, "this is never reached", is_error=False)
                is_reached = True
            first = self._next
            is_reached = self._statement()
            self._accept(";")
            if first.text in ("return", "break") and self._next.text not in _BLOCK_ENDS:
                raise self._stopped(f"nothing can follow '{first.text}' in its block")
        return is_reached

    def _statement(self) -> bool:
        token = self._next
        statement = self._statements.get(token.text) if token.kind == "keyword" else None
        return self._plain_statement() if statement is None else statement()

    def _plain_statement(self) -> bool:
        first = self._next
        name, seen = self._target()
        if seen.kind == "call":
            return first.text != "error" or self._names.found("error") is not None
        names = [name]
        while self._accept(","):
            names.append(self._target()[0])
        if not self._is("="):
            raise self._stopped(f"expected '=' or a call, got {self._shown()}")
        self._take()
        self._expressions()
        for one in names:
            if one is not None:
                self._names.assign(one)
        return True

    def _target(self) -> tuple[Token | None, _Seen]:
        """Read what may be assigned to, or called; the token of a name that stands alone."""
        token = self._next
        if token.kind == "name" and self._tokens[self._at + 1].text in ("=", ","):
            return self._take(), _OTHER
        return None, self._suffixed()

    def _if(self) -> bool:
        opened = self._take()
        is_reached = False
        while True:
            self._expression()
            self._expect("then")
            is_reached |= self._block()
            if not self._accept("elseif"):
                break
        is_reached |= self._block() if self._accept("else") else True
        self._expect("end", opened)
        return is_reached

    def _while(self) -> bool:
        opened = self._take()
        is_endless = self._is("true") and self._tokens[self._at + 1].text == "do"
        self._expression()
        self._expect("do")
        is_left = self._loop()
        self._expect("end", opened)
        return is_left or not is_endless

    def _loop(self) -> bool:
        """Read a loop's block; return whether a break leaves it."""
        self._loops[-1].append(False)
        self._block()
        return self._loops[-1].pop()

    def _do(self) -> bool:
        opened = self._take()
        is_reached = self._block()
        self._expect("end", opened)
        return is_reached

    def _for(self) -> bool:
        opened = self._take()
        names = [self._name()]
        if self._accept("="):
            self._expression()
            self._expect(",")
            self._expression()
            if self._accept(","):
                self._expression()
        else:
            while self._accept(","):
                names.append(self._name())
            self._expect("in")
            self._expressions()
        self._expect("do")
        self._names.open()
        for name in names:
            self._names.declare(name, is_used=True)
        self._loop()
        self._names.close()
        self._expect("end", opened)
        return True

    def _repeat(self) -> bool:
        opened = self._take()
        self._loops[-1].append(False)
        self._deeper(3)
        self._names.open()
        is_reached = self._statements_of()
        self._expect("until", opened)
        self._expression()
        self._names.close()
        self._depth -= 3
        return self._loops[-1].pop() or is_reached

    def _function_statement(self) -> bool:
        opened = self._take()
        name = self._name()
        is_field = False
        while self._is(".") or self._is(":"):
            is_field = True
            self._take()
            self._name()
        if is_field:
            self._names.use(name)
        else:
            self._names.assign(name)
        self._function(opened)
        return True

    def _function(self, opened: Token) -> None:
        """Read parameters and body."""
        self._expect("(")
        self._names.open()
        while not self._is(")"):
            if self._accept("..."):
                break
            self._names.declare(self._name(), is_used=True)
            if not self._accept(","):
                break
        self._expect(")")
        outer, self._loops = self._loops, [*self._loops, []]
        returned = self._returns
        self._block()
        self._returns, self._loops = returned, outer
        self._names.close()
        self._expect("end", opened)

    def _local(self) -> bool:
        opened = self._take()
        if self._accept("function"):
            self._names.declare(self._name())
            self._function(opened)
            return True
        names = [self._name()]
        while self._accept(","):
            names.append(self._name())
        seen = self._expressions() if self._accept("=") else []
        for at, name in enumerate(names):
            self._names.declare(name, is_handle=at < len(seen) and seen[at].kind == "handle")
        return True

    def _return(self) -> bool:
        self._take()
        self._returns = True
        if self._next.text not in _BLOCK_ENDS and not self._is(";"):
            self._expressions()
        return False

    def _break(self) -> bool:
        token = self._take()
        if self._loops[-1]:
            self._loops[-1][-1] = True
        else:
            self._say(token, "'break' stands in no loop")
        return False

    # Expressions

    def _expressions(self) -> list[_Seen]:
        seen = [self._expression()]
        while self._accept(","):
            seen.append(self._expression())
        return seen

    def _expression(self, limit: int = 0) -> _Seen:
        self._deeper(1)
        if self._next.text in _UNARY and self._next.kind in ("op", "keyword"):
            is_minus = self._take().text == "-"
            seen = self._expression(_POWER)
            is_number = is_minus and isinstance(seen.value, int | float)
            seen = _Seen("literal", -seen.value) if is_number else _OTHER  # type: ignore[operator]
        else:
            seen = self._simple()
        while True:
            token = self._next
            strength = _BINARY.get(token.text) if token.kind in ("op", "keyword") else None
            if strength is None or strength[0] <= limit:
                break
            self._take()
            self._expression(strength[1])
            seen = _OTHER
        self._depth -= 1
        return seen

    def _simple(self) -> _Seen:
        token = self._next
        if token.kind == "number":
            self._take()
            return _Seen("literal", _number(token.text))
        if token.kind == "string":
            self._take()
            return _Seen("literal", token.text[1:-1])
        if token.text in ("nil", "true", "false", "...") and token.kind in ("keyword", "op"):
            self._take()
            return _OTHER
        if self._is("{"):
            self._table()
            return _OTHER
        if self._is("function"):
            self._function(self._take())
            return _OTHER
        return self._suffixed()

    def _table(self) -> None:
        opened = self._take()
        self._deeper(3)
        while not self._is("}"):
            if self._accept("["):
                self._expression()
                self._expect("]")
                self._expect("=")
            elif self._next.kind == "name" and self._tokens[self._at + 1].text == "=":
                self._take()
                self._take()
            self._expression()
            if not self._accept(",") and not self._accept(";"):
                break
        self._depth -= 3
        self._expect("}", opened)

    def _suffixed(self) -> _Seen:
        """Read a name or what is in brackets, with all that is read or called of it."""
        owner = self._next
        is_global = owner.kind == "name" and self._names.found(owner.text) is None
        if self._accept("("):
            self._deeper(4)
            self._expression()
            self._depth -= 4
            self._expect(")", owner)
        elif owner.kind == "name":
            self._take()
            self._use(owner)
        else:
            raise self._stopped(f"expected a value, got {self._shown()}")
        seen = _OTHER
        if is_global and self._is("."):
            seen = self._field(owner)
        while True:
            if self._accept("."):
                self._name()
                seen = _OTHER
            elif self._is("["):
                opened = self._take()
                self._expression()
                self._expect("]", opened)
                seen = _OTHER
            elif self._accept(":"):
                self._name()
                self._arguments()
                seen = _Seen("call")
            elif self._is_called():
                self._arguments()
                seen = _Seen("call")
            else:
                return seen

    def _field(self, owner: Token) -> _Seen:
        """Read a field of a known name, and a call when it is an indicator's."""
        self._take()
        name = self._name()
        wrong = field_problem(owner.text, name=name.text, fields=LUA_FIELDS)
        if wrong:
            self._say(name, wrong)
        if owner.text != "ta" or not self._is("("):
            return _OTHER
        given = [one.value for one in self._arguments()]
        wrong = call_problem(name.text, given, {})
        if wrong:
            self._say(name, wrong)
        return _Seen("call" if self._is_called() else "handle")

    def _is_called(self) -> bool:
        token = self._next
        return token.kind == "string" or (token.kind == "op" and token.text in ("(", "{"))

    def _arguments(self) -> list[_Seen]:
        self._deeper(4)
        opened = self._next
        seen: list[_Seen] = []
        if self._accept("("):
            if not self._is(")"):
                seen = self._expressions()
            self._expect(")", opened)
        else:
            seen.append(self._simple())
        self._depth -= 4
        return seen


def _number(text: str) -> int | float:
    if text[:2].lower() == "0x":
        return int(text, 16)
    value = float(text)
    return int(value) if value.is_integer() else value


def _end(found: list[Token]) -> Token:
    """Return a token where the text ends."""
    if not found:
        return Token("end", "", 1, 1)
    last = found[-1]
    *before, rest = last.text.split("\n")
    column = len(rest) + (1 if before else last.column)
    return Token("end", "", last.line + len(before), column)
