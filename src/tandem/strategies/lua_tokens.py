"""Lua 5.1 texts as tokens, each with its place.

Two virtual machines run our strategies, and they do not read alike all that either of them takes.
What they would read differently is refused here: numbers and escapes that only one knows, `goto`,
bytes outside of ASCII in names, and line ends that end a comment for one of them only.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tandem.strategies.errors import StrategyError

KEYWORDS: Final = frozenset(
    re.findall(
        "[a-z]+",
        "and break do else elseif end false for function if in local nil not or repeat return "
        "then true until while",
    )
)
_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\n]+)
    | (?P<comment>--(?!\[=*\[)[^\n]*|--\[(?P<comment_level>=*)\[)
    | (?P<slashes>//[^\n]*)
    | (?P<long>\[(?P<level>=*)\[)
    | (?P<string>"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')
    | (?P<number>(?:0[xX]|\.?[0-9])(?:[eE][+-]|[A-Za-z0-9_.])*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<op>\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^\#<>=(){}\[\];:,.])
    """,
    re.X,
)
_NUMBER: Final = re.compile(
    r"0[xX][0-9a-fA-F]{1,13}|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
)
_ESCAPE: Final = re.compile(r"\\([0-9]{1,3}|[\s\S])")
_OTHER_LANGUAGES: Final = {
    "!=": "'!=' is not Lua; write '~='",
    "&&": "'&&' is not Lua; write 'and'",
    "||": "'||' is not Lua; write 'or'",
    "!": "'!' is not Lua; write 'not'",
}
SLASHES: Final = "a comment begins with '--' in Lua, not with '//'"
BYTE_MAX: Final = 255


class Token(NamedTuple):
    """A piece of text. `kind`: space, comment, slashes, string, number, name, keyword or op."""

    kind: str
    text: str
    line: int
    column: int


def plain_text(text: str) -> str:
    """Return a text with one kind of line end; a lone carriage return would hide code.

    Raises:
        StrategyError: it holds a control character, so it is no text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if any(ord(one) < ord(" ") and one != "\t" for one in line):
            raise StrategyError(number, "a control character: expected text")
    return text


def tokens(text: str) -> Iterator[Token]:
    """Yield every token of a plain text, spaces and comments too: joined, they are the text.

    Raises:
        StrategyError: something there is not Lua.
    """
    at, line, line_begin = 0, 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise StrategyError(line, _strange(text, at))
        kind = match.lastgroup or ""
        end = match.end()
        level = match["comment_level"] if kind == "comment" else match["level"]
        if level is not None:
            end = _long_end(text, end, level, line)
        found = Token(kind, text[at:end], line, at - line_begin + 1)
        yield _judged(found)
        line += found.text.count("\n")
        if "\n" in found.text:
            line_begin = at + found.text.rindex("\n") + 1
        at = end


def _long_end(text: str, begin: int, level: str, line: int) -> int:
    found = text.find(f"]{level}]", begin)
    if found < 0:
        raise StrategyError(line, f"'[{level}[' has no ']{level}]'")
    return found + len(level) + 2


def _strange(text: str, at: int) -> str:
    for length in (2, 1):
        message = _OTHER_LANGUAGES.get(text[at : at + length])
        if message is not None:
            return message
    if text[at] in "\"'":
        return "a string without its end"
    return f"unexpected {text[at]!r}"


def _judged(token: Token) -> Token:
    kind, text, line, _ = token
    if kind == "long":
        return token._replace(kind="string")
    if kind == "number" and _NUMBER.fullmatch(text) is None:
        raise StrategyError(line, f"{text!r} is not a number")
    if kind == "string":
        _judge_escapes(text, line)
    if kind == "name":
        if text in KEYWORDS:
            return token._replace(kind="keyword")
        if text == "goto":
            raise StrategyError(line, "'goto' is not known here; write a loop")
        if text.startswith("__"):
            raise StrategyError(line, f"{text!r}: names that begin with '__' are reserved")
    return token


def _judge_escapes(text: str, line: int) -> None:
    for escape in _ESCAPE.findall(text):
        if escape.isdecimal():
            if int(escape) > BYTE_MAX:
                raise StrategyError(line, f"'\\{escape}' is more than a byte")
        elif escape not in "abfnrtv\\\"'\n":
            raise StrategyError(line, f"'\\{escape}' is not known in a string")
