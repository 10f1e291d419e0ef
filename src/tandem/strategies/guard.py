"""The guard: what a Lua text must be to run beside others, and what is put into it.

A budget is counted down in the text itself: by a call after each `do`, `repeat` and parameter list.
So nothing runs for long that does not come past a count, whatever the virtual machine makes of it
(its own hooks do not see compiled code). All that is put in stays on its line, so every error
names the user's line. Before a `return` of the script itself its line is noted, so that an answer
that is none can be placed too.
"""

from typing import Final, NamedTuple

from tandem.domain.strategies import TEXT_BYTES_MAX
from tandem.strategies.errors import StrategyError
from tandem.strategies.lua_tokens import SLASHES, Token, plain_text, tokens

NESTING_MAX: Final = 100
_HEAD: Final = "local __t, __r = __t, __r; "  # locals are found faster
_TICK: Final = " __t(); "


class Guarded(NamedTuple):
    """A text that may be compiled, and whether it remembers anything."""

    source: str
    uses_state: bool


def guarded(text: str) -> Guarded:
    """Return the text with its budget counted.

    Raises:
        StrategyError: it is too long, no Lua, or of a kind that is not let in.
    """
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        raise StrategyError(None, f"expected at most {TEXT_BYTES_MAX} bytes")
    writer = _Writer()
    uses_state = False
    for token in tokens(plain_text(text)):
        if token.kind == "slashes":
            raise StrategyError(token.line, SLASHES)
        uses_state = uses_state or (token.kind == "name" and token.text == "state")
        writer.write(token)
    return Guarded(_HEAD + "".join(writer.pieces), uses_state)


class _Writer:
    """Puts the counts in, and knows in which blocks it is."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._blocks: list[str] = []
        self._functions = 0
        self._brackets = 0
        self._parameters_at: int | None = None  # brackets around a parameter list under way

    def write(self, token: Token) -> None:
        if token.kind == "keyword":
            self._write_keyword(token)
            return
        self.pieces.append(token.text)
        if token.kind == "op":
            self._after_op(token)

    def _write_keyword(self, token: Token) -> None:
        word = token.text
        if word == "return" and not self._functions:
            self.pieces.append(f"__r({token.line}); ")
        self.pieces.append(word)
        if word in ("do", "repeat"):
            self.pieces.append(_TICK)
        if word in ("if", "do", "repeat", "function"):
            self._blocks.append(word)
            if len(self._blocks) > NESTING_MAX:
                raise StrategyError(token.line, "nested too deeply")
        if word == "function":
            self._functions += 1
            self._parameters_at = self._brackets
        elif word in ("end", "until") and self._blocks and self._blocks.pop() == "function":
            self._functions -= 1

    def _after_op(self, token: Token) -> None:
        if token.text in ("(", "[", "{"):
            self._brackets += 1
            if self._brackets > NESTING_MAX:
                raise StrategyError(token.line, "nested too deeply")
        elif token.text in (")", "]", "}"):
            self._brackets -= 1
            if token.text == ")" and self._brackets == self._parameters_at:
                self._parameters_at = None
                self.pieces.append(_TICK)
