"""House rules that no off-the-shelf linter checks.

Each test gathers every place that breaks its rule, so that one run shows them all.
"""

import ast
import asyncio
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tandem"
UNIT = ROOT / "tests" / "unit"
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5
VAGUE_NAMES = (
    "Manager",
    "Handler",
    "Helper",
    "Processor",
    "Util",
    "Utils",
    "Base",
    "Mixin",
    "Data",
)
VAGUE_FILES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}
UNREPRODUCIBLE_CALLS = {"set", "id", "hash", "print", "float", "open", "input"}
WRITTEN_FOLDERS = (".ci", "bench", "docs", "examples", "requirements", "src", "tests")
WRITTEN_SUFFIXES = {"", ".c", ".h", ".in", ".md", ".py", ".sh", ".toml", ".txt", ".yml"}

# Spelled in pieces, because this file is searched as well.
MACHINE_PATH = re.compile(r"(?<![\w.\-/~])/(?:wo" + r"rk|fa" + r"rm|ro" + r"ot|ho" + r"me)/")
REGISTRY_HOST = re.compile(
    r"\b(?:py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + r"js\.org|crates" + r"\.io|"
    r"proxy\.go" + r"lang\.org|repo1?\.ma" + r"ven(?:\.apache)?\.org)\b"
)
FOR_LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b(?!\(#\d+\))")
ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|--editable")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PROMISE = re.compile(r"\b[ABCFI]\d{1,2}\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Finding = tuple[int, str]  # line, what is wrong there
Rule = Callable[[Path], Iterator[Finding]]


@functools.cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))))


def _python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@functools.cache
def _written_files() -> tuple[Path, ...]:
    """Return every text file that somebody wrote, tests and documents included."""
    found = [path for path in ROOT.iterdir() if path.name not in (".coverage", ".git")]
    for folder in WRITTEN_FOLDERS:
        found += (ROOT / folder).rglob("*")
    return tuple(
        path
        for path in sorted(found)
        if path.suffix in WRITTEN_SUFFIXES and path.is_file() and not _is_left_by_a_tool(path)
    )


def _is_left_by_a_tool(path: Path) -> bool:
    folders = path.relative_to(ROOT).parts[:-1]
    return any(one == "__pycache__" or (one[0] == "." and one != ".ci") for one in folders)


def _judge(paths: Sequence[Path], rule: Rule) -> None:
    broken = [
        f"{path.relative_to(ROOT)}:{line}: {why}" for path in paths for line, why in rule(path)
    ]
    assert not broken, "\n".join(["", *broken])


def _without(pattern: re.Pattern[str], why: str) -> Rule:
    def rule(path: Path) -> Iterator[Finding]:
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in pattern.finditer(text):
            yield _line(text, match), f"{match.group()!r}: {why}"

    return rule


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1


def test_files_and_functions_are_short() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > FILE_LINES_MAX:
            yield 1, f"{lines} lines, at most {FILE_LINES_MAX}"
        for node in _nodes(path):
            if isinstance(node, Function) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    yield node.lineno, f"{node.name}: {lines} lines, at most {FUNCTION_LINES_MAX}"

    _judge(_python_files("src"), rule)


def test_names_say_what_the_thing_is() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        if VAGUE_FILES & {path.stem, path.parent.name}:
            yield 1, "name the file after what it holds"
        for node in _nodes(path):
            if isinstance(node, ast.ClassDef) and node.name.endswith(VAGUE_NAMES):
                yield node.lineno, f"{node.name}: say what it is"

    _judge(_python_files("src", "tests", "bench"), rule)


def test_parameters_are_few_and_those_of_one_type_are_keyword_only() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        for node in _nodes(path):
            if not isinstance(node, Function) or node in _asyncio_overrides(path):
                continue
            positional = [*node.args.posonlyargs, *node.args.args]
            if positional and positional[0].arg in {"self", "cls"}:
                positional = positional[1:]
            count = len(positional) + len(node.args.kwonlyargs)
            excused = "noqa: PLR0913" in path.read_text().splitlines()[node.lineno - 1]
            if count > PARAMETERS_MAX and not excused:
                yield node.lineno, f"{node.name} takes {count}, at most {PARAMETERS_MAX}"
            if node.name.startswith("_") and not node.name.startswith("__"):
                continue  # whoever calls it has it in sight
            if node.name.startswith("_") and node.name != "__init__":
                continue  # a private function's callers stand in the same file
            types = Counter(ast.unparse(one.annotation) for one in positional if one.annotation)
            for name, times in types.items():
                if times > 1:
                    yield node.lineno, f"{node.name}: {times} positional parameters are {name}"

    _judge(_python_files("src"), rule)


