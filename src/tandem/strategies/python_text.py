"""What a strategy in Python may be, and how it is compiled.

A text has no memory but `state`, so that an evaluator that has just begun says what a warm one
says. What outlives an evaluation cannot be changed: the module holds imports of `math`, values
that cannot change, functions and a class; nothing rebinds a global; attributes are set on `self`
and `state` only, and an object of the class is made anew for each bar. Sets have another order in
each process, so they are only asked what is in them.
"""

import ast
import math
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from tandem.domain.strategies import TEXT_BYTES_MAX
from tandem.strategies.errors import Problem, StrategyError
from tandem.strategies.names import GIVEN

FILE: Final = "<strategy>"
DECIDE: Final = "decide"
_SHAPES: Final = (
    *(bool, dict, enumerate, filter, float, int, list, map, range, slice, str, tuple, zip),
)
_FUNCTIONS: Final = (
    *(abs, all, any, divmod, isinstance, len, max, min, pow, reversed, round, sorted, sum),
)
_ERRORS: Final = (
    *(ArithmeticError, AttributeError, Exception, IndexError, KeyError),
    *(OverflowError, TypeError, ValueError, ZeroDivisionError),
)
BUILTINS: Final[dict[str, Any]] = {one.__name__: one for one in (*_SHAPES, *_FUNCTIONS, *_ERRORS)}
_FIXED: Final = (
    *(ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.expr_context),
    *(ast.UAdd, ast.USub, ast.Not, ast.Add, ast.Sub, ast.Mult, ast.Div),
)
_BODY: Final = (ast.FunctionDef, ast.ClassDef)
_REFUSED: Final[dict[type[ast.AST], str]] = {
    ast.Global: "nothing is kept between bars but 'state'",
    ast.Nonlocal: "expected names of the same function",
    ast.AsyncFunctionDef: "a strategy waits for nothing",
    ast.Await: "a strategy waits for nothing",
    ast.Set: "the order of a set differs from run to run; write a tuple",
    ast.SetComp: "the order of a set differs from run to run; write a list",
}


class Program(NamedTuple):
    """A compiled text: what to call for each bar, and the names of what it wants to be given."""

    call: Callable[..., object]
    names: tuple[str, ...]
    text: str


def program_of(text: str, *, tells_lines: bool = False) -> Program:
    """Return the text, ready to be called.

    With `tells_lines` what it returns has the line of the `return` before it.

    Raises:
        StrategyError: it is no Python, or of a kind that is not let in.
    """
    tree = tree_of(text)
    for problem in sorted(refusals(tree)):
        raise StrategyError(problem.line, problem.message)
    function, owner = decider(tree)
    if tells_lines:
        function.body = [_Telling().visit(one) for one in function.body]
        ast.fix_missing_locations(tree)
    namespace: dict[str, Any] = {
        "__builtins__": {**BUILTINS, "__build_class__": __build_class__, "__import__": _import},
        "__name__": "strategy",
    }
    try:
        exec(compile(tree, FILE, "exec"), namespace)  # noqa: S102 - what a user wrote to be run
    except Exception as error:
        raise StrategyError(None, f"{type(error).__name__}: {error}") from error
    names = tuple(one.arg for one in function.args.args)
    if owner is None:
        return Program(namespace[DECIDE], names, text)
    made = namespace[owner.name]
    return Program(lambda *given: made().decide(*given), names[1:], text)


class _Telling(ast.NodeTransformer):
    """Puts its line before what each `return` of a function returns."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Leave functions inside as they are."""
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """Change one."""
        value = node.value or ast.Constant(None)
        told = ast.Tuple([ast.Constant(node.lineno), value], ast.Load())
        return ast.copy_location(ast.Return(told), node)


def tree_of(text: str) -> ast.Module:
    """Return the parsed text.

    Raises:
        StrategyError: it is no Python, or too long.
    """
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        raise StrategyError(None, f"expected at most {TEXT_BYTES_MAX} bytes")
    try:
        return ast.parse(text, FILE)
    except SyntaxError as error:
        raise StrategyError(error.lineno, error.msg) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise StrategyError(None, f"this cannot be Python: {error}") from error


