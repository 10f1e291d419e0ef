"""How values are laid out."""

import msgspec
import pytest

from tandem.domain.value import Value


class Point(Value, frozen=True, kw_only=True, tag="point"):
    x: int
    y: int = 0


def test_a_value_is_an_array_on_the_wire_so_that_fields_may_be_added_at_the_end() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(Point(x=1, y=2))) == ["point", 1, 2]
    older = msgspec.msgpack.encode(["point", 1])
    assert msgspec.msgpack.decode(older, type=Point) == Point(x=1)


def test_a_value_is_frozen_and_equal_values_are_one_key() -> None:
    one = Point(x=1)
    with pytest.raises(AttributeError):
        one.x = 2  # type: ignore[misc]
    assert {one: "a"}[Point(x=1)] == "a"
