"""The command line's end of the control socket: commands and questions, until answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.commands import Answer, Asked, Command
from tandem.domain.control import (
    ANSWER_BYTES_MAX,
    AskCatalogue,
    AskDecisions,
    AskLife,
    AskLimits,
    AskObjectives,
    AskOrders,
    AskPositions,
    AskRefusals,
    AskStatus,
    AskStrategies,
    AskTexts,
    CommandAnswer,
    ControlMessage,
    ControlRequest,
    Question,
)
from tandem.domain.control import Command as CommandRequest
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.ids import CommandId
from tandem.domain.strategies import AssignmentId, TextHash
from tandem.domain.strategy_views import DecisionsView, StrategiesView, TextsView
from tandem.domain.views import (
    CatalogueView,
    LifeView,
    LimitsView,
    ObjectivesView,
    OrdersView,
    PositionsView,
    PreventionView,
    StatusView,
    View,
)
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.wiring.home import Home

ANSWER_S: Final = 15.0
V = TypeVar("V")


class DeskLine:
    """A connection to the coordinator, dialed anew when lost, with what waits for an answer.

    Everything unanswered is said again on a new connection: a command keeps its id, so the
    coordinator carries it out once.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._waiting: dict[str, tuple[ControlRequest, asyncio.Future[object]]] = {}
        self._number = 0
        self._dialer: Dialer[ControlMessage] = Dialer(
            UnixNetwork(),
            address,
            msgspec.msgpack.Decoder(list[ControlMessage]),
            on_up=self._say_again,
            on_messages=self._on_messages,
            on_down=lambda: None,
            bytes_max=ANSWER_BYTES_MAX,
        )

    async def run(self) -> None:
        """Keep the connection, for ever."""
        await self._dialer.run()

    def hang_up(self) -> None:
        """End the connection."""
        if self._dialer.link is not None:
            self._dialer.link.drop("done")

    async def command(
        self, command_id: CommandId, command: Command, wait_s: float = ANSWER_S
    ) -> Answer:
        """Return the answer to `command`, however often the connection is lost meanwhile.

        Raises:
            CoordinatorUnreachableError: none came in time; it may or may not have been done.
                Asked again under the same id it is done once.
        """
        request = CommandRequest(asked=Asked(command_id=command_id, command=command))
        answer = await self._answered(f"c:{command_id}", request, wait_s)
        return answer  # type: ignore[return-value] # keyed by kind

    async def status(self, wait_s: float = ANSWER_S) -> StatusView:
        """Return how the pool is."""
        return await self._ask(AskStatus(number=self._next()), StatusView, wait_s)

    async def orders(self, ids: Sequence[str] = (), limit: int = 100) -> OrdersView:
        """Return the orders of these ids, or the latest `limit` ones."""
        question = AskOrders(number=self._next(), ids=tuple(ids), limit=limit)
        return await self._ask(question, OrdersView)

    async def life(self, order_id: str) -> LifeView:
        """Return what became of an order, hop by hop."""
        return await self._ask(AskLife(number=self._next(), order_id=order_id), LifeView)

    async def positions(self) -> PositionsView:
        """Return what the accounts hold, as the coordinator's books have it."""
        return await self._ask(AskPositions(number=self._next()), PositionsView)

    async def catalogue(self) -> CatalogueView:
        """Return what can be traded, and by which slots."""
        return await self._ask(AskCatalogue(number=self._next()), CatalogueView)

    async def limits(self) -> LimitsView:
        """Return what is allowed, and how much of it is used."""
        return await self._ask(AskLimits(number=self._next()), LimitsView)

    async def objectives(self) -> ObjectivesView:
        """Return when the desk stops, and how far that is."""
        return await self._ask(AskObjectives(number=self._next()), ObjectivesView)

    async def refusals(self, limit: int) -> PreventionView:
        """Return the latest orders that would have met own ones, and what was netted."""
        return await self._ask(AskRefusals(number=self._next(), limit=limit), PreventionView)

    async def strategies(self, begin: int = 0) -> StrategiesView:
        """Return what is saved and assigned, from the `begin`th on."""
        return await self._ask(AskStrategies(number=self._next(), begin=begin), StrategiesView)

    async def texts(self, text_hashes: Sequence[TextHash]) -> TextsView:
        """Return the strategies of these hashes, as many as fit into one answer."""
        question = AskTexts(number=self._next(), text_hashes=tuple(text_hashes))
        return await self._ask(question, TextsView)

    async def decisions(self, assignment_id: AssignmentId | None, limit: int) -> DecisionsView:
        """Return what came of the latest decisions, of one assignment or of all."""
        question = AskDecisions(number=self._next(), assignment_id=assignment_id, limit=limit)
        return await self._ask(question, DecisionsView)

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _ask(self, question: Question, kind: type[V], wait_s: float = ANSWER_S) -> V:
        """Return the view that answers.

        Raises:
            CoordinatorUnreachableError: no answer came in time.
        """
        view = await self._answered(f"q:{question.number}", question, wait_s)
        assert isinstance(view, kind), f"{type(view).__name__} answers {question}"
        return view

    async def _answered(self, key: str, request: ControlRequest, wait_s: float) -> object:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[key] = (request, future)
        if self._dialer.link is not None:
            self._dialer.link.send(request)
        try:
            async with asyncio.timeout(wait_s):
                return await future
        except TimeoutError as error:
            message = f"{self._address}: no answer within {wait_s:g} s"
            raise CoordinatorUnreachableError(message) from error
        finally:
            del self._waiting[key]

    def _say_again(self, link: Link[ControlMessage]) -> None:
        for request, _ in self._waiting.values():
            link.send(request)

    def _on_messages(self, _epoch: int, messages: Sequence[ControlMessage]) -> None:
        for message in messages:
            answer: Answer | View
            if isinstance(message, CommandAnswer):
                key, answer = f"c:{message.command_id}", message.answer
            else:
                key, answer = f"q:{message.number}", message.view
            waiting = self._waiting.get(key)
            if waiting is not None and not waiting[1].done():
                waiting[1].set_result(answer)


@contextlib.asynccontextmanager
async def desk_line(home: Home) -> AsyncIterator[DeskLine]:
    """Yield a line to the coordinator of that home, for as long as it is needed."""
    line = DeskLine(home.control_socket)
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        line.hang_up()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def refuse_absent(home: Home) -> None:
    """See that a pool runs in that home.

    Raises:
        CoordinatorUnreachableError: none does.
    """
    if home.running_pid() is None:
        raise CoordinatorUnreachableError(
            f"{home.folder}: no pool runs here; start one with 'tandem up'"
        )
