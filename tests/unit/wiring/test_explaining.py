"""Recorded decisions are made again from the journal and the bars: B16."""

from pathlib import Path

import msgspec
import pytest

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.adapters.jail.evaluation import Evaluation
from tandem.domain.bars import FinalBar
from tandem.domain.deciding import Rostered, RosterSeen
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import AttachmentNumber, Cold, Said, Skipped, Task, TaskAnswer
from tandem.domain.ids import Ticks
from tandem.domain.strategies import Answer, AssignmentId, Language, StrategyText
from tandem.strategies.engine import Engine
from tandem.wiring.explaining import (
    NothingDecidedError,
    Stopped,
    explain,
    made_again,
    recorded_decision,
)
from tandem.wiring.home import Home
from tandem.wiring.strategies import bars_file
from tests.unit.core.deciding.bench import MINUTE_NS, NOON_NS, OTHER, entry, final, revised
from tests.unit.wiring.decided import DecidedHome

TEXT = StrategyText(
    name="cross",
    language=Language.LUA,
    text="""\
state.bars = (state.bars or 0) + 1
log("bar", state.bars, "was", position)
return ta.ema(2)() > close(1) and "long" or "flat"
""",
)
SEES = StrategyText(
    name="sees",
    language=Language.LUA,
    text=f"return close() > instrument('{OTHER.symbol}').close() and 1 or 0.5",
)
A = AssignmentId("a")


def assigned(text: StrategyText, one: Rostered) -> Rostered:
    assignment = msgspec.structs.replace(one.assignment, text_hash=text.text_hash, name=text.name)
    return msgspec.structs.replace(one, assignment=assignment)


def of_all(*entries: Rostered) -> RosterSeen:
    return RosterSeen(version=1, texts=(TEXT, SEES), entries=entries)


def wavy(number: int) -> FinalBar:
    return final(number, close=100 + 7 * number % 5)


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    """Return a home where eight bars were decided on; after the third, the first was corrected."""
    found = Home(tmp_path / "home")
    made = DecidedHome(found)
    await made.begin(of_all(assigned(TEXT, entry("a")), assigned(TEXT, entry("b"))))
    for number in range(1, 4):
        await made.bars(wavy(number))
    await made.bars(revised(4, of=1))
    for number in range(5, 10):
        await made.bars(wavy(number))
    made.store.close()
    return found


async def ask(task: Task) -> TaskAnswer:
    return Evaluation(Engine(), lambda _: None).do(task)


def reading(home: Home) -> SqliteBars:
    return SqliteBars.reading(bars_file(home, is_replay=False))


async def test_every_decision_is_the_same_when_it_is_made_again(home: Home) -> None:
    """B16: also those made before a bar that they saw was corrected."""
    seen = []
    for number in (1, 2, 3, 5, 6, 7, 8, 9):
        at_ns = NOON_NS + number * MINUTE_NS
        recorded = recorded_decision(home, A, at_ns)
        found = await made_again(recorded, reading(home), ask)
        assert found.is_same, number
        assert recorded.asked.task_id.number == number
        seen.append((found.bars, recorded.lines))
    assert [bars for bars, _ in seen] == list(range(1, 9))
    assert seen[3][1] == ("bar 4 was 0",)
    last = recorded_decision(home, A, None)
    assert last == recorded_decision(home, A, at_ns + 5)
    assert last.state == '{"bars":7}'


async def test_other_inputs_or_another_answer_are_not_the_same(home: Home) -> None:
    """B16."""
    recorded = recorded_decision(home, A, None)
    moved = msgspec.structs.replace(recorded, position_ppm=5)
    found = await made_again(moved, reading(home), ask)
    assert not found.is_same_inputs
    assert not found.is_same
    told = msgspec.structs.replace(recorded.decision, answer=Answer(position_ppm=77))
    found = await made_again(msgspec.structs.replace(recorded, decision=told), reading(home), ask)
    assert found.is_same_inputs
    assert not found.is_same


async def test_an_evaluator_that_cannot_do_it_says_why(home: Home) -> None:
    async def refuse(task: Task) -> TaskAnswer:
        return Skipped(task_id=task.task_id, reason="no room")

    found = await made_again(recorded_decision(home, A, None), reading(home), refuse)
    assert (found.answer, found.why, found.is_same) == (None, "no room", False)


async def test_other_series_are_given_as_they_were_seen(tmp_path: Path) -> None:
    """B16, B35."""
    home = Home(tmp_path / "home")
    made = DecidedHome(home)
    await made.begin(of_all(assigned(SEES, entry("a", others=(OTHER,)))))
    for number in range(1, 6):
        await made.bars(final(number, close=100 + number % 3, instrument=OTHER))
        await made.bars(wavy(number))
    made.store.close()
    answers = []
    for number in range(2, 6):
        recorded = recorded_decision(home, A, NOON_NS + number * MINUTE_NS)
        assert (await made_again(recorded, reading(home), ask)).is_same, number
        answers.append(recorded.decision.answer.position_ppm)
    assert len(set(answers)) == 2


