"""The link: whole frames in order or nothing, limits on both sides, one turn one frame."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.errors import ConfigurationError
from tandem.domain.link import MESSAGE_BYTES_MAX
from tandem.shells.link import BATCH_MAX, HEADER, WAITING_MAX, Link
from tests.unit.shells.wire import Wire

ENCODER = msgspec.msgpack.Encoder()


class End:
    """A link of text messages, what it heard, and how it ended."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.epochs: list[int] = []
        self.lost: list[str] = []
        self.opened = 0
        self.wire = Wire()
        self.link: Link[str] = Link(
            msgspec.msgpack.Decoder(list[str]), self._on_messages, self._on_open, self._on_lost
        )

    def _on_messages(self, link: Link[str], epoch: int, messages: Sequence[str]) -> None:
        assert link is self.link
        self.heard += messages
        self.epochs.append(epoch)
        if "enough" in messages:
            link.drop("heard enough")

    def _on_open(self, link: Link[str]) -> None:
        self.opened += 1

    def _on_lost(self, link: Link[str], reason: str) -> None:
        self.lost.append(reason)

    def open(self) -> "End":
        assert not self.link.is_open
        self.link.connection_made(self.wire)
        return self

    @property
    def sent(self) -> bytes:
        return b"".join(self.wire.written)


def frame(sequence: int, *messages: str, epoch: int = 0, body: bytes | None = None) -> bytes:
    content = ENCODER.encode(messages) if body is None else body
    return HEADER.pack(len(content), 7, epoch, sequence) + content


def frames_of(data: bytes) -> list[tuple[int, int, int, list[str]]]:
    """Return connection, epoch, sequence and messages of each frame."""
    found, at = [], 0
    while at < len(data):
        length, connection, epoch, sequence = HEADER.unpack_from(data, at)
        at += HEADER.size
        messages = msgspec.msgpack.decode(data[at : at + length], type=list[str])
        found.append((connection, epoch, sequence, messages))
        at += length
    return found


# -- what comes in


@given(st.lists(st.lists(st.text(max_size=9), max_size=4), max_size=6), st.data())
def test_frames_come_whole_however_the_stream_is_cut(
    groups: list[list[str]], data: st.DataObject
) -> None:
    end = End().open()
    stream = b"".join(frame(at + 1, *group) for at, group in enumerate(groups))
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        end.link.data_received(stream[:cut])
        stream = stream[cut:]
    assert end.heard == [one for group in groups for one in group]
    assert end.wire.ended == ""


def test_every_frame_tells_its_epoch() -> None:
    end = End().open()
    end.link.data_received(frame(1, "a", epoch=3) + frame(2, "b", epoch=4))
    assert end.epochs == [3, 4]


def test_a_frame_seen_before_is_dropped() -> None:
    """F9."""
    end = End().open()
    end.link.data_received(frame(1, "a") + frame(1, "a") + frame(2, "b") + frame(1, "a"))
    assert end.heard == ["a", "b"]


def test_a_gap_ends_the_connection() -> None:
    """F9: there is no replay; both sides say where they stand when they connect again."""
    end = End().open()
    end.link.data_received(frame(1, "a") + frame(3, "c") + frame(4, "d"))
    assert end.heard == ["a"]
    assert end.wire.ended == "aborted"
    end.link.connection_lost(None)
    assert end.lost == ["frame 3 after 1"]


@given(st.binary(min_size=HEADER.size, max_size=200))
def test_any_bytes_end_in_messages_or_in_the_end_of_the_connection(data: bytes) -> None:
    end = End().open()
    end.link.data_received(data)
    assert end.wire.ended in {"", "aborted"}


@pytest.mark.parametrize("body", [b"\xc1", b"\x01", ENCODER.encode([1])])
def test_what_is_not_ours_ends_the_connection(body: bytes) -> None:
    end = End().open()
    end.link.data_received(frame(1, body=body))
    assert end.wire.ended == "aborted"


def test_a_frame_of_the_longest_length_passes_and_a_longer_one_does_not() -> None:
    """A39: 100 KB and 100 KB + 1."""
    end = End().open()
    text = "x" * (MESSAGE_BYTES_MAX - len(ENCODER.encode(["x" * 70_000])) + 70_000)
    end.link.data_received(frame(1, text))
    assert end.heard == [text]
    end.link.data_received(frame(2, text + "x"))
    assert end.wire.ended == "aborted"


def test_a_length_that_is_too_long_is_not_waited_for() -> None:
    end = End().open()
    end.link.data_received(HEADER.pack(MESSAGE_BYTES_MAX + 1, 0, 0, 1))
    end.link.connection_lost(None)
    assert end.lost == ["frame of 100001 bytes; the limit is 100000"]


def test_after_a_drop_nothing_more_comes_in() -> None:
    end = End().open()
    end.link.data_received(frame(1, "enough") + frame(2, "more"))
    end.link.data_received(frame(2, "more"))
    assert end.heard == ["enough"]


# -- what goes out


