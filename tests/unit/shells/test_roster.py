"""What is assigned takes effect without a restart: B13, B16."""

import msgspec

from tandem.domain.control import AskCatalogue, AskDropped, AskStrategies, AskTexts, Question
from tandem.domain.deciding import RosterSeen, TargetsDropped
from tandem.domain.strategies import AssignmentId, DroppedTarget, StrategyText, TextHash
from tandem.domain.strategy_views import AssignmentView, DroppedView, StrategiesView, TextsView
from tandem.domain.views import CatalogueView, View
from tandem.shells.roster import TEXTS_ASKED, RosterLine
from tests.unit.core.deciding.bench import COIN, OTHER, TEXT, entry

CATALOGUE = CatalogueView(instruments=(COIN, OTHER), slots=(), venues={})


class Line:
    """A roster line and what came of it."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.seen: list[RosterSeen] = []
        self.dropped: list[TargetsDropped] = []
        self.notes: list[str] = []
        self.known: dict[TextHash, StrategyText] = {}
        self.line = RosterLine(
            self.asked.append, lambda: self.known, self.on_seen, self.notes.append
        )

    def on_seen(self, news: RosterSeen | TargetsDropped) -> None:
        if isinstance(news, RosterSeen):
            self.seen.append(news)
        else:
            self.dropped.append(news)

    @property
    def question(self) -> Question:
        return self.asked[-1]

    def answer(self, view: View) -> None:
        """Answer the question, and the one for what can be traded after it."""
        self.line.on_view(self.question.number, view)
        if isinstance(self.question, AskCatalogue):
            self.line.on_view(self.question.number, CATALOGUE)

    def page(self, *views: AssignmentView, version: int = 1, **more: int | bool) -> None:
        total = more.pop("assignments_total", len(views))
        self.answer(
            StrategiesView(version=version, assignments=views, assignments_total=total, **more)  # type: ignore[arg-type]
        )

    def look(self) -> None:
        self.line.look()


def given(name: str, **change: object) -> AssignmentView:
    made = AssignmentView(assignment=entry(name).assignment, number=1)
    return msgspec.structs.replace(made, **change)


def test_what_is_assigned_is_told_with_the_texts_that_are_new() -> None:
    """B13, B16."""
    line = Line()
    line.look()
    line.page(given("a"))
    assert isinstance(line.question, AskTexts)
    assert line.question.text_hashes == (TEXT.text_hash,)
    line.answer(TextsView(texts=(TEXT,)))
    (seen,) = line.seen
    assert (seen.version, seen.texts) == (1, (TEXT,))
    assert [one.instrument for one in seen.entries] == [COIN]


def test_the_same_version_is_not_told_again_and_known_texts_are_not_asked_for() -> None:
    """B13."""
    line = Line()
    line.known[TEXT.text_hash] = TEXT
    line.look()
    line.page(given("a"))
    line.look()
    assert isinstance(line.question, AskStrategies)
    assert line.question.known == 1
    line.answer(StrategiesView(version=1, is_known=True))
    line.answer(DroppedView(drops=0))
    assert len(line.seen) == 1
    assert sum(isinstance(one, AskCatalogue) for one in line.asked) == 1
    line.look()
    assert isinstance(line.question, AskStrategies)


def test_positions_that_the_desk_gave_up_are_told_once() -> None:
    """B22: while the roster is as it was; another desk is asked for all of them."""
    line = Line()
    line.look()
    line.page()
    drop = DroppedTarget(assignment_id=AssignmentId("a"), number=1, end_ns=9, why="halted")
    for known, view in (
        (0, DroppedView(drops=3, dropped=(drop,))),
        (3, DroppedView(drops=3)),
    ):
        line.look()
        line.answer(StrategiesView(version=1, is_known=True))
        assert line.question == AskDropped(number=line.question.number, known=known)
        line.answer(view)
    assert line.dropped == [TargetsDropped(dropped=(drop,))]
    line.line.lost()
    line.look()
    line.answer(StrategiesView(version=1, is_known=True))
    assert line.question == AskDropped(number=line.question.number, known=0)


def test_one_that_is_suspended_or_leaving_decides_no_more() -> None:
    """F22."""
    line = Line()
    line.known[TEXT.text_hash] = TEXT
    line.look()
    line.page(given("a", suspended="line 1: no"), given("b", leaving=True), given("c"))
    assert [one.assignment.assignment_id for one in line.seen[0].entries] == ["c"]


def test_a_symbol_that_is_not_traded_here_is_told() -> None:
    """B21."""
    line = Line()
    line.known[TEXT.text_hash] = TEXT
    line.look()
    foreign = msgspec.structs.replace(entry("a").assignment, others=("NOTHING",))
    line.page(given("a", assignment=foreign))
    assert line.seen[0].entries == ()
    assert line.notes == ["a: one of its symbols is not traded here"]


def test_a_long_roster_comes_in_pages_and_begins_again_when_it_changes() -> None:
    """B24."""
    line = Line()
    line.known[TEXT.text_hash] = TEXT
    line.look()
    line.page(given("a"), assignments_total=2)
    assert isinstance(line.question, AskStrategies)
    assert line.question.begin == 1
    line.page(given("b"), begin=1, assignments_total=2, version=2)
    assert line.seen == []
    assert isinstance(line.question, AskStrategies)
    assert line.question.begin == 0
    line.page(given("b"), version=2)
    assert [one.assignment.assignment_id for one in line.seen[0].entries] == ["b"]


def test_many_texts_are_asked_for_in_parts_and_missing_ones_are_told() -> None:
    """B16."""
    line = Line()
    line.look()
    hashes = [TextHash(f"{number:03}") for number in range(TEXTS_ASKED + 1)]
    assignments = [msgspec.structs.replace(entry("a").assignment, text_hash=one) for one in hashes]
    line.page(*(given("a", assignment=one) for one in assignments))
    assert isinstance(line.question, AskTexts)
    assert len(line.question.text_hashes) == TEXTS_ASKED
    line.answer(TextsView(texts=()))
    assert line.notes == [f"{TEXTS_ASKED + 1} strategies' texts are not to be had"]
    assert len(line.seen) == 1


def test_a_lost_link_ends_the_question_and_late_answers_count_no_more() -> None:
    """B13."""
    line = Line()
    line.line.look()
    line.line.look()
    assert len(line.asked) == 1
    late = line.question.number
    line.line.lost()
    line.line.look()
    known = StrategiesView(version=1, is_known=True)
    line.line.on_view(late, known)
    assert len(line.asked) == 2
    line.answer(known)
    assert len(line.asked) == 3
    line.answer(known)
    assert isinstance(line.question, AskDropped)
