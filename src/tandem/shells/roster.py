"""What is assigned, asked of the desk over and over, so that a change takes effect soon."""

from collections.abc import Callable, Mapping

from tandem.domain.control import AskCatalogue, AskDropped, AskStrategies, AskTexts, Question
from tandem.domain.deciding import Rostered, RosterSeen, TargetsDropped
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import StrategyText, TextHash
from tandem.domain.strategy_views import AssignmentView, DroppedView, StrategiesView, TextsView
from tandem.domain.views import CatalogueView, View

TEXTS_ASKED = 100


class RosterLine:
    """One conversation about the roster: a question at a time, over a link that may be lost.

    `ask` sends a question. `on_seen` is given a roster that is not the one before, with the texts
    that `known` has not, and which positions the desk gave up; `on_note` what a person should know.
    What can be traded is asked only before a new roster is told.
    """

    def __init__(
        self,
        ask: Callable[[Question], None],
        known: Callable[[], Mapping[TextHash, StrategyText]],
        on_seen: Callable[[RosterSeen | TargetsDropped], None],
        on_note: Callable[[str], None],
    ) -> None:
        self._ask = ask
        self._known = known
        self._on_seen = on_seen
        self._on_note = on_note
        self.version: int | None = None
        self.drops = 0
        self.instruments: dict[str, Instrument] = {}
        self._number = 0
        self._is_asking = False
        self._pages: list[AssignmentView] = []
        self._texts: dict[TextHash, StrategyText] = {}
        self._wanted: list[TextHash] = []
        self._seen_version = 0

    def lost(self) -> None:
        """The link is gone: nothing is waited for, and another desk may be there next."""
        self._is_asking = False
        self.drops = 0

    def look(self) -> None:
        """Ask, unless an answer is awaited; to be called every so often."""
        if self._is_asking:
            return
        self._is_asking = True
        self._pages.clear()
        self._texts.clear()
        self._number += 1
        self._ask(AskStrategies(number=self._number, known=self.version))

    def on_view(self, number: int, view: View) -> None:
        """Take an answer; one that is not awaited is passed over."""
        if number != self._number or not self._is_asking:
            return
        self._number += 1
        match view:
            case CatalogueView():
                self.instruments = {one.symbol: one for one in view.instruments}
                self._see()
            case StrategiesView():
                self._on_page(view)
            case TextsView():
                self._on_texts(view)
            case DroppedView():
                self._on_dropped(view)
            case _:
                self._is_asking = False

    def _on_page(self, view: StrategiesView) -> None:
        if view.is_known:
            self._ask(AskDropped(number=self._number, known=self.drops))
            return
        if view.begin == 0 or view.version != self._seen_version:
            self._pages.clear()
        self._seen_version = view.version
        if view.begin != len(self._pages):  # it changed between two pages
            self._ask(AskStrategies(number=self._number))
            return
        self._pages.extend(view.assignments)
        if view.assignments and len(self._pages) < view.assignments_total:
            self._ask(AskStrategies(number=self._number, begin=len(self._pages)))
            return
        known = self._known()
        hashes = {one.assignment.text_hash: None for one in self._pages}
        self._wanted = [one for one in hashes if one not in known]
        self._ask_texts()

    def _ask_texts(self) -> None:
        if self._wanted:
            asked = tuple(self._wanted[:TEXTS_ASKED])
            self._ask(AskTexts(number=self._number, text_hashes=asked))
        else:
            self._ask(AskCatalogue(number=self._number))

    def _on_texts(self, view: TextsView) -> None:
        found = {one.text_hash: one for one in view.texts}
        self._texts.update(found)
        if not found:
            self._on_note(f"{len(self._wanted)} strategies' texts are not to be had")
            self._wanted.clear()
        self._wanted = [one for one in self._wanted if one not in found]
        self._ask_texts()

    def _on_dropped(self, view: DroppedView) -> None:
        self._is_asking = False
        self.drops = view.drops
        if view.dropped:
            self._on_seen(TargetsDropped(dropped=view.dropped))

    def _see(self) -> None:
        self._is_asking = False
        self.version = self._seen_version
        entries = [self._entry(one) for one in self._pages if not one.suspended and not one.leaving]
        self._on_seen(
            RosterSeen(
                version=self._seen_version,
                texts=tuple(self._texts.values()),
                entries=tuple(one for one in entries if one is not None),
            )
        )

    def _entry(self, view: AssignmentView) -> Rostered | None:
        assignment = view.assignment
        instruments = [
            self.instruments.get(symbol) for symbol in (assignment.symbol, *assignment.others)
        ]
        found = [one for one in instruments if one is not None]
        if len(found) < len(instruments):
            self._on_note(f"{assignment.assignment_id}: one of its symbols is not traded here")
            return None
        return Rostered(
            assignment=assignment,
            number=view.number,
            instrument=found[0],
            others=tuple(found[1:]),
        )
