"""Tasks of a decider, with the history that whoever is cold needs."""

from collections.abc import Mapping
from typing import Final

from tandem.core.deciding.inputs import chain_of
from tandem.domain.bars import Bar
from tandem.domain.deciding import AskWhole, Evaluate, HistoryRead
from tandem.domain.evaluation import History, Series, Task, Whole
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import StrategyText, TextHash
from tandem.ports import BarStore

_PAGE: Final = 1_000


def task_with_history(
    effect: Evaluate, texts: Mapping[TextHash, StrategyText], store: BarStore
) -> tuple[Task, HistoryRead | None]:
    """Return what an evaluator is asked, and what was found of its history, if that is wanted."""
    whole, history = None, None
    if effect.whole is not None:
        whole, history = _read(effect, effect.whole, texts, store)
    task = Task(task_id=effect.task_id, bar=effect.bar, others=effect.others, whole=whole)
    return task, history


def _read(
    effect: Evaluate,
    wanted: AskWhole,
    texts: Mapping[TextHash, StrategyText],
    store: BarStore,
) -> tuple[Whole, HistoryRead]:
    hashes = {one.text_hash: None for one in wanted.attached}
    bars = _bars_before(effect, wanted.from_ns, store)
    whole = Whole(
        series=Series(
            symbol=wanted.instrument.symbol,
            instrument=wanted.instrument,
            history=History.of(bars),
        ),
        texts=tuple(texts[one] for one in hashes if one in texts),
        attached=wanted.attached,
        others=tuple(_other(one, effect, wanted, store) for one in wanted.others),
    )
    closes = tuple(one.close for one in bars[-wanted.closes :]) if wanted.closes else ()
    chain = chain_of(bars) if wanted.wants_chain else ""
    return whole, HistoryRead(chain=chain, closes=closes)


def _bars_before(effect: Evaluate, from_ns: int, store: BarStore) -> list[Bar]:
    """Return the bars before the task's as they were when that was published.

    What was corrected later has a later number: by then the decider will have been told of it.
    """
    instrument_id, span, number = effect.bar.instrument_id, effect.bar.span, effect.task_id.number
    finals = store.bars(instrument_id, span, from_ns=from_ns, to_ns=effect.bar.begin_ns)
    found = {one.bar.begin_ns: one.bar for one in finals if one.number <= number}
    corrected = {one.bar.begin_ns: None for one in finals if one.number > number}
    after = number
    while corrected and after > 0:  # what they were is not far back, as a rule
        count = min(_PAGE, after)
        after -= count
        for one in reversed(store.published(instrument_id, span, after=after, count=count)):
            if one.bar.begin_ns in corrected:
                del corrected[one.bar.begin_ns]
                found[one.bar.begin_ns] = one.bar
    return [found[one] for one in sorted(found)]


def _other(instrument: Instrument, effect: Evaluate, wanted: AskWhole, store: BarStore) -> Series:
    """Return another series up to where the task's own bars of it begin."""
    span = effect.bar.span
    told = [
        one.bar.begin_ns
        for one in effect.others
        if one.bar.instrument_id == instrument.instrument_id
    ]
    to_ns = min([*told, effect.bar.begin_ns - span.ns + 1])
    finals = store.bars(instrument.instrument_id, span, from_ns=wanted.from_ns, to_ns=to_ns)
    return Series(
        symbol=instrument.symbol,
        instrument=instrument,
        history=History.of([one.bar for one in finals]),
    )
