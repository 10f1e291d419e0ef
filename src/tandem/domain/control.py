"""What a command line or a screen says to the coordinator, and hears from it.

Commands are recorded and answered once each; questions are not recorded, and answered with what
is on disk. Every question carries a number that its answer repeats.
"""

from typing import Final

from tandem.domain.commands import Answer, Asked
from tandem.domain.ids import CommandId
from tandem.domain.strategies import AssignmentId, TextHash
from tandem.domain.value import Value
from tandem.domain.views import View

ANSWER_BYTES_MAX: Final = 5_000_000  # a list of orders is longer than a trading message may be


class AskStatus(Value, frozen=True, kw_only=True, tag="ask_status"):
    """How is the pool? Answered by `StatusView`."""

    number: int


class AskOrders(Value, frozen=True, kw_only=True, tag="ask_orders"):
    """Which orders are there? The latest `limit` ones, or those of `ids`, by `OrdersView`."""

    number: int
    ids: tuple[str, ...] = ()
    limit: int = 100


class AskLife(Value, frozen=True, kw_only=True, tag="ask_life"):
    """What became of this order, hop by hop? Answered by `LifeView`."""

    number: int
    order_id: str


class AskPositions(Value, frozen=True, kw_only=True, tag="ask_positions"):
    """What is held, and what was gained? Answered by `PositionsView`."""

    number: int


class AskCatalogue(Value, frozen=True, kw_only=True, tag="ask_catalogue"):
    """What can be traded, and by which slots? Answered by `CatalogueView`."""

    number: int


class AskLimits(Value, frozen=True, kw_only=True, tag="ask_limits"):
    """What is allowed, and how much of it is used? Answered by `LimitsView`."""

    number: int


class AskObjectives(Value, frozen=True, kw_only=True, tag="ask_objectives"):
    """When does the desk stop, and how far is that? Answered by `ObjectivesView`."""

    number: int


class AskRefusals(Value, frozen=True, kw_only=True, tag="ask_refusals"):
    """Which orders would have met own ones? The latest `limit`, by `PreventionView`."""

    number: int
    limit: int = 20


class AskStrategies(Value, frozen=True, kw_only=True, tag="ask_strategies"):
    """What is saved and assigned? From the `begin`th on, by `StrategiesView`.

    An asker that has the version `known` is told only that it is still so.
    """

    number: int
    known: int | None = None
    begin: int = 0


class AskTexts(Value, frozen=True, kw_only=True, tag="ask_texts"):
    """What do these strategies say? Answered by `TextsView`."""

    number: int
    text_hashes: tuple[TextHash, ...]


class AskDecisions(Value, frozen=True, kw_only=True, tag="ask_decisions"):
    """What came of decisions, of all or of one assignment? The latest, by `DecisionsView`."""

    number: int
    assignment_id: AssignmentId | None = None
    limit: int = 100


class AskDropped(Value, frozen=True, kw_only=True, tag="ask_dropped"):
    """Which positions were given up after the first `known` drops? Answered by `DroppedView`."""

    number: int
    known: int = 0


Question = (
    AskStatus
    | AskOrders
    | AskLife
    | AskPositions
    | AskCatalogue
    | AskLimits
    | AskObjectives
    | AskRefusals
    | AskStrategies
    | AskTexts
    | AskDecisions
    | AskDropped
)


class Command(Value, frozen=True, kw_only=True, tag="command"):
    """Do this."""

    asked: Asked


ControlRequest = Command | Question


class CommandAnswer(Value, frozen=True, kw_only=True, tag="command_answer"):
    """The answer to a command."""

    command_id: CommandId
    answer: Answer


class QuestionAnswer(Value, frozen=True, kw_only=True, tag="question_answer"):
    """The answer to a question."""

    number: int
    view: View


ControlMessage = CommandAnswer | QuestionAnswer
