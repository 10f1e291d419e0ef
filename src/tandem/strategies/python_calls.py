"""Calls and values in a Python text: what it gives to known names, counts with and returns."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from tandem.strategies.answers import KEYS
from tandem.strategies.calls import INDICATOR, KNOWN, counted, returned, uncalled
from tandem.strategies.errors import Problem
from tandem.strategies.names import Argument, call_problem
from tandem.strategies.python_text import problem_at


def judge_calls(function: ast.FunctionDef) -> Iterator[Problem]:
    """Yield what is wrong with calls of `ta`, of what a function is given, and of indicators."""
    known = _known(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            wrong = _call_problem(node, known)
            if wrong:
                yield problem_at(node, wrong)
        for one in _counted_with(node):
            title = _title(one, known)
            if title:
                call = f"{title}(…)()" if "." in title else f"{title}()"
                yield problem_at(one, uncalled(title, call=call))


def judge_returns(function: ast.FunctionDef) -> Iterator[Problem]:
    """Yield what is wrong with what `decide` returns, where it stands in the text."""
    known = _known(function)
    for node in _own(function):
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        wrong = returned(argument(node.value))
        if wrong:
            yield problem_at(node.value, wrong)
        title = _title(node.value, known)
        if title:
            call = f"{title}(…)()" if "." in title else f"{title}()"
            yield problem_at(node.value, uncalled(title, call=call))
        for key in node.value.keys if isinstance(node.value, ast.Dict) else ():
            if isinstance(key, ast.Constant) and key.value not in KEYS:
                expected = f"expected only {', '.join(KEYS)}"
                yield problem_at(key, f"the answer has {key.value!r}, {expected}")


def argument(node: ast.expr) -> Argument:
    """Return a value that stands in the text; None for one that is known only later."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return value if isinstance(value, int | float | str) else None


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield all of a function that is not of one inside of it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _known(function: ast.FunctionDef) -> Mapping[str, str]:
    """Return what is called by which name: what is given, and indicators that are asked for."""
    given = {one.arg for one in function.args.args}
    stored = Counter(
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    known = {name: name for name in KNOWN if name in given and name not in stored}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and is_indicator(node.value):
            for target in node.targets:
                if isinstance(target, ast.Name) and stored[target.id] == 1:
                    known[target.id] = INDICATOR
    return known


def _call_problem(node: ast.Call, known: Mapping[str, str]) -> str | None:
    given = [argument(one) for one in node.args]
    is_open = any(isinstance(one, ast.Starred) for one in node.args) or any(
        one.arg is None for one in node.keywords
    )
    if is_open:
        return None
    if is_indicator(node):
        named = {one.arg: argument(one.value) for one in node.keywords if one.arg}
        return call_problem(node.func.attr, given, named)  # type: ignore[attr-defined]
    title = INDICATOR if is_indicator(node.func) else ""
    if isinstance(node.func, ast.Name):
        title = known.get(node.func.id, "")
    return counted(title, [*given, *(argument(one.value) for one in node.keywords)], KNOWN)


def _counted_with(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what stands beside an operator that wants numbers."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Compare):
        yield from (node.left, *node.comparators)


def _title(node: ast.expr, known: Mapping[str, str]) -> str:
    """Return what an indicator that is not called is called by; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id if known.get(node.id) == INDICATOR else ""
    return f"ta.{node.func.attr}" if is_indicator(node) else ""  # type: ignore[attr-defined]


def is_indicator(node: ast.expr) -> TypeGuard[ast.Call]:
    """Return whether it asks for an indicator, such as `ta.sma(10)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    return isinstance(owner, ast.Name) and owner.id == "ta"