@functools.cache
def _asyncio_overrides(path: Path) -> frozenset[ast.AST]:
    """Return the methods whose signature is not ours, because asyncio calls them."""
    return frozenset(
        method
        for node in _nodes(path)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Attribute) and ast.unparse(base.value) == "asyncio"
        for method in node.body
        if isinstance(method, Function) and hasattr(getattr(asyncio, base.attr), method.name)
        if method.name != "__init__"
    )


def test_inner_rings_are_synchronous_exact_and_reproducible() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        for node in _nodes(path):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                yield node.lineno, "async: the core never waits"
            elif isinstance(node, ast.BinOp) and (_is_float(node.left) or _is_float(node.right)):
                yield node.lineno, f"{ast.unparse(node)}: use ticks, lots or Decimal"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in UNREPRODUCIBLE_CALLS:
                    yield node.lineno, f"{node.func.id}() is not reproducible or not exact"
            elif isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter):
                yield node.iter.lineno, "the order of a set differs from run to run"

    _judge(_python_files("src/tandem/domain", "src/tandem/core"), rule)


def _is_float(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "frozenset"
    return isinstance(node, ast.Set | ast.SetComp)


def test_unit_tests_mirror_the_source() -> None:
    """A test file stands where its source file stands; its name may say more at the end."""

    def rule(path: Path) -> Iterator[Finding]:
        folder = SOURCE / path.parent.relative_to(UNIT)
        names = [f"test_{source.stem}" for source in folder.glob("*.py")]
        if not any(path.stem == name or path.stem.startswith(f"{name}_") for name in names):
            yield 1, f"nothing in {folder.relative_to(ROOT)} has that name"

    _judge(sorted(UNIT.rglob("test_*.py")), rule)


def test_every_file_that_decides_something_has_its_tests() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        tests = UNIT / path.parent.relative_to(SOURCE)
        decides = any(isinstance(node, Function) for node in _nodes(path))
        if decides and not any(tests.glob(f"test_{path.stem}*.py")):
            yield 1, f"no test_{path.stem}.py in {tests.relative_to(ROOT)}"

    _judge(_python_files("src/tandem/domain", "src/tandem/core"), rule)


def test_no_test_is_skipped_or_mocked() -> None:
    words = {"skip", "skipif", "xfail", "importorskip"}

    def rule(path: Path) -> Iterator[Finding]:
        for node in _nodes(path):
            if isinstance(node, ast.Attribute) and node.attr in words:
                if ast.unparse(node).startswith("pytest."):
                    yield node.lineno, f"{ast.unparse(node)}: a test runs, or it is deleted"
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest"):
                yield node.lineno, "fakes are small classes that satisfy a port"

    _judge(_python_files("tests"), rule)


def test_nothing_is_left_for_later_without_a_number() -> None:
    _judge(_written_files(), _without(FOR_LATER, "write its issue number behind it"))


def test_nothing_names_the_machine_it_was_written_on() -> None:
    _judge(_written_files(), _without(MACHINE_PATH, "a path of one machine"))


def test_nothing_names_a_package_registry() -> None:
    _judge(_written_files(), _without(REGISTRY_HOST, "whoever installs decides where from"))


def test_locked_requirements_hold_hashes_and_no_addresses() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        yield from _without(ADDRESS, "whoever installs decides where from")(path)
        lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        for line in lines or [""]:
            if "==" not in line or "--hash=sha256:" not in line:
                yield 1, f"not a version with hashes: {line[:60]!r}"

    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert [lock.name for lock in locks] == [
        "calendars.txt",
        "dev.txt",
        "lan.txt",
        "run.txt",
        "strategies.txt",
        "watch.txt",
    ]
    _judge(locks, rule)


def test_links_in_the_documents_lead_somewhere() -> None:
    def rule(path: Path) -> Iterator[Finding]:
        text = path.read_text(encoding="utf-8")
        for match in LINK.finditer(text):
            if "://" not in match.group(1) and not (path.parent / match.group(1)).exists():
                yield _line(text, match), f"{match.group(1)} does not exist"

    _judge([path for path in _written_files() if path.suffix == ".md"], rule)


def test_promises_that_a_test_names_are_known_ones() -> None:
    """An id such as A18 in a test's docstring is one that the documents explain."""
    known: set[str] = set()
    for name in ("papers.md", "promises.md"):
        known.update(PROMISE.findall((ROOT / "docs" / name).read_text(encoding="utf-8")))

    def rule(path: Path) -> Iterator[Finding]:
        for node in _nodes(path):
            if isinstance(node, ast.Module | ast.ClassDef | Function):
                for name in PROMISE.findall(ast.get_docstring(node) or ""):
                    if name not in known:
                        yield node.body[0].lineno, f"neither document in docs/ lists {name}"

    _judge(_python_files("tests"), rule)
