"""The screen of `tandem top`, driven without a terminal."""

import msgspec
from textual.widgets import Static

from tandem.cli.top_screen import Top
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.halting import EvaluatorsView
from tandem.domain.views import StatusView
from tests.unit.cli.test_screen import STATUS
from tests.unit.cli.test_top_text import EVALUATORS


class Pool:
    """Answers with one record more each time, while it answers."""

    def __init__(self) -> None:
        self.answers = True
        self.asked = 0

    async def status(self) -> StatusView:
        self.asked += 1
        if not self.answers:
            raise CoordinatorUnreachableError("no answer")
        return msgspec.structs.replace(STATUS, records=100 + self.asked)


async def evaluators() -> EvaluatorsView | None:
    return EVALUATORS


def text(app: Top, name: str) -> str:
    return str(app.query_one(f"#{name}", Static).content)


async def test_the_first_answer_is_on_the_screen_at_once() -> None:
    """C13."""
    app = Top(Pool().status, evaluators)
    async with app.run_test(size=(120, 50)):
        assert "101 records" in text(app, "summary")
        assert text(app, "slots").splitlines()[1].split()[:3] == ["w1", "A1", "p2"]
        assert text(app, "evaluators").splitlines()[1].split()[:3] == ["e1", "here", "ready"]
        assert "0 unknown" in text(app, "persons")
        assert "takeovers 2" in text(app, "counters")
        assert app.query_one("#latencies", Static).border_title == "how long things took"


async def test_p_pauses_and_goes_on_and_q_quits() -> None:
    pool = Pool()
    app = Top(pool.status, evaluators)
    async with app.run_test() as pilot:
        await pilot.press("p")
        asked = pool.asked
        await app.look()
        assert pool.asked == asked
        assert text(app, "summary").startswith("paused: pool trading")
        await pilot.press("p")
        await app.look()
        assert pool.asked > asked
        assert text(app, "summary").startswith("pool trading")
        await pilot.press("q")
    assert app.return_code == 0


async def test_what_was_shown_stays_while_the_coordinator_is_away() -> None:
    """C15."""
    pool = Pool()
    app = Top(pool.status, evaluators)
    async with app.run_test():
        pool.answers = False
        await app.look()
        assert text(app, "summary") == "the coordinator does not answer"
        assert "w1" in text(app, "slots")
        pool.answers = True
        await app.look()
        assert "pool trading" in text(app, "summary")
