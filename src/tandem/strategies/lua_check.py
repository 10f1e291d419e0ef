"""Reads a Lua text as a person would before running it, and says all that looks wrong.

A reader of the whole language, by recursive descent over the guard's tokens. It keeps no tree: it
knows which names stand where, which calls are of `ta`, and whether a block's end can be reached.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tandem.strategies.answers import KEYS
from tandem.strategies.calls import INDICATOR, LUA, counted, returned, uncalled
from tandem.strategies.errors import Problem, StrategyError
from tandem.strategies.lua_reading import EndedError, TokenReader
from tandem.strategies.lua_scopes import Scopes
from tandem.strategies.lua_tokens import Token, plain_text, tokens
from tandem.strategies.names import (
    LUA_FIELDS,
    Argument,
    call_problem,
    field_problem,
)

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


class _Seen(NamedTuple):
    """What an expression is, as far as it matters.

    `keys` are the named ones of a table. `token` is where an indicator stands that was not called,
    and `name` what it is called by.
    """

    kind: str  # call, handle, literal, rest, table, other
    value: Argument = None
    keys: tuple[Token, ...] = ()
    token: Token | None = None
    name: str = ""


_OTHER: Final = _Seen("other")
_OPEN: Final = frozenset({"call", "rest"})  # any number of values, at the end of a list


def problems(text: str) -> list[Problem]:
    """Return what is wrong with a Lua text, by line and column."""
    try:
        found = list(tokens(plain_text(text)))
    except StrategyError as error:
        return [Problem(error.line or 1, 1, error.message)]
    return _Reader(found).read()


class _Reader(TokenReader):
    """Reads one text."""

    def __init__(self, found: list[Token]) -> None:
        super().__init__(found)
        self._names = Scopes(self.say)
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
            if self.next.kind != "end":
                raise self.stopped(f"'{self.next.text}' closes nothing")
            self._judge_end(is_end_reached)
        except EndedError:
            pass
        return sorted(set(self.found))

    def _judge_end(self, is_end_reached: bool) -> None:
        end = self.tokens[-1]
        if not self._returns:
            self.say(end, "it never returns anything: expected a return of what is wanted")
        elif is_end_reached:
            text = "the end can be reached without a return: then the position stays as it is"
            self.say(end, text, is_error=False)

    def _want_value(self, seen: _Seen) -> None:
        """Judge what is counted with, or returned."""
        if seen.kind == "handle" and seen.token is not None:
            call = f"{seen.name}(…)()" if "." in seen.name else f"{seen.name}()"
            self.say(seen.token, uncalled(seen.name, call=call))

    # Statements: each returns whether what stands behind it can be reached

    def _block(self) -> bool:
        self.deeper(3)
        self._names.open()
        is_reached = self._statements_of()
        self._names.close()
        self.deeper(-3)
        return is_reached

    def _statements_of(self) -> bool:
        is_reached = True
        while not (self.next.kind in ("keyword", "end") and self.next.text in _BLOCK_ENDS):
            if not is_reached:
                self.say(self.next, "this is never reached", is_error=False)
                is_reached = True
            first = self.next
            is_reached = self._statement()
            self.accept(";")
            if first.text in ("return", "break") and self.next.text not in _BLOCK_ENDS:
                raise self.stopped(f"nothing can follow '{first.text}' in its block")
        return is_reached

    def _statement(self) -> bool:
        token = self.next
        statement = self._statements.get(token.text) if token.kind == "keyword" else None
        return self._plain_statement() if statement is None else statement()

    def _plain_statement(self) -> bool:
        first = self.next
        name, seen = self._target()
        if seen.kind == "call":
            return first.text != "error" or self._names.found("error") is not None
        names = [name]
        while self.accept(","):
            names.append(self._target()[0])
        if not self.stands("="):
            raise self.stopped(f"expected '=' or a call, got {self.shown()}")
        self.take()
        self._expressions()
        for one in names:
            if one is not None:
                self._names.assign(one)
        return True

    def _target(self) -> tuple[Token | None, _Seen]:
        """Read what may be assigned to, or called; the token of a name that stands alone."""
        token = self.next
        if token.kind == "name" and self.tokens[self.at + 1].text in ("=", ","):
            return self.take(), _OTHER
        return None, self._suffixed()

    def _if(self) -> bool:
        opened = self.take()
        is_reached = False
        while True:
            self._expression()
            self.expect("then")
            is_reached |= self._block()
            if not self.accept("elseif"):
                break
        is_reached |= self._block() if self.accept("else") else True
        self.expect("end", opened)
        return is_reached

    def _while(self) -> bool:
        opened = self.take()
        is_endless = self.stands("true") and self.tokens[self.at + 1].text == "do"
        self._expression()
        self.expect("do")
        is_left = self._loop()
        self.expect("end", opened)
        return is_left or not is_endless

    def _loop(self) -> bool:
        """Read a loop's block; return whether a break leaves it."""
        self._loops[-1].append(False)
        self._block()
        return self._loops[-1].pop()

    def _do(self) -> bool:
        opened = self.take()
        is_reached = self._block()
        self.expect("end", opened)
        return is_reached

    def _for(self) -> bool:
        opened = self.take()
        names = [self.name()]
        if self.accept("="):
            self._expression()
            self.expect(",")
            self._expression()
            if self.accept(","):
                self._expression()
        else:
            while self.accept(","):
                names.append(self.name())
            self.expect("in")
            self._expressions()
        self.expect("do")
        self._names.open()
        for name in names:
            self._names.declare(name, is_used=True)
        self._loop()
        self._names.close()
        self.expect("end", opened)
        return True

    def _repeat(self) -> bool:
        opened = self.take()
        self._loops[-1].append(False)
        self.deeper(3)
        self._names.open()
        is_reached = self._statements_of()
        self.expect("until", opened)
        self._expression()
        self._names.close()
        self.deeper(-3)
        return self._loops[-1].pop() or is_reached

    def _function_statement(self) -> bool:
        opened = self.take()
        name = self.name()
        is_field = False
        while self.stands(".") or self.stands(":"):
            is_field = True
            self.take()
            self.name()
        if is_field:
            self._names.use(name)
        else:
            self._names.assign(name)
        self._function(opened)
        return True

    def _function(self, opened: Token) -> None:
        """Read parameters and body."""
        self.expect("(")
        self._names.open()
        while not self.stands(")"):
            if self.accept("..."):
                break
            self._names.declare(self.name(), is_used=True)
            if not self.accept(","):
                break
        self.expect(")")
        outer, self._loops = self._loops, [*self._loops, []]
        returned = self._returns
        self._block()
        self._returns, self._loops = returned, outer
        self._names.close()
        self.expect("end", opened)

    def _local(self) -> bool:
        opened = self.take()
        if self.accept("function"):
            self._names.declare(self.name())
            self._function(opened)
            return True
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        seen = self._expressions() if self.accept("=") else []
        for at, name in enumerate(names):
            self._names.declare(name, is_handle=at < len(seen) and seen[at].kind == "handle")
        return True

    def _return(self) -> bool:
        self.take()
        self._returns = True
        if self.next.text not in _BLOCK_ENDS and not self.stands(";"):
            first = self.next
            seen = self._expressions()[0]
            if len(self._loops) == 1:  # of the text itself, not of a function in it
                self._judge_answer(first, seen)
        return False

    def _judge_answer(self, first: Token, seen: _Seen) -> None:
        self._want_value(seen)
        wrong = returned(seen.value)
        if wrong:
            self.say(first, wrong)
        for key in seen.keys:
            if key.text not in KEYS:
                expected = f"expected only {', '.join(KEYS)}"
                self.say(key, f"the answer has '{key.text}', {expected}")

    def _break(self) -> bool:
        token = self.take()
        if self._loops[-1]:
            self._loops[-1][-1] = True
        else:
            self.say(token, "'break' stands in no loop")
        return False

    # Expressions

    def _expressions(self) -> list[_Seen]:
        seen = [self._expression()]
        while self.accept(","):
            seen.append(self._expression())
        return seen

    def _expression(self, limit: int = 0) -> _Seen:
        self.deeper(1)
        if self.next.text in _UNARY and self.next.kind in ("op", "keyword"):
            sign = self.take().text
            is_minus = sign == "-"
            seen = self._expression(_POWER)
            if sign != "not":
                self._want_value(seen)
            is_number = is_minus and isinstance(seen.value, int | float)
            seen = _Seen("literal", -seen.value) if is_number else _OTHER  # type: ignore[operator]
        else:
            seen = self._simple()
        while True:
            token = self.next
            strength = _BINARY.get(token.text) if token.kind in ("op", "keyword") else None
            if strength is None or strength[0] <= limit:
                break
            self.take()
            right = self._expression(strength[1])
            if token.text in _COUNTING:
                self._want_value(seen)
                self._want_value(right)
            seen = _OTHER
        self.deeper(-1)
        return seen

    def _simple(self) -> _Seen:
        token = self.next
        if token.kind == "number":
            self.take()
            return _Seen("literal", _number(token.text))
        if token.kind == "string":
            self.take()
            return _Seen("literal", _string(token.text))
        if token.text in ("nil", "true", "false", "...") and token.kind in ("keyword", "op"):
            self.take()
            return _Seen("rest") if token.text == "..." else _OTHER
        if self.stands("{"):
            return _Seen("table", keys=self._table())
        if self.stands("function"):
            self._function(self.take())
            return _OTHER
        return self._suffixed()

    def _table(self) -> tuple[Token, ...]:
        """Read a table; return the keys that are names."""
        opened = self.take()
        keys: list[Token] = []
        self.deeper(3)
        while not self.stands("}"):
            if self.accept("["):
                self._expression()
                self.expect("]")
                self.expect("=")
            elif self.next.kind == "name" and self.tokens[self.at + 1].text == "=":
                keys.append(self.take())
                self.take()
            self._expression()
            if not self.accept(",") and not self.accept(";"):
                break
        self.deeper(-3)
        self.expect("}", opened)
        return tuple(keys)

    def _suffixed(self) -> _Seen:
        """Read a name or what is in brackets, with all that is read or called of it."""
        owner = self.next
        is_global = owner.kind == "name" and self._names.found(owner.text) is None
        seen, known = _OTHER, ""  # what can be called by its name, as far as it is known
        if self.accept("("):
            self.deeper(4)
            self._expression()
            self.deeper(-4)
            self.expect(")", owner)
        elif owner.kind == "name":
            self.take()
            known = owner.text if is_global else ""
            if self._names.use(owner):
                seen = _Seen("handle", token=owner, name=owner.text)
        else:
            raise self.stopped(f"expected a value, got {self.shown()}")
        if is_global and self.stands("."):
            seen, known = self._field(owner)
        return self._read_on(owner, seen, known)

    def _read_on(self, owner: Token, seen: _Seen, known: str) -> _Seen:
        """Read all that is read or called of a value."""
        while True:
            called = INDICATOR if seen.kind == "handle" else known
            known = ""
            if self.accept("."):
                self.name()
                seen = _OTHER
            elif self.stands("["):
                opened = self.take()
                self._expression()
                self.expect("]", opened)
                seen = _OTHER
            elif self.accept(":"):
                self.name()
                self._arguments()
                seen = _Seen("call")
            elif self._is_called():
                self._judge_call(owner, called, self._arguments())
                seen = _Seen("call")
            else:
                return seen

    def _judge_call(self, owner: Token, called: str, given: list[_Seen]) -> None:
        is_open = bool(given) and given[-1].kind in _OPEN
        wrong = counted(called, [one.value for one in given], LUA, is_open=is_open)
        if wrong:
            self.say(owner, wrong)

    def _field(self, owner: Token) -> tuple[_Seen, str]:
        """Read a field of a known name, and a call when it is an indicator's; also its name."""
        self.take()
        name = self.name()
        wrong = field_problem(owner.text, name=name.text, fields=LUA_FIELDS)
        if wrong:
            self.say(name, wrong)
        title = f"{owner.text}.{name.text}"
        if owner.text != "ta" or not self.stands("("):
            return _OTHER, title
        given = [one.value for one in self._arguments()]
        wrong = call_problem(name.text, given, {})
        if wrong:
            self.say(name, wrong)
        return _Seen("handle", token=owner, name=title), ""

    def _is_called(self) -> bool:
        token = self.next
        return token.kind == "string" or (token.kind == "op" and token.text in ("(", "{"))

    def _arguments(self) -> list[_Seen]:
        self.deeper(4)
        opened = self.next
        seen: list[_Seen] = []
        if self.accept("("):
            if not self.stands(")"):
                seen = self._expressions()
            self.expect(")", opened)
        else:
            seen.append(self._simple())
        self.deeper(-4)
        return seen


def _string(text: str) -> str | None:
    """Return what stands in a literal; None where it must be worked out first."""
    return None if text[0] == "[" or "\\" in text else text[1:-1]


def _number(text: str) -> int | float:
    if text[:2].lower() == "0x":
        return int(text, 16)
    value = float(text)
    return int(value) if value.is_integer() else value
