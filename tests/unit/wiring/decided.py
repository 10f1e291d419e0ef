"""A home in which strategies have decided: a journal and stored bars, made without processes."""

import asyncio
from collections.abc import Callable, Sequence

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.adapters.jail.evaluation import Evaluation
from tandem.adapters.journal import open_log
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.folder import private_folder
from tandem.adapters.local.sync import InlineSync
from tandem.core.deciding.decider import Decider
from tandem.domain.bars import FinalBar
from tandem.domain.deciding import (
    BarsFinal,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    RosterSeen,
    Started,
    TaskAnswered,
)
from tandem.domain.evaluation import Task, TaskAnswer
from tandem.domain.instant import Instant
from tandem.ports import BarStore
from tandem.shells.histories import BarsThen, task_with_history
from tandem.shells.recording import Recording
from tandem.strategies.engine import Engine
from tandem.wiring.home import Home
from tandem.wiring.strategies import bars_file
from tests.unit.core.deciding.bench import COIN, OTHER


class StandingClock:
    def now(self) -> Instant:
        return Instant(1, 0)


class DecidedHome:
    """Decides on bars as the market process does, with an evaluator in this process."""

    def __init__(self, home: Home, *, is_replay: bool = False) -> None:
        for folder in (home.folder, home.market, home.decisions):
            private_folder(folder)
        self.store: BarStore = SqliteBars.writing(bars_file(home, is_replay=is_replay))
        self.store.list_instruments([COIN, OTHER])
        _, journal = open_log(FolderDisk(home.decisions, InlineSync()))
        self._decider = Decider()
        self.do: Callable[[Task], TaskAnswer] = Evaluation(Engine(), lambda _: None).do
        self._recording: Recording[DeciderEvent, DeciderEffect] = Recording(
            self._decider, journal, StandingClock(), self._perform, self._never
        )

    async def begin(self, roster: RosterSeen) -> None:
        self._recording.feed(Started(run="r"))
        await self.feed(roster)

    async def bars(self, *finals: FinalBar) -> None:
        self.store.add(finals)
        await self.feed(BarsFinal(bars=finals))

    async def feed(self, event: DeciderEvent) -> None:
        self._recording.feed(event)
        while not self._recording.is_idle:
            done = asyncio.Event()
            self._recording.after_durable(done.set)
            await done.wait()

    def _perform(self, effects: Sequence[DeciderEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Evaluate):
                texts = self._decider.state.texts
                then = BarsThen(self.store, effect)
                task, history = task_with_history(effect, texts, then)
                answer = self.do(task)
                self._recording.feed(TaskAnswered(answer=answer, history=history))

    def _never(self) -> DeciderEvent:
        raise AssertionError("time wakes nobody")
