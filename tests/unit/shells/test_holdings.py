"""What a new evaluator holds before work comes: B16. With the real engine."""

import asyncio

import msgspec

from tandem.adapters.jail.evaluation import Evaluation
from tandem.core.deciding.decider import Decider
from tandem.domain.bundle import holdings_of
from tandem.domain.deciding import BarsFinal, Evaluate, RosterSeen, Started, TaskAnswered
from tandem.domain.evaluation import Cold, Evaluated, Task, TaskAnswer, task_bytes
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Language, StrategyText
from tandem.shells.histories import BarsThen, task_with_history
from tandem.shells.holdings import BYTES_MAX, holdings
from tandem.sim.bars import MemoryBars
from tandem.strategies.engine import Engine
from tests.unit.core.deciding.bench import COIN, OTHER, entry, final

TEXT = StrategyText(
    name="cross",
    language=Language.LUA,
    text="""\
local sma = ta.sma(3)
state.n = (state.n or 0) + 1
state.sma = sma()
if bar.close > sma() then return state.n / 1000 end
return -position
""",
)
CLOSES = (100, 104, 101, 108, 103, 109, 110, 102)


class Deciding:
    """A decider, its store, and evaluators that are asked by name."""

    def __init__(self, *instruments: Instrument) -> None:
        self.store = MemoryBars()
        self.store.list_instruments([COIN, OTHER])
        self.decider = Decider()
        self.evaluators: dict[str, Evaluation] = {}
        self.asked: list[Evaluate] = []
        self.on(Started(run="r"))
        entries = []
        for number, one in enumerate(instruments):
            made = entry(f"a{number}", number=number + 1, instrument=one)
            assignment = msgspec.structs.replace(
                made.assignment, text_hash=TEXT.text_hash, name=TEXT.name
            )
            entries.append(msgspec.structs.replace(made, assignment=assignment))
        self.on(RosterSeen(version=1, texts=(TEXT,), entries=tuple(entries)))

    def on(self, event: object) -> list[object]:
        effects = self.decider.on(event, Instant(1, 0))  # type: ignore[arg-type]
        self.asked += [one for one in effects if isinstance(one, Evaluate)]
        return list(effects)

    def new(self, name: str) -> None:
        self.evaluators[name] = Evaluation(Engine(), lambda _: None)

    def bar(self, number: int, *instruments: Instrument) -> None:
        for one in instruments:
            told = final(number, close=CLOSES[number], instrument=one)
            self.store.add([told])
            self.on(BarsFinal(bars=(told,)))

    def task(self, effect: Evaluate) -> Task:
        store = BarsThen(self.store, effect)
        return task_with_history(effect, self.decider.state.texts, store)[0]

    def answer(self, name: str) -> list[TaskAnswer]:
        """Have all that was asked done by one evaluator."""
        answers: list[TaskAnswer] = []
        while self.asked:
            effect = self.asked.pop(0)
            task, found = task_with_history(
                effect, self.decider.state.texts, BarsThen(self.store, effect)
            )
            answers.append(self.evaluators[name].do(task))
            self.on(TaskAnswered(answer=answers[-1], history=found))
        return answers

    def holdings(self, bytes_max: int = BYTES_MAX) -> tuple[Task, ...]:
        content = asyncio.run(
            holdings(self.decider.state, self.store, lambda _: False, bytes_max=bytes_max)
        )
        return holdings_of(content).tasks


def test_who_holds_it_goes_on_as_whoever_did_the_bar_before() -> None:
    """B15: it is not cold, and says the same."""
    deciding = Deciding(COIN)
    deciding.new("first")
    for number in range(1, 5):
        deciding.bar(number, COIN)
        deciding.answer("first")
    deciding.new("newcomer")
    held = deciding.holdings()
    assert len(held) == 1
    assert held[0].only_holds
    assert held[0].bar == final(4, close=CLOSES[4]).bar
    newcomer = deciding.evaluators["newcomer"]
    assert newcomer.do(held[0]) == Evaluated(task_id=held[0].task_id, said=())
    for number in range(5, 8):
        deciding.bar(number, COIN)
        task = deciding.task(deciding.asked[0])
        assert task.whole is None
        one, other = newcomer.do(task), deciding.evaluators["first"].do(task)
        assert one == other
        assert isinstance(one, Evaluated)
        assert one.said
        deciding.answer("first")


def test_what_is_held_is_no_answer_to_the_bar_that_it_ends_with() -> None:
    """That bar may be asked once more, by a decider that had forgotten its answer."""
    deciding = Deciding(COIN)
    deciding.new("first")
    deciding.bar(1, COIN)
    first = deciding.task(deciding.asked[0])
    (answer,) = deciding.answer("first")
    (held,) = deciding.holdings()
    assert held.task_id == first.task_id
    deciding.new("newcomer")
    newcomer = deciding.evaluators["newcomer"]
    newcomer.do(held)
    assert newcomer.do(msgspec.structs.replace(first, whole=None)) == Cold(task_id=first.task_id)
    assert newcomer.do(first) == answer
    assert newcomer.do(held) == answer, "it did that bar itself by now"


def test_a_text_that_cannot_be_held_is_found_wrong_by_its_next_bar() -> None:
    deciding = Deciding(COIN)
    deciding.new("first")
    deciding.bar(1, COIN)
    deciding.answer("first")
    (held,) = deciding.holdings()
    assert held.whole is not None
    broken = msgspec.structs.replace(held, whole=msgspec.structs.replace(held.whole, texts=()))
    deciding.new("newcomer")
    newcomer = deciding.evaluators["newcomer"]
    assert "1 of its strategies cannot be held" in str(newcomer.do(broken))
    deciding.bar(2, COIN)
    task = deciding.task(deciding.asked[0])
    assert newcomer.do(task) == Cold(task_id=task.task_id)


def test_it_is_bounded_in_bytes() -> None:
    deciding = Deciding(COIN, OTHER)
    deciding.new("first")
    deciding.bar(1, COIN, OTHER)
    deciding.answer("first")
    held = deciding.holdings()
    assert len(held) == 2
    size = len(task_bytes(held[0]))
    assert deciding.holdings(size) == held[:1]
    assert deciding.holdings(size - 1) == ()


def test_what_goes_on_meanwhile_is_left_out() -> None:
    """Other work has its turn while it is made; what is out of date then would be of no use."""
    deciding = Deciding(COIN, OTHER)
    deciding.new("first")
    deciding.bar(1, COIN, OTHER)
    deciding.answer("first")

    async def amid() -> bytes:
        state = deciding.decider.state
        making = asyncio.ensure_future(holdings(state, deciding.store, lambda _: False))
        await asyncio.sleep(0)  # it has the first
        deciding.bar(2, OTHER)
        deciding.answer("first")
        return await making

    (held,) = holdings_of(asyncio.run(amid())).tasks
    assert held.bar.instrument_id == COIN.instrument_id


def test_a_bar_that_is_not_stored_is_not_held() -> None:
    deciding = Deciding(COIN)
    deciding.new("first")
    deciding.bar(1, COIN)
    deciding.answer("first")
    deciding.store = MemoryBars()
    deciding.store.list_instruments([COIN])
    assert deciding.holdings() == ()
