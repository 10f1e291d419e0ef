"""Publish-subscribe over real sockets, on both event loops."""

import asyncio
from pathlib import Path

import pytest

from tandem.messaging.errors import ClosedError, TooLargeError, TooManyTopicsError
from tandem.messaging.history import Depth
from tandem.messaging.places import BYTES_MAX, Bind, Connect
from tandem.messaging.publisher import Publisher
from tandem.messaging.streams import Gap, Source
from tandem.messaging.subscriber import Subscriber
from tests.contract.lines import Run
from tests.contract.messages import Heard, ipc, until

EACH = 2_000


def number(count: int) -> bytes:
    return str(count).encode()


def test_ten_publishers_reach_one_subscriber_without_a_loss(run: Run, tmp_path: Path) -> None:
    """B7: 10 × 2,000 messages as fast as they can be said, each stream whole and in order."""

    async def flood() -> None:
        heard = Heard()
        subscriber = Subscriber(Bind(ipc(tmp_path)), heard)
        depth = Depth(messages_max=EACH)
        publishers = [
            Publisher(Connect(ipc(tmp_path)), name=f"adapter {one}", run=1, depth=depth)
            for one in range(10)
        ]
        for count in range(EACH):
            for publisher in publishers:
                publisher.publish(b"minutes", payload=number(count))
            if count % 20 == 0:
                await asyncio.sleep(0)
        await heard.until(10 * EACH)
        assert heard.gaps == []
        for one in range(10):
            source = Source(f"adapter {one}", b"minutes")
            said = [news.payload for news in heard.messages if news.source == source]
            assert said == [number(count) for count in range(EACH)]
        subscriber.close()
        for publisher in publishers:
            publisher.close()

    run(flood())


@pytest.mark.parametrize("binds", ["publisher", "subscriber"])
@pytest.mark.parametrize("first", ["publisher", "subscriber"])
def test_nothing_is_lost_whichever_side_starts_first(
    run: Run, tmp_path: Path, binds: str, first: str
) -> None:
    """B7: the adapter may start before the core, or after it."""
    there, here = Bind(ipc(tmp_path)), Connect(ipc(tmp_path))
    places = (there, here) if binds == "publisher" else (here, there)

    async def talk() -> None:
        heard = Heard()
        if first == "subscriber":
            subscriber = Subscriber(places[1], heard)
            await asyncio.sleep(0)
        publisher = Publisher(places[0], name="adapter", run=1)
        for count in range(100):
            publisher.publish(b"minutes", payload=number(count))
            await asyncio.sleep(0)
        if first == "publisher":
            subscriber = Subscriber(places[1], heard)
        publisher.publish(b"minutes", payload=number(100))
        await heard.until(101)
        assert heard.payloads == [number(count) for count in range(101)]
        subscriber.close()
        publisher.close()

    run(talk())


def test_a_restarted_subscriber_goes_on_where_it_was(run: Run, tmp_path: Path) -> None:
    """B7: its position is kept, so that nothing is missing and nothing comes twice."""

    async def talk() -> None:
        publisher = Publisher(Bind(ipc(tmp_path)), name="adapter", run=1)
        first = Heard()
        subscriber = Subscriber(Connect(ipc(tmp_path)), first)
        for count in range(10):
            publisher.publish(b"minutes", payload=number(count))
        await first.until(10)
        subscriber.close()
        for count in range(10, 20):
            publisher.publish(b"minutes", payload=number(count))
        second = Heard()
        again = Subscriber(Connect(ipc(tmp_path)), second, have=subscriber.positions())
        await second.until(10)
        publisher.publish(b"minutes", payload=number(20))
        await second.until(11)
        assert first.payloads + second.payloads == [number(count) for count in range(21)]
        again.close()
        publisher.close()

    run(talk())


def test_a_subscriber_that_rests_hears_all_of_it_later(run: Run, tmp_path: Path) -> None:
    """B7: its queues overflow meanwhile, and what was dropped is asked for."""
    count_all = 60_000

    async def talk() -> None:
        heard = Heard()
        publisher = Publisher(
            Bind(ipc(tmp_path)),
            name="adapter",
            run=1,
            depth=Depth(messages_max=count_all, bytes_max=64 * 1024 * 1024),
        )
        subscriber = Subscriber(Connect(ipc(tmp_path)), heard)
        publisher.publish(b"minutes", payload=number(0))
        await heard.until(1)
        subscriber.pause()
        for count in range(1, count_all):
            publisher.publish(b"minutes", payload=number(count))
        subscriber.resume()
        await heard.until(count_all)
        assert heard.payloads == [number(count) for count in range(count_all)]
        subscriber.close()
        publisher.close()

    run(talk())


