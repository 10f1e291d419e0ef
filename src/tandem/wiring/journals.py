"""Reading the journals of a home: who may be writing them meanwhile does not matter."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, cast

import msgspec

from tandem.adapters.journal import Verified, read_all, verify
from tandem.adapters.local.disk import FolderView
from tandem.core.deciding.decider import Decider
from tandem.core.matching.exchange import Exchange
from tandem.core.trading.desk import Desk
from tandem.domain.errors import ConfigurationError, JournalCorruptError
from tandem.shells.coordinator import DeskRecord
from tandem.shells.deciding import DeciderRecord
from tandem.shells.exchange import ExchangeRecord
from tandem.shells.recording import replay
from tandem.wiring.home import Home
from tandem.wiring.settings import exchange_settings, read_paper

JOURNALS: Final = ("coordinator", "exchange")
DECISIONS: Final = "decisions"  # there where strategies are evaluated
_DESK: Final = msgspec.msgpack.Decoder(DeskRecord)
_EXCHANGE: Final = msgspec.msgpack.Decoder(ExchangeRecord)
_DECIDER: Final = msgspec.msgpack.Decoder(DeciderRecord)

AnyRecord = DeskRecord | ExchangeRecord | DeciderRecord
AnyDecoder = (
    msgspec.msgpack.Decoder[DeskRecord]
    | msgspec.msgpack.Decoder[ExchangeRecord]
    | msgspec.msgpack.Decoder[DeciderRecord]
)
_DECODERS: Final[dict[str, AnyDecoder]] = {
    "coordinator": _DESK,
    "exchange": _EXCHANGE,
    DECISIONS: _DECIDER,
}


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A journal that was replayed from its first record, with the same effects throughout.

    `events` and `effects` are counted by kind; `state_hash` is that of the state at the end.
    """

    records: int
    events: dict[str, int]
    effects: dict[str, int]
    state_hash: str


def verify_journals(
    home: Home, on_segment: Callable[[int, int], None] | None = None
) -> dict[str, Verified]:
    """Return what the home's journals hold, after checking every byte of them.

    `on_segment` is told the number of each segment before it is read, and of the last one.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there are none.
    """
    return {name: verify(_view(home, name), on_segment) for name in journals_of(home)}


def journals_of(home: Home) -> tuple[str, ...]:
    """Return the names of the home's journals."""
    return (*JOURNALS, DECISIONS) if home.decisions.is_dir() else JOURNALS


def records(home: Home, name: str) -> Iterator[AnyRecord]:
    """Yield the records of a journal from the first ever written.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there is no such journal.
    """
    decoder = _DECODERS[name]
    for _, number, content in read_all(_view(home, name)):
        yield _decoded(decoder, content, number)


def desk_records(home: Home) -> Iterator[DeskRecord]:
    """Yield the coordinator's records from the first ever written.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there is no such journal.
    """
    for _, number, content in read_all(_view(home, "coordinator")):
        yield cast("DeskRecord", _decoded(_DESK, content, number))


def decider_records(home: Home) -> Iterator[DeciderRecord]:
    """Yield the decider's records from the first ever written.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there is no such journal.
    """
    for _, number, content in read_all(_view(home, DECISIONS)):
        yield cast("DeciderRecord", _decoded(_DECIDER, content, number))


def _decoded(decoder: AnyDecoder, content: bytes, number: int) -> AnyRecord:
    try:
        return decoder.decode(content)
    except msgspec.DecodeError as error:
        raise JournalCorruptError(f"record {number} is none of ours: {error}") from error


def replay_journal(home: Home, name: str, on_records: Callable[[int], None]) -> Replayed:
    """Return what a journal did, after doing it all again.

    `on_records` is told how many records were replayed, now and then.

    Raises:
        ReplayMismatchError: an event gives other effects than those recorded with it.
        JournalCorruptError: something changed after it was durable; names the place.
        ConfigurationError: there is no such journal.
    """
    events: dict[str, int] = {}
    effects: dict[str, int] = {}
    count = 0

    def counted(decoder: AnyDecoder) -> Iterator[bytes]:
        nonlocal count
        for _, number, content in read_all(_view(home, name)):
            record = _decoded(decoder, content, number)
            _count(events, record.event)
            for effect in record.effects:
                _count(effects, effect)
            count += 1
            if count % 1_000 == 0:
                on_records(count)
            yield content

    if name == "coordinator":
        desk = Desk()
        replay(desk, counted(_DESK), _DESK)
        state = desk.snapshot()
    elif name == DECISIONS:
        decider = Decider()
        replay(decider, counted(_DECIDER), _DECIDER)
        state = decider.snapshot()
    else:
        exchange = Exchange(exchange_settings(read_paper(home)))
        replay(exchange, counted(_EXCHANGE), _EXCHANGE)
        state = exchange.snapshot()
    return Replayed(
        records=count, events=events, effects=effects, state_hash=sha256(state).hexdigest()
    )


def replayed_exchange(home: Home) -> Exchange:
    """Return the paper exchange as its own journal has it, from the first record on.

    Raises:
        ReplayMismatchError: an event gives other effects than those recorded with it.
        JournalCorruptError: something changed after it was durable; names the place.
    """
    exchange = Exchange(exchange_settings(read_paper(home)))
    contents = (content for _, _, content in read_all(_view(home, "exchange")))
    replay(exchange, contents, _EXCHANGE)
    return exchange


def _count(counts: dict[str, int], value: object) -> None:
    kind = type(value).__name__
    counts[kind] = counts.get(kind, 0) + 1


def _view(home: Home, name: str) -> FolderView:
    folder = home.folder / name
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: there is no journal")
    return FolderView(folder)
