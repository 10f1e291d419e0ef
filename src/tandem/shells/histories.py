"""Tasks of a decider, with the history that whoever is cold needs."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from tandem.core.deciding.inputs import chain_of
from tandem.domain.bars import FinalBar, Span
from tandem.domain.deciding import AskWhole, Evaluate, HistoryRead
from tandem.domain.evaluation import History, Series, Task, Whole
from tandem.domain.ids import InstrumentId
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import StrategyText, TextHash
from tandem.ports import BarStore

_PAGE: Final = 1_000


class StoredHistory(Protocol):
    """Where final bars are read: what `BarStore` has of it."""

    def bars(
        self, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> Sequence[FinalBar]:
        """See `BarStore.bars`."""
        ...


class BarsThen:
    """Bars as they were when the task's own bar was published, and of others as they were told.

    What was corrected later has a later number: of that the decider will be told. So a decision
    is made of the same history whenever it is made.
    """

    def __init__(self, store: BarStore, effect: Evaluate) -> None:
        self._store = store
        self.own_id = effect.bar.instrument_id
        self._last: dict[InstrumentId, int] = {}
        if effect.whole is not None:
            self._last = {one.instrument_id: one.number for one in effect.whole.others_seen}
        self._last[effect.bar.instrument_id] = effect.task_id.number - 1

    def bars(
        self, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> list[FinalBar]:
        """See `BarStore.bars`."""
        latest = self._store.bars(instrument_id, span, from_ns=from_ns, to_ns=to_ns)
        if instrument_id not in self._last:  # recorded before that was recorded
            return latest
        last = after = self._last[instrument_id]
        found = {one.bar.begin_ns: one for one in latest if one.number <= last}
        corrected = {one.bar.begin_ns: None for one in latest if one.number > last}
        while corrected and after > 0:  # what they were is not far back, as a rule
            count = min(_PAGE, after)
            after -= count
            before = self._store.published(instrument_id, span, after=after, count=count)
            for one in reversed(before):
                if one.bar.begin_ns in corrected:
                    del corrected[one.bar.begin_ns]
                    found[one.bar.begin_ns] = one
        return [found[begin_ns] for begin_ns in sorted(found)]


def task_with_history(
    effect: Evaluate, texts: Mapping[TextHash, StrategyText], store: StoredHistory
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
    store: StoredHistory,
) -> tuple[Whole, HistoryRead]:
    hashes = {one.text_hash: None for one in wanted.attached}
    bars = [
        one.bar
        for one in store.bars(
            wanted.instrument.instrument_id,
            effect.bar.span,
            from_ns=wanted.from_ns,
            to_ns=effect.bar.begin_ns,
        )
    ]
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
    if not wanted.wants_chain:
        return whole, HistoryRead(closes=closes)
    chains = tuple(_chain_of(one, effect.bar.span) for one in whole.others)
    return whole, HistoryRead(chain=chain_of(bars), closes=closes, others=chains)


def _chain_of(series: Series, span: Span) -> str:
    return chain_of(series.history.bars(series.instrument.instrument_id, span))


def _other(
    instrument: Instrument, effect: Evaluate, wanted: AskWhole, store: StoredHistory
) -> Series:
    """Return another series: what of it was over when the task's own bar began."""
    span = effect.bar.span
    to_ns = effect.bar.begin_ns - span.ns + 1
    finals = store.bars(instrument.instrument_id, span, from_ns=wanted.from_ns, to_ns=to_ns)
    return Series(
        symbol=instrument.symbol,
        instrument=instrument,
        history=History.of([one.bar for one in finals]),
    )
