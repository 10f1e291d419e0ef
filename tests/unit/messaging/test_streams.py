from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.messaging.history import Depth, History
from tandem.messaging.streams import (
    ASK_AGAIN_NS,
    EARLY_MAX,
    Gap,
    Message,
    Outcome,
    Position,
    Source,
    Streams,
    Wanted,
)

X = Source("adapter", b"x")


def message(number: int, *, run: int = 1, source: Source = X) -> Message:
    return Message(source, run, number, b"%d" % number)


def streams(have: Mapping[Source, Position] | None = None, *, wants: bool = True) -> Streams:
    return Streams(have or {}, wants_history=wants)


def tide(
    into: Streams, *, next_number: int, oldest: int = 0, run: int = 1, now_ns: int = 0
) -> list[Outcome]:
    return into.on_tide(X, run=run, oldest=oldest, next_number=next_number, now_ns=now_ns)


def test_messages_in_order_are_handed_on() -> None:
    here = streams()
    assert [here.on_message(message(number), 0) for number in range(3)] == [
        [message(number)] for number in range(3)
    ]
    assert here.positions() == {X: Position(1, 3)}


def test_a_message_that_is_missing_is_asked_for_and_handed_on_in_order() -> None:
    here = streams()
    assert here.on_message(message(2), 0) == [Wanted(X, 1, 0)]
    assert here.on_message(message(1), 1) == []
    assert here.on_message(message(0), 2) == [message(0), message(1), message(2)]
    assert here.due(10 * ASK_AGAIN_NS) == []


def test_repeats_are_counted() -> None:
    here = streams()
    for number in (0, 0, 2, 2):
        here.on_message(message(number), 0)
    assert here.counts.repeated == 2


def test_it_asks_again_until_it_has_what_it_misses() -> None:
    here = streams()
    assert tide(here, next_number=1) == [Wanted(X, 1, 0)]
    assert here.due(ASK_AGAIN_NS - 1) == []
    assert here.due(ASK_AGAIN_NS) == [Wanted(X, 1, 0)]
    assert tide(here, next_number=1, now_ns=ASK_AGAIN_NS + 1) == []
    assert here.on_message(message(0), ASK_AGAIN_NS + 2) == [message(0)]
    assert here.due(9 * ASK_AGAIN_NS) == []
    assert tide(here, next_number=1, now_ns=9 * ASK_AGAIN_NS) == []


def test_the_answer_to_the_last_question_lets_it_ask_for_the_rest_at_once() -> None:
    here = streams()
    assert tide(here, next_number=3) == [Wanted(X, 1, 0)]
    here.on_message(message(0), 1)
    here.on_answered(X, 0)
    assert tide(here, next_number=3, now_ns=2) == [Wanted(X, 1, 1)]
    here.on_answered(X, 0)  # the same answer, to a question that was repeated
    assert tide(here, next_number=3, now_ns=3) == []
    here.on_answered(Source("adapter", b"y"), 0)


def test_what_the_publisher_no_longer_has_is_a_gap_in_its_place() -> None:
    here = streams()
    for number in (0, 3, 5):
        here.on_message(message(number), 0)
    assert tide(here, oldest=5, next_number=6) == [
        Gap(X, 1, 1, 2),
        message(3),
        Gap(X, 1, 4, 1),
        message(5),
    ]
    assert here.positions() == {X: Position(1, 6)}


def test_a_publisher_that_starts_anew_begins_a_new_stream() -> None:
    here = streams({X: Position(1, 7)})
    assert here.on_message(message(7), 0) == [message(7)]
    assert here.on_message(message(9), 0) == [Wanted(X, 1, 8)]
    assert here.on_message(message(0, run=2), 0) == [Gap(X, 2, 0, None), message(0, run=2)]
    assert here.on_message(message(8), 0) == []
    assert here.counts.of_an_older_run == 1
    assert here.due(9 * ASK_AGAIN_NS) == []


def test_a_restarted_subscriber_goes_on_where_it_was() -> None:
    here = streams({X: Position(1, 7)})
    assert here.on_message(message(6), 0) == []
    assert tide(here, next_number=8) == [Wanted(X, 1, 7)]
    assert here.on_message(message(7), 0) == [message(7)]


