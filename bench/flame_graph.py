"""A flame graph of the coordinator under load: `python -m bench.flame_graph FOLDER SVG`.

64 children in flight through all processes, as in "whole path"; the coordinator's stack is looked
at every few milliseconds of its CPU time. Each bar is a function, as wide as its share of the time
with all that it calls; callers are below. Narrow bars are left out. Hover for the numbers. The
load, which is made in the same process, is shown too and is not the coordinator's work.
"""

import json
import sys
from html import escape
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench.sampling import Place
from bench.whole_path import Phase, Plan, run

SECONDS: Final = 12.0
WIDTH: Final = 1_200
ROW: Final = 16
CHAR: Final = 6.2  # width of a letter at this size
LEAST: Final = 0.002  # share of a bar that is shown
SKIPPED: Final = (
    "asyncio",
    "uvloop",
    "<frozen",
    "runpy",
    "/bench/flame_graph",
    "/bench/whole_path",
)
COLORS: Final = {
    "core": "#e8835a",
    "shells": "#e3b34c",
    "adapters": "#8fb86a",
    "domain": "#c98bb9",
    "bench": "#b5b5b5",
}


class Bar(msgspec.Struct):
    """A function under its callers."""

    name: str
    color: str
    count: int = 0
    above: dict[str, "Bar"] = {}


def tree(stacks: list[tuple[int, list[Place]]]) -> Bar:
    """Return all stacks as one tree, the loop below."""
    root = Bar(name="the coordinator's process", color="#d0d0d0")
    for count, stack in stacks:
        at = root
        at.count += count
        for file, _line, function in reversed(stack):
            if any(part in file for part in SKIPPED):
                continue
            module = Path(file).stem
            name = f"{module}.{function}".replace("<locals>.", "")
            if name not in at.above:
                at.above[name] = Bar(name=name, color=_color(file))
            at = at.above[name]
            at.count += count
    return root


def _color(file: str) -> str:
    parts = Path(file).parts
    return next((color for part, color in COLORS.items() if part in parts), "#d0d0d0")


def _depth(bar: Bar, least: float) -> int:
    return 1 + max(
        (_depth(one, least) for one in bar.above.values() if one.count >= least), default=0
    )


def _draw(out: list[str], bar: Bar, whole: Bar, *, left: float, bottom: int) -> None:
    share = bar.count / whole.count
    width = share * WIDTH
    shown = bar.name if len(bar.name) * CHAR < width - 4 else bar.name[: int((width - 8) / CHAR)]
    text = ""
    if width > 3 * CHAR:
        text = f'<text x="{left + 2:.0f}" y="{bottom - 4}">{escape(shown)}</text>'
    out.append(
        f'<g><title>{escape(bar.name)}: {share:.1%}</title><rect x="{left:.1f}" '
        f'y="{bottom - ROW}" width="{max(0.5, width - 0.5):.1f}" height="{ROW - 1}" '
        f'fill="{bar.color}"/>{text}</g>'
    )
    for one in sorted(bar.above.values(), key=lambda above: above.name):
        if one.count >= LEAST * whole.count:
            _draw(out, one, whole, left=left, bottom=bottom - ROW)
            left += one.count / whole.count * WIDTH


def drawn(root: Bar) -> str:
    """Return the tree as an SVG picture."""
    height = (_depth(root, LEAST * root.count) + 2) * ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="10">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    left = 4
    for name, color in (*COLORS.items(), ("other", "#d0d0d0")):
        out.append(f'<rect x="{left}" y="3" width="10" height="10" fill="{color}"/>')
        out.append(f'<text x="{left + 14}" y="12">{name}</text>')
        left += 90
    _draw(out, root, root, left=0.0, bottom=height)
    return "\n".join((*out, "</svg>")) + "\n"


def printed(bar: Bar, whole: Bar, depth: int = 0) -> None:
    """Print the widest bars as text."""
    if bar.count < whole.count / 50:
        return
    print(f"{'  ' * depth}{bar.count / whole.count:6.1%} {bar.name}")
    for one in sorted(bar.above.values(), key=lambda above: -above.count):
        printed(one, whole, depth + 1)


def main() -> None:
    """Take samples, draw, and print."""
    folder, picture = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(mode=0o700, exist_ok=True)
    phases = [Phase(name="64", seconds=SECONDS, in_flight=64)]
    uvloop.run(run(folder, Plan(phases=phases, samples=str(folder))))
    found = json.loads((folder / "coordinator.json").read_bytes())
    root = tree(found)
    picture.write_text(drawn(root), encoding="utf-8")
    print(f"{root.count} samples")
    printed(root, root)


if __name__ == "__main__":
    main()
