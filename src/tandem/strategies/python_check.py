"""Reads a Python text as a person would before running it, and says all that looks wrong."""

import ast
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from itertools import pairwise
from typing import Final

from tandem.strategies.errors import Problem, StrategyError, meant
from tandem.strategies.names import FIELDS, GIVEN, field_problem
from tandem.strategies.python_calls import judge_calls, judge_returns
from tandem.strategies.python_text import (
    BUILTINS,
    decider,
    problem_at,
    program_of,
    refusals,
    tree_of,
)

NO_RETURN: Final = "it never returns anything: expected a return of what is wanted"
ENDS: Final = "the end can be reached without a return: then the position stays as it is"
_LEAVES: Final = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def problems(text: str) -> list[Problem]:
    """Return what is wrong with a Python text, by line and column."""
    try:
        tree = tree_of(text)
    except StrategyError as error:
        return [Problem(error.line or 1, 1, error.message)]
    found = set(refusals(tree))
    outer = _bound(tree) | BUILTINS.keys()
    for function in _functions(tree):
        found.update(_judge_names(function, outer))
        found.update(_judge_fields(function))
        found.update(judge_calls(function))
        found.update(_judge_reach(function))
    with suppress(StrategyError):
        function = decider(tree)[0]
        found.update(_judge_end(function))
        found.update(judge_returns(function))
    if not any(one.is_error for one in found):
        try:
            program_of(text)
        except StrategyError as error:
            found.add(Problem(error.line or 1, 1, error.message))
    return sorted(found)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield functions and methods, not those inside of them."""
    for one in tree.body:
        inner = one.body if isinstance(one, ast.ClassDef) else [one]
        yield from (method for method in inner if isinstance(method, ast.FunctionDef))


def _bound(tree: ast.AST) -> set[str]:
    """Return every name that something in there is given to."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


def _judge_names(function: ast.FunctionDef, outer: Set[str]) -> Iterator[Problem]:
    bound = _bound(function)
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    read = {one.id for one in names if isinstance(one.ctx, ast.Load)}
    for one in names:
        if isinstance(one.ctx, ast.Load):
            if one.id not in outer and one.id not in bound:
                hint = meant(one.id, outer | bound | GIVEN)
                if one.id in GIVEN:
                    hint = f"; add it to what '{function.name}' is given"
                yield problem_at(one, f"unknown name '{one.id}'{hint}")
        elif one.id not in read and not one.id.startswith("_"):
            yield problem_at(one, f"'{one.id}' is never used", is_error=False)


def _judge_fields(function: ast.FunctionDef) -> Iterator[Problem]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            wrong = field_problem(node.value.id, name=node.attr, fields=FIELDS)
            if wrong:
                yield problem_at(node, wrong)


def _judge_reach(function: ast.FunctionDef) -> Iterator[Problem]:
    for node in ast.walk(function):
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            for before, one in pairwise(statements if isinstance(statements, list) else []):
                if isinstance(before, ast.stmt) and not _passes(before):
                    yield problem_at(one, "this is never reached", is_error=False)


def _judge_end(function: ast.FunctionDef) -> Iterator[Problem]:
    returns = [one for one in ast.walk(function) if isinstance(one, ast.Return) and one.value]
    if not returns:
        yield problem_at(function, NO_RETURN)
    elif _is_passed(function.body):
        yield problem_at(function.body[-1], ENDS, is_error=False)


def _is_passed(statements: Sequence[ast.stmt]) -> bool:
    """Return whether the end of a block can be reached."""
    return all(_passes(one) for one in statements)


def _passes(one: ast.stmt) -> bool:
    """Return whether what stands behind a statement can be reached."""
    if isinstance(one, _LEAVES):
        return False
    if isinstance(one, ast.If):
        return _is_passed(one.body) or _is_passed(one.orelse)
    if isinstance(one, ast.While):
        is_endless = isinstance(one.test, ast.Constant) and bool(one.test.value)
        return not is_endless or any(isinstance(inner, ast.Break) for inner in ast.walk(one))
    if isinstance(one, ast.Try):
        is_passed = _is_passed([*one.body, *one.orelse]) or any(
            _is_passed(handler.body) for handler in one.handlers
        )
        return is_passed and _is_passed(one.finalbody)
    return True