async def test_bars_of_others_that_came_late_or_were_corrected_are_given_as_they_were_seen(
    tmp_path: Path,
) -> None:
    """B16, B33: by the number that is recorded, whatever was published since."""
    home = Home(tmp_path / "home")
    made = DecidedHome(home)
    await made.begin(of_all(assigned(SEES, entry("a", others=(OTHER,)))))
    dear = final(1, close=200, instrument=OTHER)
    await made.bars(final(1))
    await made.bars(dear)
    await made.bars(final(2))
    await made.bars(final(3))  # the other's second bar is late
    cheap = final(2, close=50, instrument=OTHER)
    await made.bars(cheap)
    await made.bars(final(4))
    wrong = msgspec.structs.replace(cheap.bar, close=Ticks(300), high=Ticks(300))
    await made.bars(FinalBar(number=3, bar=wrong, revision=1))
    await made.bars(final(5))
    made.store.close()
    found = []
    for number in range(2, 6):
        recorded = recorded_decision(home, A, NOON_NS + number * MINUTE_NS)
        again = await made_again(recorded, reading(home), ask)
        assert again.is_same, number
        seen = [one.number for one in recorded.others]
        found.append((seen, again.others, recorded.decision.answer.position_ppm))
    assert found == [
        ([1], {OTHER.symbol: 1}, 500_000),
        ([1], {OTHER.symbol: 1}, 500_000),
        ([2], {OTHER.symbol: 2}, 1_000_000),
        ([3], {OTHER.symbol: 2}, 500_000),
    ]
    blind = recorded_decision(home, A, NOON_NS + 4 * MINUTE_NS)
    blind = msgspec.structs.replace(blind, others=())
    assert not (await made_again(blind, reading(home), ask)).is_same_inputs


def killed(task: Task) -> TaskAnswer:
    """Answer that the first strategy had to be ended."""
    first = Said(number=AttachmentNumber(0), answer=Answer(error="ended: too slow"))
    return Cold(task_id=task.task_id, failed=(first,))


async def test_a_strategy_that_was_ended_by_force_is_told_with_its_bar_and_why(
    tmp_path: Path,
) -> None:
    """B16: on its first bar nothing of it was decided."""
    home = Home(tmp_path / "home")
    made = DecidedHome(home)
    made.do = killed
    await made.begin(of_all(assigned(TEXT, entry("a"))))
    await made.bars(wavy(1))
    made.store.close()
    with pytest.raises(NothingDecidedError, match="a: nothing was decided;") as raised:
        recorded_decision(home, A, None)
    assert (raised.value.symbol, raised.value.stopped) == (
        "F",
        Stopped(bar=wavy(1).bar, number=1, reason="ended: too slow", is_suspended=True),
    )
    with pytest.raises(NothingDecidedError) as raised:
        recorded_decision(home, A, NOON_NS)
    assert raised.value.stopped is None
    with pytest.raises(NothingDecidedError) as raised:
        recorded_decision(home, AssignmentId("b"), None)
    assert raised.value.stopped is None


async def test_what_stopped_it_since_its_last_decision_is_told_beside_it(tmp_path: Path) -> None:
    """B16: of the assignment that was ended, and not of the one beside it."""
    home = Home(tmp_path / "home")
    made = DecidedHome(home)
    well = made.do
    await made.begin(of_all(assigned(TEXT, entry("a")), assigned(TEXT, entry("b"))))
    await made.bars(wavy(1))
    made.do = lambda task: Skipped(task_id=task.task_id, reason="its time is used up")
    await made.bars(wavy(2))
    passed = recorded_decision(home, A, None)
    assert passed.asked.task_id.number == 1
    assert passed.stopped == Stopped(
        bar=wavy(2).bar, number=2, reason="its time is used up", is_suspended=False
    )
    made.do = well
    await made.bars(wavy(3))
    assert recorded_decision(home, A, None).stopped is None

    def ended_once(task: Task) -> TaskAnswer:
        made.do = well
        return killed(task)

    made.do = ended_once
    await made.bars(wavy(4))
    await made.bars(wavy(5))
    made.store.close()
    stopped = recorded_decision(home, A, None).stopped
    assert stopped is not None
    assert (stopped.number, stopped.reason, stopped.is_suspended) == (4, "ended: too slow", True)
    beside = recorded_decision(home, AssignmentId("b"), None)
    assert (beside.asked.task_id.number, beside.stopped) == (5, None)


async def test_what_is_not_there_is_named(home: Home, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"c: nothing was decided; there are decisions of: a, b"
    ):
        recorded_decision(home, AssignmentId("c"), None)
    with pytest.raises(ConfigurationError, match="a: nothing was decided by then"):
        recorded_decision(home, A, NOON_NS)
    with pytest.raises(ConfigurationError, match="there is no journal"):
        await explain(Home(tmp_path / "none"), A, None, print)
    for one in home.folder.glob("bars.sqlite*"):
        one.unlink()
    other = DecidedHome(Home(tmp_path / "other"), is_replay=True)
    other.store.add([wavy(1)])
    other.store.close()
    (tmp_path / "other" / "market" / "replay.sqlite").rename(home.market / "replay.sqlite")
    with pytest.raises(ConfigurationError, match="the bar that was decided on is not stored"):
        await explain(home, A, None, print)
