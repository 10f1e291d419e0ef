"""Frames of a tenant's pipe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.jail.frames import FRAME_BYTES_MAX, Frames, frame
from tandem.domain.errors import FrameError


@given(st.lists(st.binary(max_size=9)), st.lists(st.integers(1, 12), min_size=1))
def test_frames_come_whole_and_in_order_however_they_are_cut(
    payloads: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    frames, found, at = Frames(100), [], 0
    while at < len(stream):
        cut = cuts[at % len(cuts)]
        frames.add(stream[at : at + cut])
        at += cut
        while (payload := frames.take()) is not None:
            found.append(payload)
    assert found == payloads


def test_a_frame_that_claims_to_be_too_long_is_refused_before_it_has_come() -> None:
    frames = Frames(100)
    frames.add(frame(bytes(101))[:4])
    with pytest.raises(FrameError, match="101 bytes, at most 100"):
        frames.take()


def test_a_payload_that_is_too_long_is_not_sent() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return FRAME_BYTES_MAX + 1

    with pytest.raises(FrameError, match="at most"):
        frame(Long())
