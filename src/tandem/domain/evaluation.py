"""What decider and evaluator say to each other: tasks, and what came of them.

Evaluating is a pure function: of texts, parameters, states, wanted positions and all bars since
the origin. So who evaluates a task never matters, nor how often. An evaluator that has just done
the bar before of the same task key, with the same roster, still holds all of it in memory and is
asked with the new bar alone (it is *warm*). Any other answers `Cold`, and is asked again with
everything (`Whole`).

A roster is a version: it stands for everything that evaluators hold for a task key and that its
new bars do not say. The decider raises it whenever what an evaluator may hold can differ from what
it holds itself: an assignment came, went or was suspended; a text or its parameters changed; a
task's answer was given up; bars before were corrected; the origin of history moved.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NewType

import msgspec

from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError, FrameError
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Parameters, StrategyText, TextHash
from tandem.domain.value import Value

TenantId = NewType("TenantId", str)  # whose strategies share one process and its quotas
TaskKey = NewType("TaskKey", str)  # what stays warm together: a series, or one shard of it
AttachmentNumber = NewType("AttachmentNumber", int)  # of one assignment, unique in its tenant

OWN_TENANT: Final = TenantId("own")  # whose home this is, where nobody else has strategies
HISTORY_BARS_MAX: Final = 10_000
TASK_BYTES_MAX: Final = 1 << 26
NUMBER_MAX: Final = 2**31 - 1  # of an attachment; they begin at 0


class History(Value, frozen=True, kw_only=True):
    """Bars of one instrument and span, oldest first, by columns.

    Bars are many, so they travel as they lie in memory: eight bytes a number, little-endian and
    signed. `filled` has one byte for each bar, 1 where nothing traded.

    Raises:
        ConfigurationError: the columns differ in length, or are too long.
    """

    begins: bytes = b""
    opens: bytes = b""
    highs: bytes = b""
    lows: bytes = b""
    closes: bytes = b""
    volumes: bytes = b""
    filled: bytes = b""

    def __post_init__(self) -> None:
        columns = (self.begins, self.opens, self.highs, self.lows, self.closes, self.volumes)
        if any(len(column) != 8 * len(self.filled) for column in columns):
            raise ConfigurationError("history: expected columns of one length")
        if len(self.filled) > HISTORY_BARS_MAX:
            raise ConfigurationError(f"history: expected at most {HISTORY_BARS_MAX} bars")

    def __len__(self) -> int:
        return len(self.filled)

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> "History":
        """Return `bars`, all of one instrument and span and oldest first, by columns."""
        packed = struct.Struct(f"<{len(bars)}q").pack
        return cls(
            begins=packed(*(bar.begin_ns for bar in bars)),
            opens=packed(*(bar.open for bar in bars)),
            highs=packed(*(bar.high for bar in bars)),
            lows=packed(*(bar.low for bar in bars)),
            closes=packed(*(bar.close for bar in bars)),
            volumes=packed(*(bar.volume for bar in bars)),
            filled=bytes(bar.is_filled for bar in bars),
        )

    def bars(self, instrument_id: InstrumentId, span: Span) -> Iterator[Bar]:
        """Yield them as bars.

        Raises:
            ConfigurationError: one of them cannot be.
        """
        columns = (self.begins, self.opens, self.highs, self.lows, self.closes, self.volumes)
        read = struct.Struct(f"<{len(self)}q").unpack
        for numbers in zip(*(read(column) for column in columns), self.filled, strict=True):
            begin_ns, opened, high, low, close, volume, filled = numbers
            yield Bar(
                instrument_id=instrument_id,
                span=span,
                begin_ns=begin_ns,
                open=Ticks(opened),
                high=Ticks(high),
                low=Ticks(low),
                close=Ticks(close),
                volume=Lots(volume),
                is_filled=bool(filled),
            )


class TaskId(Value, frozen=True, kw_only=True):
    """What a task and everything said of it is known by.

    `number` is that of the final bar (`FinalBar.number`): warm is who did the number before.
    """

    tenant: TenantId
    key: TaskKey
    roster: int
    number: int


class OtherBar(Value, frozen=True, kw_only=True):
    """A bar of a series that strategies of this task look at besides; over before this one began.

    `number` and `revision` are those of its `FinalBar`.
    """

    symbol: str
    bar: Bar
    number: int = 0
    revision: int = 0


class OtherSeen(Value, frozen=True, kw_only=True):
    """How much of another series is seen on a bar: of its first `number`, what was over then."""

    instrument_id: InstrumentId
    number: int


class Series(Value, frozen=True, kw_only=True):
    """An instrument and its bars since the origin, without those that the task brings as new.

    `symbol` is what strategies call it.
    """

    symbol: str
    instrument: Instrument
    history: History


class Attached(Value, frozen=True, kw_only=True):
    """One assignment as an evaluator needs it; `number` is kept for as long as it is assigned.

    `state` and `position_ppm` are those that it last answered with, `others` the symbols that it
    may look at besides.

    Raises:
        ConfigurationError: the number is out of range.
    """

    number: AttachmentNumber
    text_hash: TextHash
    parameters: Parameters = msgspec.field(default_factory=dict)
    state: str = "{}"
    position_ppm: int = 0
    others: tuple[str, ...] = ()
    may_short: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.number <= NUMBER_MAX:
            raise ConfigurationError(f"attachment {self.number}: expected 0 to {NUMBER_MAX}")


class Prepared(Value, frozen=True, kw_only=True):
    """A Lua text with its budget counted (`strategies.guard`), so that it is done only once."""

    text_hash: TextHash
    source: str
    uses_state: bool


class Whole(Value, frozen=True, kw_only=True):
    """All that an evaluator must hold for a task key: what it held before is forgotten.

    `texts` has each text of `attached` once, and `prepared` those of them that were let in before.
    """

    series: Series
    texts: tuple[StrategyText, ...]
    attached: tuple[Attached, ...]
    others: tuple[Series, ...] = ()
    prepared: tuple[Prepared, ...] = ()


class Task(Value, frozen=True, kw_only=True):
    """Evaluate, on one final bar, every strategy that is attached to the key.

    `others` are the bars of other series that became final since the task before, in the order
    in which they shall be seen. Without `whole` only a warm evaluator can do it. One that
    `only_holds` evaluates nothing: the history of its `whole` ends with `bar`, and whoever takes it
    in is warm as if it had evaluated that bar.
    """

    task_id: TaskId
    bar: Bar
    others: tuple[OtherBar, ...] = ()
    whole: Whole | None = None
    only_holds: bool = False


class Said(Value, frozen=True, kw_only=True):
    """What one strategy answered; `lines` is what it logged."""

    number: AttachmentNumber
    answer: Answer
    lines: tuple[str, ...] = ()


class Evaluated(Value, frozen=True, kw_only=True, tag="evaluated"):
    """The task is done.

    Of an attachment that is not in `said` nothing changed: its position is wanted as before, and
    its state is the same. The same task done twice says the same.
    """

    task_id: TaskId
    said: tuple[Said, ...]


class Cold(Value, frozen=True, kw_only=True, tag="cold"):
    """The task cannot be done without its `Whole`: ask again with it.

    Those in `failed` had to be ended by force, or ended the process that they ran in; their
    answers have the error, and they are to be suspended. The others have not answered yet.
    """

    task_id: TaskId
    failed: tuple[Said, ...] = ()


class Skipped(Value, frozen=True, kw_only=True, tag="skipped"):
    """Nobody was evaluated, and nothing changed; the next bar needs its `Whole`. `reason` says why.

    The tenant has used up what it may use, or the task itself cannot be.
    """

    task_id: TaskId
    reason: str


TaskAnswer = Evaluated | Cold | Skipped


class TenantQuota(Value, frozen=True, kw_only=True):
    """What one tenant may use of one evaluator.

    `strategies` counts attachments, `memory_bytes` is what its process may take beyond what it
    began with, `bar_ns` how long all its tasks of bars that end together may take.

    Raises:
        ConfigurationError: one of them is not above 0.
    """

    strategies: int = 100_000
    memory_bytes: int = 1 << 30
    bar_ns: int = 10_000_000_000

    def __post_init__(self) -> None:
        if min(self.strategies, self.memory_bytes, self.bar_ns) <= 0:
            raise ConfigurationError("quota: expected numbers above 0")


class Meter(Value, frozen=True, kw_only=True):
    """What one tenant has used of an evaluator since that began.

    `strategies` are attached now; `busy_ns` is how long its process worked. Of its tasks
    `evaluated` were done, `cold` had to be asked again and `skipped` were not done. `stopped`
    counts strategies that were asked to stop because they took long, `ended` processes that were
    ended by force or ended themselves.
    """

    tenant: TenantId
    strategies: int = 0
    busy_ns: int = 0
    evaluated: int = 0
    cold: int = 0
    skipped: int = 0
    stopped: int = 0
    ended: int = 0


class Sight(Value, frozen=True, kw_only=True):
    """What can be seen of a tenant's process without asking it.

    `running` is the attachment that is being evaluated; None: the process does its own work.
    `cpu_ns` is what it has used of a processor, and `is_asleep` that it wants none now,
    nor what the system itself keeps from it, such as a page of its memory.
    """

    running: int | None
    cpu_ns: int
    is_asleep: bool


_ENCODER: Final = msgspec.msgpack.Encoder()
_TASKS: Final = msgspec.msgpack.Decoder(Task)
_ANSWERS: Final[msgspec.msgpack.Decoder[TaskAnswer]] = msgspec.msgpack.Decoder(TaskAnswer)


def task_bytes(task: Task) -> bytes:
    """Return a task as it is sent."""
    return _ENCODER.encode(task)


def task_of(payload: bytes) -> Task:
    """Return the task that was sent.

    Raises:
        FrameError: the bytes are no task.
    """
    try:
        return _TASKS.decode(payload)
    except (msgspec.MsgspecError, ConfigurationError) as error:
        raise FrameError(f"not a task: {error}") from error


def answer_bytes(answer: TaskAnswer) -> bytes:
    """Return an answer as it is sent."""
    return _ENCODER.encode(answer)


def answer_of(payload: bytes) -> TaskAnswer:
    """Return the answer that was sent.

    Raises:
        FrameError: the bytes are no answer.
    """
    try:
        return _ANSWERS.decode(payload)
    except (msgspec.MsgspecError, ConfigurationError) as error:
        raise FrameError(f"not an answer: {error}") from error
