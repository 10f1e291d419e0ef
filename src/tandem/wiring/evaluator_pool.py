"""The market process' end of its evaluators: gives them tasks, and says how many it wants."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from tandem.core.evaluating.elastic import Elastic, ElasticLimits, PoolSeen
from tandem.domain.evaluation import TaskKey
from tandem.domain.halting import (
    Alive,
    AskEvaluators,
    EvaluatorsView,
    EvaluatorView,
    OwnAnswer,
    OwnRequest,
)
from tandem.messaging.balancer import Rules, WorkerLoad
from tandem.messaging.broker import Broker
from tandem.messaging.errors import MessagingError
from tandem.ports import Clock

LOOK_S: Final = 0.05
AGAIN_S: Final = 1.0
RULES: Final = Rules(keys_apart=2)
_HERE: Final = b"\0"  # the broker's first door, to which only processes of this computer come


class EvaluatorPool:
    """Whoever has come to that broker. `say` gets what a person should know."""

    def __init__(
        self, broker: Broker, limits: ElasticLimits, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._say = say
        self._elastic = Elastic(limits)

    def submit(self, key: str, payload: bytes, done: Callable[[bytes], None]) -> None:
        """Have a task done; one that nobody could do is given again, since it must be decided."""

        def on_outcome(found: bytes | MessagingError) -> None:
            self._elastic.on_ended(number, self._clock.now())
            if isinstance(found, bytes):
                done(found)
                return
            self._say(f"{key}: {found}")
            again = partial(self.submit, key, payload, done)
            asyncio.get_running_loop().call_later(AGAIN_S, again)

        number = self._broker.give(key.encode(), payload=payload, on_outcome=on_outcome)
        self._elastic.on_given(number, key, self._clock.now())

    def is_settled(self) -> Callable[[TaskKey], bool]:
        """Return what says whether a series stays where it is when another evaluator comes now."""
        due = self._broker.due_to_newcomer()

        def is_settled(key: TaskKey) -> bool:
            return key.encode() not in due and self._broker.has_home(key.encode())

        return is_settled

    def answer(self, request: OwnRequest) -> OwnAnswer:
        """Answer what came to the market process' own control socket."""
        if isinstance(request, AskEvaluators):
            return self._view()
        return Alive(evaluators=self._elastic.wanted)

    async def run(self) -> None:
        """Look at them over and over, for ever."""
        while True:
            serving = [one for one in self._broker.workers() if not one.is_leaving]
            here = sum(map(_is_here, serving))
            seen = PoolSeen(
                here=here,
                elsewhere=len(serving) - here,
                busy=sum(one.held > 0 for one in serving),
            )
            self._elastic.on_seen(seen, self._clock.now())
            await asyncio.sleep(LOOK_S)

    def _view(self) -> EvaluatorsView:
        limits, counts = self._elastic.limits, self._broker.counts
        return EvaluatorsView(
            wanted=self._elastic.wanted,
            fewest=limits.fewest,
            most=limits.most,
            evaluators=tuple(
                EvaluatorView(
                    name=one.name,
                    is_here=_is_here(one),
                    held=one.held,
                    waiting=one.waiting,
                    is_leaving=one.is_leaving,
                )
                for one in self._broker.workers()
            ),
            open_tasks=self._elastic.open_tasks,
            oldest_ns=self._elastic.oldest_ns(self._clock.now()),
            lost=counts.lost,
            redone=counts.redone,
            moved=counts.moved + counts.spread,
        )


def _is_here(load: WorkerLoad) -> bool:
    return load.worker.startswith(_HERE)