def test_what_the_history_no_longer_has_is_reported_in_its_place(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        heard = Heard()
        publisher = Publisher(
            Bind(ipc(tmp_path)), name="adapter", run=1, depth=Depth(messages_max=5)
        )
        for count in range(12):
            publisher.publish(b"minutes", payload=number(count))
        subscriber = Subscriber(Connect(ipc(tmp_path)), heard)
        await heard.until(6)
        assert heard.news[0] == Gap(Source("adapter", b"minutes"), 1, 0, 7)
        assert heard.payloads == [number(count) for count in range(7, 12)]
        subscriber.close()
        publisher.close()

    run(talk())


def test_a_publisher_that_starts_anew_is_known_as_such(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        heard = Heard()
        subscriber = Subscriber(Bind(ipc(tmp_path)), heard)
        for life in (1, 2):
            publisher = Publisher(Connect(ipc(tmp_path)), name="adapter", run=life)
            publisher.publish(b"minutes", payload=number(life))
            await until(lambda life=life: number(life) in heard.payloads)  # type: ignore[misc]
            publisher.close()
        assert [type(one) for one in heard.news].count(Gap) == 1
        assert heard.news[1] == Gap(Source("adapter", b"minutes"), 2, 0, None)
        assert heard.payloads == [b"1", b"2"]
        subscriber.close()

    run(talk())


def test_topics_are_heard_by_who_wants_them(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        publisher = Publisher(Bind(ipc(tmp_path)), name="core", run=1)
        minutes, hours = Heard(), Heard()
        ends = [
            Subscriber(Connect(ipc(tmp_path)), minutes, topics=[b"1m/"]),
            Subscriber(Connect(ipc(tmp_path)), hours, topics=[b"1h/", b"1d/"]),
        ]
        for count in range(50):
            publisher.publish(b"1m/BTCUSD", payload=number(count))
            publisher.publish(b"1h/BTCUSD", payload=number(count))
            publisher.publish(b"1d/BTCUSD", payload=number(count))
        await minutes.until(50)
        await hours.until(100)
        assert {one.source.topic for one in minutes.messages} == {b"1m/BTCUSD"}
        assert {one.source.topic for one in hours.messages} == {b"1h/BTCUSD", b"1d/BTCUSD"}
        publisher.close()
        for end in ends:
            end.close()

    run(talk())


def test_an_error_in_what_hears_comes_out_of_run(run: Run, tmp_path: Path) -> None:
    def fail(news: object) -> None:
        raise LookupError(f"not for {news}")

    async def talk() -> None:
        publisher = Publisher(Bind(ipc(tmp_path)), name="adapter", run=1)
        subscriber = Subscriber(Connect(ipc(tmp_path)), fail)
        publisher.publish(b"minutes", payload=b"1")
        with pytest.raises(LookupError, match="not for Message"):
            await subscriber.run()
        publisher.close()
        await publisher.run()

    run(talk())


def test_what_cannot_be_published_is_refused(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        publisher = Publisher(Bind(ipc(tmp_path)), name="adapter", run=1, depth=Depth(topics_max=1))
        for topic in (b"", b"\x00mine", b"t" * 201):
            with pytest.raises(ValueError, match="1 to 200 bytes"):
                publisher.publish(topic, payload=b"1")
        with pytest.raises(TooLargeError, match=f"at most {BYTES_MAX}"):
            publisher.publish(b"minutes", payload=bytes(BYTES_MAX + 1))
        assert publisher.publish(b"minutes", payload=b"1") == 0
        with pytest.raises(TooManyTopicsError, match="is topic 2"):
            publisher.publish(b"hours", payload=b"1")
        publisher.close()
        with pytest.raises(ClosedError):
            publisher.publish(b"minutes", payload=b"1")
        with pytest.raises(ValueError, match="publisher's name has 1 to 200 bytes"):
            Publisher(Bind(ipc(tmp_path)), name="", run=1)

    run(talk())