async def turn() -> None:
    await asyncio.sleep(0)


async def test_everything_of_one_turn_goes_out_as_one_frame() -> None:
    end = End().open()
    end.link.connection, end.link.epoch = 5, 6
    for text in "abc":
        end.link.send(text)
    assert end.wire.written == []
    await turn()
    assert frames_of(end.sent) == [(5, 6, 1, ["a", "b", "c"])]
    end.link.send("d")
    await turn()
    assert frames_of(end.sent)[1:] == [(5, 6, 2, ["d"])]


async def test_a_postscript_waits_for_a_message_and_goes_out_once() -> None:
    end = End().open()
    end.link.postscript = "p"
    end.link.postscript = "q"
    await turn()
    assert end.wire.written == []
    end.link.send("a")
    await turn()
    end.link.send("b")
    await turn()
    assert [one[3] for one in frames_of(end.sent)] == [["a", "q"], ["b"]]


async def test_what_was_put_waits_for_a_flush_and_goes_out_at_once_with_it() -> None:
    end = End().open()
    end.link.put("a")
    await turn()
    assert end.wire.written == []
    end.link.send("b")
    end.link.put("c")
    end.link.flush()
    assert [one[3] for one in frames_of(end.sent)] == [["a", "b", "c"]]
    await turn()
    end.link.flush()
    assert len(end.wire.written) == 1


async def test_very_many_messages_are_several_frames_in_order() -> None:
    end = End().open()
    texts = [str(number) for number in range(BATCH_MAX + 1)]
    for text in texts:
        end.link.send(text)
    await turn()
    sent = frames_of(end.sent)
    assert [one[2] for one in sent] == [1, 2]
    assert sent[0][3] + sent[1][3] == texts


async def test_messages_that_do_not_fit_together_go_alone() -> None:
    """A39."""
    end = End().open()
    for _ in range(3):
        end.link.send("x" * 60_000)
    await turn()
    assert [len(one[3]) for one in frames_of(end.sent)] == [1, 1, 1]


async def test_a_message_that_is_too_long_ends_the_connection_and_not_the_process() -> None:
    """A39."""
    end = End().open()
    end.link.send("before")
    end.link.send("x" * MESSAGE_BYTES_MAX)
    await turn()
    assert (end.wire.ended, end.wire.written) == ("aborted", [])
    end.link.connection_lost(None)
    assert end.lost == ["str of 100006 bytes; the limit is 100000"]


async def test_a_reader_that_does_not_read_is_waited_for_and_then_dropped() -> None:
    end = End().open()
    end.link.pause_writing()
    for _ in range(WAITING_MAX):
        end.link.send("x")
    await turn()
    assert end.wire.written == []
    end.link.resume_writing()
    assert len(frames_of(end.sent)) == -(-WAITING_MAX // BATCH_MAX)
    end.link.pause_writing()
    for _ in range(WAITING_MAX + 1):
        end.link.send("x")
    assert end.wire.ended == "aborted"
    end.link.resume_writing()


async def test_words_to_a_lost_connection_are_lost() -> None:
    end = End().open()
    end.link.send("a")
    end.link.connection_lost(None)
    end.link.send("b")
    await turn()
    assert end.wire.written == []
    assert not end.link.is_open


async def test_closing_sends_what_waits_first() -> None:
    end = End().open()
    end.link.send("bye")
    end.link.close("we are done")
    assert frames_of(end.sent) == [(0, 0, 1, ["bye"])]
    assert end.wire.ended == "closed"
    end.link.close("again")
    end.link.drop("and again")
    await turn()
    end.link.connection_lost(None)
    assert end.lost == ["we are done"]


# -- the end


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, "closed by the other end"),
        (ConnectionResetError("reset"), "reset"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_the_owner_is_told_once_why_it_ended(error: Exception | None, reason: str) -> None:
    end = End().open()
    end.link.connection_lost(error)
    assert end.lost == [reason]


def test_our_own_reason_stands() -> None:
    end = End().open()
    end.link.drop("enough")
    end.link.connection_lost(ConnectionResetError("reset"))
    assert end.lost == ["enough"]


def test_a_link_can_be_dropped_before_it_is_open() -> None:
    end = End()
    end.link.drop("never mind")
    assert not end.link.is_open


class Even(msgspec.Struct, array_like=True):
    """A value that cannot be odd."""

    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ConfigurationError(f"{self.number} is odd")


def test_a_value_that_cannot_be_ends_the_connection_and_not_the_process() -> None:
    lost: list[str] = []
    made: Link[Even] = Link(
        msgspec.msgpack.Decoder(list[Even]),
        lambda _link, _epoch, _messages: None,
        lambda _link: None,
        lambda _link, reason: lost.append(reason),
    )
    wire = Wire()
    made.connection_made(wire)
    made.data_received(frame(1, body=ENCODER.encode([[3]])))
    assert wire.ended == "aborted"
    made.connection_lost(None)
    assert lost == ["frame 1: 3 is odd"]