def decider(tree: ast.Module) -> tuple[ast.FunctionDef, ast.ClassDef | None]:
    """Return the function that decides, and the class that it belongs to, if it does.

    Raises:
        StrategyError: there is none.
    """
    for one in tree.body:
        if isinstance(one, ast.FunctionDef) and one.name == DECIDE:
            return one, None
        if isinstance(one, ast.ClassDef):
            for method in one.body:
                if isinstance(method, ast.FunctionDef) and method.name == DECIDE:
                    return method, one
    raise StrategyError(
        1, "expected a function 'decide(ta, bar, position, params, state)', or a class with one"
    )


def refusals(tree: ast.Module) -> Iterator[Problem]:
    """Yield what is not let in, in no order."""
    for one in tree.body:
        yield from _judge_outer(one)
        if isinstance(one, ast.ClassDef):
            for inner in one.body:
                yield from _judge_outer(inner)
    asked = _sets_asked(tree)
    for node in ast.walk(tree):
        why = _why_refused(node)
        if why and node not in asked:
            yield problem_at(node, why)
    try:
        function, owner = decider(tree)
    except StrategyError as error:
        yield Problem(1, 1, error.message)
        return
    yield from _judge_arguments(function, owner)


def problem_at(node: ast.AST, message: str, *, is_error: bool = True) -> Problem:
    """Return a problem where a node stands."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return Problem(line, column + 1, message, is_error)


def _judge_outer(node: ast.stmt) -> Iterator[Problem]:
    """Judge a statement outside of functions."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if isinstance(node, (*_BODY, ast.Import, ast.ImportFrom, ast.Pass)) or is_text:
        return
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if value is None or not _is_fixed(value):
        yield problem_at(
            node,
            "expected, outside of functions, imports of math, functions, a class, and values that "
            "cannot change: numbers, strings, tuples",
        )


def _sets_asked(tree: ast.Module) -> list[ast.expr]:
    """Return what stands behind `in`: a set there is never gone through."""
    return [
        asked
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for operator, asked in zip(node.ops, node.comparators, strict=True)
        if isinstance(operator, ast.In | ast.NotIn) and isinstance(asked, ast.Set)
    ]


def _is_fixed(node: ast.expr) -> bool:
    return all(isinstance(one, _FIXED) for one in ast.walk(node))


def _judge_arguments(function: ast.FunctionDef, owner: ast.ClassDef | None) -> Iterator[Problem]:
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        yield problem_at(function, "expected plain names as what decide is given")
    names = arguments.args
    if owner is not None:
        if not names:
            yield problem_at(function, "a method's first name is 'self'")
        names = names[1:]
    for one in names:
        if one.arg not in GIVEN:
            known = ", ".join(sorted(GIVEN))
            yield problem_at(one, f"decide can be given {known}, not {one.arg!r}")


def _why_refused(node: ast.AST) -> str | None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _why_import(node)
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        return "names that begin with '__' are reserved"
    if isinstance(node, ast.Attribute):
        return _why_attribute(node)
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        return "expected what is caught: 'except ValueError:'"
    return _REFUSED.get(type(node)) or _why_kept(node)


def _why_kept(node: ast.AST) -> str | None:
    if isinstance(node, ast.ClassDef) and (node.bases or node.keywords or node.decorator_list):
        return "a class stands alone here, without others above it"
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        return "a decorator is not known here"
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one)]
        if not all(_is_fixed(one) for one in defaults):
            return "a default that can change is kept between bars; expected a value that cannot"
    return None


def _why_import(node: ast.Import | ast.ImportFrom) -> str | None:
    names = [node.module] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
    return None if names == ["math"] else "only math can be imported"


def _why_attribute(node: ast.Attribute) -> str | None:
    if node.attr.startswith("__"):
        return "names that begin with '__' are reserved"
    is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "state")
    if is_own or isinstance(node.ctx, ast.Load):
        return None
    return "only 'state' and 'self' have attributes that can be set"


def _import(name: str, *_: object) -> object:
    if name != "math":
        raise ImportError("only math can be imported")
    return math
