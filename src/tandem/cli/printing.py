"""Tables and JSON."""

import enum
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, TextIO

import msgspec

HIDDEN: Final = "(hidden)"


def plain(value: object) -> object:
    """Return `value` in what JSON knows; exact numbers become text, structs objects.

    One of several kinds of message says which. What a field called `secret` holds is not shown.
    """
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__.tag
        return ({"kind": tag} if tag is not None else {}) | {
            name: HIDDEN if name == "secret" else plain(getattr(value, name))
            for name in value.__struct_fields__
        }
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def write_json(value: object, out: TextIO) -> None:
    """Write `value` as one indented JSON text."""
    out.write(json.dumps(plain(value), indent=2, ensure_ascii=False))
    out.write("\n")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return lines of columns; a column whose head begins with `>` is aligned to the right."""
    names = [head.removeprefix(">") for head in heads]
    cells = [["-" if one is None else str(one) for one in row] for row in rows]
    widths = [
        max([len(name), *(len(row[place]) for row in cells)]) for place, name in enumerate(names)
    ]
    lines = []
    for row in [names, *cells]:
        parts = [
            one.rjust(width) if head.startswith(">") else one.ljust(width)
            for head, one, width in zip(heads, row, widths, strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    return "".join(f"{line}\n" for line in lines)


def amount(value: Decimal) -> str:
    """Return a sum of money, every digit of it, in groups of three."""
    return f"{value:,f}"


def milliseconds(nanoseconds: int | None) -> str:
    """Return a duration for people."""
    return "-" if nanoseconds is None else f"{nanoseconds / 1e6:.2f} ms"