def test_who_wants_no_history_begins_with_what_is_new() -> None:
    here = streams(wants=False)
    assert here.on_message(message(4), 0) == [message(4)]
    later = streams(wants=False)
    assert tide(later, next_number=4) == []
    assert later.on_message(message(5), 0) == [Wanted(X, 1, 4)]


def test_what_is_kept_for_later_is_bounded() -> None:
    here = streams()
    here.on_message(message(EARLY_MAX), 0)
    here.on_message(message(EARLY_MAX - 1), 0)
    assert here.counts.too_early == 1
    found = [one for number in range(EARLY_MAX - 1) for one in here.on_message(message(number), 0)]
    assert found == [message(number) for number in range(EARLY_MAX)]
    assert here.due(ASK_AGAIN_NS) == [Wanted(X, 1, EARLY_MAX)]


def test_streams_are_bounded() -> None:
    here = Streams({}, wants_history=True)
    here.streams_max = 1
    other = Source("other", b"x")
    here.on_message(message(0), 0)
    assert here.on_message(message(0, source=other), 0) == []
    assert here.counts.too_many_streams == 1


FATES = st.lists(
    st.tuples(st.sampled_from(["through", "lost", "late", "twice", "tide"]), st.integers(0, 9)),
    max_size=60,
)


class Line:
    """A publisher's history, a subscriber's streams, and what is under way between them."""

    def __init__(self, depth: int) -> None:
        self.history = History(Depth(messages_max=depth))
        self.here = streams()
        self.handed: list[Message | Gap] = []
        self.under_way: list[int] = []
        self.now_ns = 0

    def perform(self, outcomes: list[Outcome]) -> list[Wanted]:
        self.handed.extend(one for one in outcomes if not isinstance(one, Wanted))
        return [one for one in outcomes if isinstance(one, Wanted)]

    def deliver(self, number: int) -> None:
        self.perform(self.here.on_message(message(number), self.now_ns))

    def say(self, fate: str, detour: int) -> None:
        self.now_ns += ASK_AGAIN_NS // 3
        number = self.history.next_number(b"x")
        self.history.keep(b"x", body=b"%d" % number)
        if fate in ("through", "twice"):
            self.deliver(number)
        if fate in ("late", "twice"):
            self.under_way.insert(detour % (len(self.under_way) + 1), number)
        if fate == "tide" and self.under_way:
            self.deliver(self.under_way.pop())

    def beat(self) -> None:
        """Announce, and answer what is asked; all of it comes through."""
        self.now_ns += ASK_AGAIN_NS
        _, reach = self.history.again(b"x", 0)
        said = tide(self.here, oldest=reach.oldest, next_number=reach.next, now_ns=self.now_ns)
        for wanted in self.perform(said):
            bodies, _ = self.history.again(b"x", wanted.first)
            first = max(wanted.first, reach.oldest)
            for number in range(first, first + len(bodies)):
                self.deliver(number)

    def accounted_for(self) -> list[int]:
        """Return the numbers handed over or reported missing, in order."""
        numbers: list[int] = []
        for one in self.handed:
            if isinstance(one, Message):
                assert one.payload == b"%d" % one.number
                numbers.append(one.number)
            else:
                assert one.missing
                numbers.extend(range(one.first, one.first + one.missing))
        return numbers


@settings(max_examples=200)
@given(FATES, st.integers(1, 80), st.booleans())
def test_every_message_comes_once_in_order_or_is_reported_missing(
    fates: list[tuple[str, int]], depth: int, restarts: bool
) -> None:
    """B7: through losses, repeats, detours and a restart of the subscriber."""
    line = Line(depth)
    for count, (fate, detour) in enumerate(fates):
        line.say(fate, detour)
        if restarts and count == 30:
            line.here = streams(line.here.positions())
    for number in line.under_way:
        line.deliver(number)
    line.beat()
    line.beat()
    assert line.accounted_for() == list(range(len(fates)))
