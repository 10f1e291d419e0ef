"""The two clocks in one value."""

import msgspec
import pytest

from tandem.domain.instant import Instant


def test_an_instant_is_two_integers_on_the_wire_and_frozen() -> None:
    now = Instant(5, 7)
    content = msgspec.msgpack.encode(now)
    assert msgspec.msgpack.decode(content) == [5, 7]
    assert msgspec.msgpack.decode(content, type=Instant) == now
    with pytest.raises(AttributeError):
        now.now_ns = 6  # type: ignore[misc]
