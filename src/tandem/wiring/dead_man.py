"""Watching for silence: the supervisor asks coordinator and exchange whether they live.

A process that has ended is noticed by its parent; one that hangs is not. So each is asked on its
own control socket, several times a second. Silence is reported, and a longer silence ends the
process, which the supervisor then starts anew: its journal has one writer, by a lock that goes with
the process, so the new one cannot begin before the old one is gone.

A process that was never heard of is still starting, and reading its journal may take long.

The other way round, the coordinator notices that nobody asks it: then the supervisor hangs. When
the supervisor ends, its children end with it, by the kernel.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tandem.core.trading.pulse import Pulse
from tandem.domain.desk import MS, SECOND
from tandem.domain.halting import Alive, AskAlive, Leave, OwnAnswer, OwnRequest
from tandem.ports import Clock, Network
from tandem.shells.dialer import Dialer

ASK_NS: Final = 250 * MS
ALARM_NS: Final = SECOND
KILL_NS: Final = 5 * SECOND
NEWS_MAX: Final = 100
SUPERVISOR: Final = "supervisor"
_ANSWERS: Final = msgspec.msgpack.Decoder(list[OwnAnswer])


class DeadMan:
    """Asks the processes that it is told of, and hears what they have seen.

    `report` gets texts for people. `kill` is called with the name of a process that was silent for
    so long that it must be replaced, `on_alive` with the name of one that lives, and what it said.
    """

    def __init__(
        self,
        network: Network,
        clock: Clock,
        *,
        report: Callable[[str], None],
        kill: Callable[[str], None],
        on_alive: Callable[[str, Alive], None] = lambda _name, _alive: None,
    ) -> None:
        self._network = network
        self._on_alive = on_alive
        self._addresses: dict[str, str] = {}
        self._watched: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._clock = clock
        self._report = report
        self._kill = kill
        self._dialers: dict[str, Dialer[OwnAnswer]] = {}
        self._silence: Pulse[str] = Pulse(heartbeat_ns=ASK_NS, alarm_ns=ALARM_NS)
        self._end: Pulse[str] = Pulse(heartbeat_ns=ASK_NS, alarm_ns=KILL_NS)

    async def watch(self, addresses: dict[str, str]) -> None:
        """Watch these processes, by name, and those that are added, for ever."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for name, address in (addresses | self._addresses).items():
                self.add(name, address=address)
            tasks.create_task(self._ask())

    def add(self, name: str, *, address: str) -> None:
        """Watch one process more."""
        self._addresses[name] = address
        if self._tasks is None or name in self._dialers:
            return
        dialer = self._dialer(name, address)
        self._dialers[name] = dialer
        self._watched[name] = self._tasks.create_task(dialer.run())

    def remove(self, name: str) -> None:
        """Watch it no longer: it has ended, and nothing is started in its place."""
        self.forget(name)
        self._addresses.pop(name, None)
        if self._dialers.pop(name, None) is not None:
            self._watched.pop(name).cancel()

    def tell_to_leave(self, name: str) -> None:
        """Let an evaluator finish and end; while it cannot be reached, nothing happens."""
        dialer = self._dialers.get(name)
        if dialer is not None and dialer.link is not None:
            dialer.link.send(Leave())

    def forget(self, name: str) -> None:
        """This process has ended: what starts in its place is judged once it was heard of."""
        self._silence.forget(name)
        self._end.forget(name)
        dialer = self._dialers.get(name)
        if dialer is not None:
            dialer.hang_up("its process ended")

    def _dialer(self, name: str, address: str) -> Dialer[OwnAnswer]:
        def on_messages(_epoch: int, messages: Sequence[OwnAnswer]) -> None:
            now_ns = self._clock.now().now_ns
            self._silence.heard(name, now_ns)
            self._end.heard(name, now_ns)
            for message in messages:
                if isinstance(message, Alive):
                    for news in message.news:
                        self._report(news)
                    self._on_alive(name, message)

        return Dialer(
            self._network,
            address,
            _ANSWERS,
            on_up=lambda link: link.send(AskAlive()),
            on_messages=on_messages,
            on_down=lambda: None,
        )

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(ASK_NS / 1e9)
            await asyncio.sleep(0.001)  # one turn of the loop, in which the sockets are drained
            for dialer in self._dialers.values():
                if dialer.link is not None:
                    dialer.link.send(AskAlive())
            now_ns = self._clock.now().now_ns
            for name in self._silence.silent(now_ns):
                self._report(f"the {name} is silent for {ALARM_NS // MS} ms")
            for name in self._end.silent(now_ns):
                self._report(f"the {name} is silent for {KILL_NS // SECOND} s: it is replaced")
                self._kill(name)


class Watched:
    """The other end: answers for a process, and notices that its supervisor asks no more.

    `on_silent` is called once for each silence. News that nobody collects is dropped, oldest first.
    """

    def __init__(self, clock: Clock, on_silent: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_silent = on_silent
        self._news: list[str] = []
        self._pulse: Pulse[str] = Pulse(heartbeat_ns=ASK_NS, alarm_ns=ALARM_NS)

    def note(self, text: str) -> None:
        """Let the supervisor know."""
        self._news.append(text)
        del self._news[:-NEWS_MAX]

    def answer(self, _request: OwnRequest) -> OwnAnswer:
        """Answer what came to this process' own control socket: it lives, and this is new."""
        self._pulse.heard(SUPERVISOR, self._clock.now().now_ns)
        news, self._news = tuple(self._news), []
        return Alive(news=news)

    async def watch(self) -> None:
        """Look whether somebody asks, for ever."""
        while True:
            await asyncio.sleep(ASK_NS / 1e9)
            await asyncio.sleep(0.001)
            for name in self._pulse.silent(self._clock.now().now_ns):
                self._on_silent(f"the {name} is silent for {ALARM_NS // MS} ms")
