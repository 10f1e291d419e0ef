"""The set-up bundle, part by part."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.bundle_parts import BundleParts
from tandem.domain.link import BUNDLE_BYTES_MAX, BundlePart


def part(index: int, count: int, content: bytes = b"x") -> BundlePart:
    return BundlePart(index=index, count=count, content=content)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=9))
def test_parts_in_order_give_the_whole_with_the_last(contents: list[bytes]) -> None:
    """A38."""
    parts = BundleParts()
    for _ in range(2):
        whole = [parts.take(part(at, len(contents), one)) for at, one in enumerate(contents)]
        assert whole == [None] * (len(contents) - 1) + [b"".join(contents)]


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=30))
def test_any_order_gives_a_whole_only_after_all_parts_since_the_first(
    steps: list[tuple[int, int]],
) -> None:
    parts = BundleParts()
    run: list[int] = []
    for index, count in steps:
        run = [0] if index == 0 else [*run, index] if index == len(run) and run else run
        whole = parts.take(part(index, count))
        if whole is not None:
            assert run == list(range(len(whole)))
            run = []


def test_five_megabytes_pass_and_one_more_byte_does_not() -> None:
    """A38."""
    parts = BundleParts()
    half = bytes(BUNDLE_BYTES_MAX // 2)
    parts.take(part(0, 2, half))
    assert parts.take(part(1, 2, half)) == half + half
    parts.take(part(0, 2, half))
    assert parts.take(part(1, 2, half + b"x")) is None
    assert parts.take(part(2, 2, b"")) is None


def test_what_has_come_can_be_forgotten() -> None:
    parts = BundleParts()
    parts.take(part(0, 2))
    parts.clear()
    assert parts.take(part(1, 2)) is None
