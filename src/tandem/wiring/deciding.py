"""The market process: final bars of what the exchange publishes, and what is decided on them."""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import msgspec

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.adapters.journal import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.folder import private_folder
from tandem.adapters.local.network import UnixNetwork
from tandem.adapters.local.sync import InlineSync
from tandem.core.deciding.decider import Decider
from tandem.core.deciding.showing import evaluated
from tandem.core.evaluating.elastic import ElasticLimits
from tandem.domain.errors import ConfigurationError
from tandem.domain.exchange import CandlesTold
from tandem.domain.halting import AskEvaluated, OwnAnswer, OwnRequest
from tandem.domain.ids import InstrumentId
from tandem.domain.instrument import Instrument
from tandem.domain.market_words import (
    BarTold,
    FeedFresh,
    FeedStale,
    GapLeft,
    Listing,
    MarketSettings,
    MarketWord,
    Publish,
    Source,
    SourceId,
    Ticked,
    TimeTold,
    WordRefused,
)
from tandem.messaging.broker import Broker
from tandem.messaging.places import Bind, Connect
from tandem.messaging.publisher import Publisher
from tandem.messaging.setting_up import SetUp
from tandem.messaging.streams import Gap, News
from tandem.messaging.subscriber import Subscriber
from tandem.ports import BarStore, Clock, Journal
from tandem.shells.deciding import DeciderRecord, DecidingShell
from tandem.shells.holdings import holdings
from tandem.shells.own_control import open_own_control
from tandem.shells.recording import replay
from tandem.shells.stored_bars import StoredBars
from tandem.wiring.alerts import Alerts
from tandem.wiring.evaluator_door import EvaluatorDoor
from tandem.wiring.evaluator_pool import RULES, EvaluatorPool
from tandem.wiring.home import Home
from tandem.wiring.memory import spare_what_stays
from tandem.wiring.settings import LanPlan, read_settings
from tandem.wiring.strategies import StrategiesPlan, bars_file, candles_place, tasks_place

CANDLES: Final = b"candles"
TICK_S: Final = 1.0


