"""Words on a wire and in the journal: told apart by their tags, and read back as they were."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain import (
    commands,
    control,
    deciding,
    desk,
    evaluation,
    exchange,
    halting,
    link,
    market_words,
    views,
)
from tandem.domain.bundle import Bundle, Strategy
from tandem.domain.ids import AccountId, ClientOrderId, Incarnation
from tandem.domain.limits import Limits

UNIONS: dict[str, Any] = {
    "to a worker": link.CoordinatorMessage,
    "from a worker": link.WorkerMessage,
    "about an order": link.WorkerReport,
    "to the desk": desk.DeskEvent,
    "from the desk": desk.DeskEffect,
    "asked": commands.Command,
    "answered": commands.Answer,
    "control in": control.ControlRequest,
    "control out": control.ControlMessage,
    "shown": views.View,
    "to the market core": market_words.MarketWord,
    "from the market core": market_words.MarketEffect,
    "to the decider": deciding.DeciderEvent,
    "from the decider": deciding.DeciderEffect,
    "from an evaluator": evaluation.TaskAnswer,
    "to an exchange": exchange.ExchangeEvent,
    "from an exchange": exchange.ExchangeEffect,
    "asked of a process": halting.OwnRequest,
    "answered by a process": halting.OwnAnswer,
}


@pytest.mark.parametrize("name", UNIONS)
def test_kinds_of_one_stream_are_told_apart_by_their_tags(name: str) -> None:
    kinds = get_args(UNIONS[name])
    tags = [kind.__struct_config__.tag for kind in kinds]
    assert len(dict.fromkeys(tags)) == len(kinds)
    msgspec.msgpack.Decoder(UNIONS[name])


@pytest.mark.parametrize("name", UNIONS)
def test_every_word_is_a_frozen_array(name: str) -> None:
    """B26: what processes tell each other are values, and nothing else is shared."""
    for kind in get_args(UNIONS[name]):
        config = kind.__struct_config__
        assert (config.frozen, config.array_like, config.gc) == (True, True, False), kind


@given(st.lists(st.text(max_size=20)), st.integers(0, 2**63), st.booleans())
def test_a_hello_is_read_back_as_it_was(keys: list[str], number: int, is_ready: bool) -> None:
    hello = link.Hello(
        incarnation=Incarnation("i"),
        connection=number,
        name="w1",
        account_id=AccountId("A") if is_ready else None,
        account_epoch=number,
        bundle_hash=None,
        ready=is_ready,
        seen=tuple(
            link.Seen(client_order_id=ClientOrderId(key), progress=link.Progress.SENT)
            for key in keys
        ),
    )
    content = msgspec.msgpack.encode([hello])
    assert msgspec.msgpack.decode(content, type=list[link.WorkerMessage]) == [hello]


def test_a_part_of_the_bundle_leaves_room_in_its_message() -> None:
    """A38 A39."""
    part = link.BundlePart(index=2**32, count=2**32, content=bytes(link.BUNDLE_PART_BYTES))
    assert len(msgspec.msgpack.encode([part])) < link.MESSAGE_BYTES_MAX


def test_a_bundle_has_one_encoding_and_so_one_hash() -> None:
    """A5."""
    bundle = Bundle(
        strategies=(Strategy(number=1, name="share list", text="x"),),
        instruments=(),
        venues=(),
        limits=Limits(),
    )
    content = msgspec.msgpack.encode(bundle)
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(content, type=Bundle)) == content
