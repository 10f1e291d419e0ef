"""Strategies made up from a seed, the same one in Lua and in Python."""

from random import Random
from typing import NamedTuple

from tandem.domain.strategies import Language, StrategyText

_CALLS = (
    ("sma({p})", 1),
    ("ema({p})", 1),
    ("rsi({p})", 1),
    ("atr({p})", 1),
    ("mom({p})", 1),
    ("stddev({p}, 2)", 1),
    ("sma({p}, '5m')", 1),
    ("ema({q}, '15m')", 1),
    ("bbands({p}, 2, 2)", 3),
    ("macd({q}, {r}, 3)", 3),
    ("obv()", 1),
    ("rolling_vwap({p})", 1),
    ("supertrend({p}, 2)", 2),
)


class Pair(NamedTuple):
    """One strategy in both languages."""

    lua: StrategyText
    python: StrategyText


class _Author:
    """Writes a strategy, every line twice."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.lua: list[str] = []
        self.python: list[str] = ["def decide(ta, bar, position, params, state, close, high, log):"]
        self.names: list[str] = []

    def line(self, lua: str, python: str, depth: int = 0) -> None:
        self.lua.append("  " * depth + lua)
        self.python.append("    " * (depth + 1) + python)

    def value(self) -> str:
        """Return an expression that reads alike in both languages."""
        draw = self.draw
        back = draw.choice(("", "", str(draw.randint(1, 30))))
        kind = draw.randrange(6)
        if kind == 0:
            return f"(bar.close + {draw.choice(('bar.open', 'bar.high', 'bar.low'))}) / 2"
        if kind == 1:
            return f"close({back})"
        if kind == 2:
            return f"high({draw.randint(0, 40)})"
        if kind == 3:
            return f"(close() + position * {draw.randint(1, 9)})"
        return draw.choice(self.names)

    def condition(self) -> str:
        draw = self.draw
        simple = f"{self.value()} {draw.choice(('<', '>', '<=', '>='))} {self.value()}"
        if draw.random() < 0.3:
            return f"state.count % {draw.randint(2, 5)} == 0"
        if draw.random() < 0.2:
            return f"{simple} and position <= 0.5"
        return simple

    def answer(self) -> tuple[str, str]:
        draw = self.draw
        kind = draw.randrange(5)
        if kind == 0:
            share = draw.choice(("0.25", "-0.5", "1", "-1", "0.3333333"))
            return f"return {share}", f"return {share}"
        if kind == 1:
            keys = (("position", "0.5"), ("stop", "close() - 1"), ("target", "close() + 2.349"))
            return _table(keys)
        word = draw.choice(("'long'", "'short'", "'flat'"))
        return f"return {word}", f"return {word}"

    def indicator(self, number: int) -> None:
        draw = self.draw
        text, outputs = draw.choice(_CALLS)
        fast = draw.randint(2, 6)
        call = text.format(p=draw.randint(2, 40), q=fast, r=fast + draw.randint(1, 6))
        back = draw.choice(("", "", str(draw.randint(1, 12))))
        names = [f"v{number}_{at}" for at in range(outputs)]
        self.names += names
        listed = ", ".join(names)
        self.line(f"local {listed} = ta.{call}({back})", f"{listed} = ta.{call}({back})")

    def write(self) -> None:
        draw = self.draw
        count = "state.count = (state.count or 0) + 1"
        self.line(count, count)
        for number in range(draw.randint(1, 3)):
            self.indicator(number)
        for _ in range(draw.randint(1, 3)):
            condition = self.condition()
            self.line(f"if {condition} then", f"if {condition}:")
            if draw.random() < 0.4:
                self.line("state.seen = close()", "state.seen = close()", 1)
            if draw.random() < 0.2:
                self.line("log('seen', state.count)", "log('seen', state.count)", 1)
            self.line(*self.answer(), 1)
            self.lua.append("end")
        if draw.random() < 0.7:
            self.line(*self.answer())


def _table(keys: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    lua = ", ".join(f"{key} = {value}" for key, value in keys)
    python = ", ".join(f'"{key}": {value}' for key, value in keys)
    return f"return {{ {lua} }}", f"return {{{python}}}"


def made_up(seed: int) -> Pair:
    """Return the strategy of a seed."""
    author = _Author(seed)
    author.write()
    return Pair(
        StrategyText(name=f"s{seed}", language=Language.LUA, text="\n".join(author.lua)),
        StrategyText(name=f"s{seed}", language=Language.PYTHON, text="\n".join(author.python)),
    )
