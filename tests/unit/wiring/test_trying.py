"""A strategy over stored bars is decided as in a pool."""

import pytest

from tandem.adapters.jail.evaluation import Evaluation
from tandem.core.market.origins import origin_ns
from tandem.domain.bars import Span
from tandem.domain.errors import TandemError
from tandem.domain.evaluation import Skipped, Task, TaskAnswer
from tandem.domain.strategies import Answer, Language, StrategyText
from tandem.ports import BarStore
from tandem.strategies.engine import Engine
from tandem.strategies.fresh import Case, Listed, evaluate
from tandem.wiring.evaluating import Ask
from tandem.wiring.home import Home
from tandem.wiring.trying import Tried, tried
from tests.unit.core.deciding.bench import COIN, entry, final
from tests.unit.wiring.decided import DecidedHome
from tests.unit.wiring.test_explaining import assigned

TEXT = StrategyText(
    name="even",
    language=Language.LUA,
    text="return ta.ema(1000)() % 1",
)
FINALS = [final(number, close=1000 + number * 7919 % 500) for number in range(1, 4_203)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    made = DecidedHome(Home(tmp_path_factory.mktemp("home") / "home")).store
    made.add(FINALS)
    return made


def here() -> Ask:
    evaluation = Evaluation(Engine(), lambda _: None)

    async def ask(task: Task) -> TaskAnswer:
        return evaluation.do(task)

    return ask


async def over(store: BarStore, begin: int, end: int) -> list[Tried]:
    found = tried(TEXT, assigned(TEXT, entry()), FINALS[begin:end], store, here())
    return [one async for one in found]


async def test_each_bar_is_decided_on_the_bars_since_its_origin(store: BarStore) -> None:
    """B16, B35: an average that never forgets shows where history begins, and that it moves."""
    found = await over(store, 0, len(FINALS))
    origins = [origin_ns(Span.M1, one.bar.begin_ns, COIN.instrument_id) for one in FINALS]
    moved = [at for at in range(1, len(FINALS)) if origins[at] != origins[at - 1]]
    assert len(moved) >= 2
    for at in (1_500, *(place + step for place in moved for step in (-1, 0, 1)), 4_200):
        since = [one.bar for one in FINALS[: at + 1] if one.bar.begin_ns >= origins[at]]
        listed = Listed(instrument=COIN, span=Span.M1, bars=since)
        assert (found[at].answer or Answer()) == evaluate(Case(text=TEXT), listed), at


async def test_a_run_that_begins_later_says_the_same(store: BarStore) -> None:
    """B16."""
    later = await over(store, 2_000, 2_050)
    assert len({str(one.answer) for one in later}) == 50
    assert later == (await over(store, 1_990, 2_050))[10:]


async def test_a_bar_that_cannot_be_evaluated_ends_it(store: BarStore) -> None:
    async def refuse(task: Task) -> TaskAnswer:
        return Skipped(task_id=task.task_id, reason="no room")

    run = tried(TEXT, assigned(TEXT, entry()), FINALS, store, refuse)
    with pytest.raises(TandemError, match="nothing was decided on bar 1: no room"):
        await anext(run)