class CandlePublisher:
    """What the exchange has its candles published by."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self._publisher = Publisher(
            Bind(candles_place(home)), name="exchange", run=clock.now().now_ns
        )
        self._encoder = msgspec.msgpack.Encoder()

    def publish(self, told: CandlesTold) -> None:
        """Let every subscriber have them, those that come later too."""
        self._publisher.publish(CANDLES, payload=self._encoder.encode(told))

    async def run(self) -> None:
        """Serve until canceled."""
        await self._publisher.run()


class MarketFeed:
    """What the exchange says, made final bars, stored, and handed on."""

    def __init__(
        self, stored: StoredBars, clock: Clock, shell: DecidingShell, say: Callable[[str], None]
    ) -> None:
        self._stored = stored
        self._clock = clock
        self._shell = shell
        self._say = say

    def tell(self, words: Sequence[MarketWord]) -> None:
        """Take in what a source said; what is final is stored before anybody hears of it."""
        effects = self._stored.take(words, self._clock.now())
        finals = [one.final for one in effects if isinstance(one, Publish)]
        if finals:
            self._shell.on_final(finals)
        for one in effects:
            if isinstance(one, FeedStale | FeedFresh):
                self._shell.on_feed(one.instrument_id, is_stale=isinstance(one, FeedStale))
            elif isinstance(one, GapLeft | WordRefused):
                self._say(str(one))


async def run_market(  # noqa: PLR0913 - a process and its parts
    home: Home,
    plan: StrategiesPlan,
    instruments: Sequence[Instrument],
    clock: Clock,
    *,
    is_replay: bool,
    say: Callable[[str], None],
    lan: LanPlan | None = None,
) -> None:
    """Be the market process, until canceled; with `lan` for evaluators of other computers too."""
    _make_folders(home, plan, is_replay=is_replay)
    store = SqliteBars.writing(bars_file(home, is_replay=is_replay))
    instruments = list(storable(store, instruments, say))
    decider, journal = _recovered(home)

    async def set_up() -> bytes:
        return await holdings(shell.decider.state, store, evaluators.is_settled())

    alerts = Alerts(read_settings(home).alerts, home.log_file, say=lambda _: None)
    broker = Broker(
        Bind(tasks_place(home)),
        RULES,
        run=clock.now().now_ns,
        set_up=SetUp(make=set_up, on_wrong=partial(_on_wrong, alerts)),
    )
    limits = ElasticLimits(fewest=plan.evaluators, most=plan.evaluators_most)
    evaluators = EvaluatorPool(broker, limits, clock, say)
    shell = DecidingShell(
        decider,
        journal,
        clock=clock,
        network=UnixNetwork(),
        control=home.control_socket,
        store=store,
        submit=evaluators.submit,
        run=plan.run,
        on_note=say,
    )
    feed = MarketFeed(_stored(instruments, store), clock, shell, say)
    sources = [_source_id(one.instrument_id) for one in instruments]
    subscriber = Subscriber(
        Connect(candles_place(home)), partial(_on_candles, feed, sources, say), topics=(CANDLES,)
    )
    await open_own_control(
        UnixNetwork(), home.own_socket("market"), partial(_answer, shell, evaluators)
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(broker.run())
            tasks.create_task(evaluators.run())
            if lan is not None:
                door = EvaluatorDoor(home.lan, lan.tasks, now_s=_utc_s, say=say)
                tasks.create_task(door.run(broker))
            tasks.create_task(subscriber.run())
            tasks.create_task(shell.run())
            tasks.create_task(_tick(feed))
    finally:
        await alerts.close()
        store.close()


def _answer(shell: DecidingShell, evaluators: EvaluatorPool, request: OwnRequest) -> OwnAnswer:
    if isinstance(request, AskEvaluated):
        return evaluated(shell.decider.state, request)
    return evaluators.answer(request)


def _recovered(home: Home) -> tuple[Decider, Journal]:
    """Return the decider as its journal has it."""
    recovered, journal = open_log(FolderDisk(home.decisions, InlineSync()))
    snapshot = recovered.snapshot
    decider = Decider.restore(snapshot) if snapshot is not None else Decider()
    replay(decider, recovered.records, msgspec.msgpack.Decoder(DeciderRecord))
    spare_what_stays()
    return decider, journal


def _stored(instruments: Sequence[Instrument], store: BarStore) -> StoredBars:
    listings = [
        Listing(instrument_id=one.instrument_id, sources=(_source(one),)) for one in instruments
    ]
    return StoredBars(MarketSettings(grace_ns=0), listings, store)


def _on_wrong(alerts: Alerts, name: str) -> None:
    alerts.raise_alert(f"evaluator {name} does not hold what it was given: it gets no work")


def _utc_s() -> int:
    # Certificates end in the time of this world, whatever the market's is.
    return SystemClock().now().market_ns // 1_000_000_000


def _make_folders(home: Home, plan: StrategiesPlan, *, is_replay: bool) -> None:
    """Make what is needed; a market that begins anew finds nothing of the run before."""
    marker = home.market / "run"
    if is_replay and not (marker.exists() and marker.read_text() == plan.run):
        shutil.rmtree(home.decisions, ignore_errors=True)
        for one in home.market.glob(f"{bars_file(home, is_replay=True).name}*"):
            one.unlink()
    for folder in (home.market, home.decisions):
        private_folder(folder)
    marker.write_text(plan.run)


def storable(
    store: BarStore, instruments: Sequence[Instrument], say: Callable[[str], None]
) -> Iterator[Instrument]:
    """Yield those whose bars can be stored here; the others decide nothing, and it is said."""
    for one in instruments:
        try:
            store.list_instruments([one])
        except ConfigurationError as error:
            say(f"no strategy decides on {one.symbol}: {error}")
        else:
            yield one


def _source_id(instrument_id: InstrumentId) -> SourceId:
    """Return what the exchange's candles of one instrument are known by: each has its own clock."""
    return SourceId(f"candles of {instrument_id}")


def _source(instrument: Instrument) -> Source:
    return Source(source_id=_source_id(instrument.instrument_id))


async def _tick(feed: MarketFeed) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        feed.tell((Ticked(),))


def _on_candles(
    feed: MarketFeed, sources: Sequence[SourceId], say: Callable[[str], None], news: News
) -> None:
    if isinstance(news, Gap):
        say(f"candles are missing: {news}")
        return
    told = msgspec.msgpack.decode(news.payload, type=CandlesTold)
    words: list[MarketWord] = []
    for bar in told.bars:
        # The exchange tells a candle once, when it is closed.
        source_id = _source_id(bar.instrument_id)
        words.append(BarTold(source_id=source_id, bar=bar))
        words.append(TimeTold(source_id=source_id, at_ns=bar.end_ns))
    words += [TimeTold(source_id=one, at_ns=told.through_ns) for one in sources]
    feed.tell(words)
