"""What is shown of strategies: texts, assignments, what they want and hold, what was decided."""

from typing import Final

from tandem.domain.ids import AccountId, SlotId, Ticks
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    DroppedTarget,
    Language,
    StrategyText,
    TextHash,
)
from tandem.domain.value import Value

PAGE_MAX: Final = 2_000  # texts, and assignments, in one answer
TEXTS_BYTES_MAX: Final = 2_000_000  # of texts in one answer


class SavedView(Value, frozen=True, kw_only=True):
    """A saved text. `name` is that of its latest saving, `is_newest` whether it means this text.

    `names` are all that mean it, in the order of their letters: one text may have several.
    """

    name: str
    language: Language
    text_hash: TextHash
    is_newest: bool
    names: tuple[str, ...] = ()


class HeldView(Value, frozen=True, kw_only=True):
    """What an assignment wants and holds on one account; lots, negative when short.

    `wanted` and `held` are text on the instrument's grid. `note` says why they differ.
    """

    slot_id: SlotId
    account_id: AccountId
    wanted_lots: int
    held_lots: int
    wanted: str
    held: str
    note: str = ""


class AssignmentView(Value, frozen=True, kw_only=True):
    """An assignment and where it stands.

    `number` rises each time it is assigned. `position_ppm` is the last position wanted, of the
    bar from `begin_ns` to `end_ns` (None before the first). `suspended` is why it decides no
    more. `leaving`: it was taken away, and trades back what it holds. `exits` is why it is made
    flat until its next position. `dropped` counts decisions that were too old to be carried out.
    """

    assignment: Assignment
    number: int
    position_ppm: int = 0
    begin_ns: int | None = None
    end_ns: int | None = None
    stop_price: Ticks | None = None
    target_price: Ticks | None = None
    suspended: str | None = None
    leaving: bool = False
    exits: str = ""
    dropped: int = 0
    held: tuple[HeldView, ...] = ()


class StrategiesView(Value, frozen=True, kw_only=True, tag="strategies"):
    """Texts and assignments, from the `begin`th on, at most `PAGE_MAX` of each.

    `version` rises whenever a text is saved, or anything is assigned, taken away or suspended; not
    when decisions come. With `is_known` the asker has it already, and the rest is empty.
    """

    version: int
    is_known: bool = False
    begin: int = 0
    texts_total: int = 0
    assignments_total: int = 0
    texts: tuple[SavedView, ...] = ()
    assignments: tuple[AssignmentView, ...] = ()


class TextsView(Value, frozen=True, kw_only=True, tag="texts"):
    """The texts asked for, as many of the first as fit; one that is not known is left out."""

    texts: tuple[StrategyText, ...]


class DecisionView(Value, frozen=True, kw_only=True):
    """What came of a decision, or of a strategy: one line of its log; market time."""

    market_ns: int
    assignment_id: AssignmentId
    begin_ns: int | None
    what: str
    text: str = ""


class DecisionsView(Value, frozen=True, kw_only=True, tag="decisions"):
    """The latest first."""

    decisions: tuple[DecisionView, ...]


class DroppedView(Value, frozen=True, kw_only=True, tag="dropped"):
    """Positions that were taken and then given up, and that nothing newer has replaced.

    At most `PAGE_MAX`, the older drops first. `drops` counts all drops up to the last that is
    told here.
    """

    drops: int
    dropped: tuple[DroppedTarget, ...] = ()
