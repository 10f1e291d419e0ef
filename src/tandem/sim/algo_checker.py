"""What must be true of every algorithm, by the desk after each event, and by the exchanges."""

from collections import Counter
from collections.abc import Callable, Iterable

from tandem.core.matching.state import OrderRecord
from tandem.core.trading.algos.memos import ParticipateMemo, TwapMemo
from tandem.core.trading.state import Algo, AlgoPhase, DeskState, ParentPhase
from tandem.domain.algos import Iceberg, MakeMarket, Momentum, Participate, Twap
from tandem.domain.ids import ParentId
from tandem.domain.order import Side

Timed = Twap | Participate | Momentum
BySide = dict[Side, int]
SIDES = tuple(Side)
_DONE = ParentPhase.DONE
_WORKING = AlgoPhase.WORKING
_TAKING = (TwapMemo, ParticipateMemo)


class AlgoChecker:
    """Watches the algorithms of one desk; `bad` is told what does not hold."""

    def __init__(self, bad: Callable[[str, str], None]) -> None:
        self._bad = bad
        self._most: dict[ParentId, int] = {}
        self._since_ns: dict[ParentId, int] = {}
        self._taking_ns: dict[ParentId, int] = {}  # when each began to take its rest, at first
        self.seen: Counter[str] = Counter()

    def on_desk(self, state: DeskState, now_ns: int) -> None:
        """No algorithm may come to trade more than it was ever asked to."""
        for key in state.running:
            algo = state.algos[key]
            self._most[key] = max(self._most.get(key, 0), algo.spec.quantity)
            if algo.phase is not _WORKING:
                self._since_ns[key] = now_ns
            self._since_ns.setdefault(key, now_ns)
            if isinstance(algo.memo, _TAKING) and algo.memo.take_until_ns:
                self._taking_ns.setdefault(key, now_ns)
            traded, most = _sums(state, algo)
            self._judge(algo, traded, most)

    def _judge(self, algo: Algo, traded: BySide, most: BySide) -> None:
        """`most` is what may have traded in the end, `traded` what has for sure."""
        limit = self._most[algo.algo_id]
        for side in SIDES:
            beyond = most[side] - limit
            if isinstance(algo.spec, MakeMarket):
                beyond = most[side] - traded[side.opposite] - algo.spec.inventory_limit
            elif isinstance(algo.spec, Momentum):
                least = 0 if algo.spec.long_only and side is Side.SELL else limit
                beyond = most[side] - traded[side.opposite] - least
            elif side is not algo.spec.side:
                beyond = most[side] - most[side.opposite]
            if beyond > 0:
                self._bad("I20", f"{algo.algo_id}: {beyond} lots {side} beyond its quantity")

    def on_accept(self, state: DeskState, parent_id: str, records: Iterable[OrderRecord]) -> None:
        """An iceberg shows no more than it may, by what is open at the exchanges."""
        parent = state.parents.get(ParentId(parent_id))
        algo = state.algos.get(parent.owner) if parent is not None and parent.owner else None
        if algo is None or not isinstance(algo.spec, Iceberg):
            return
        parts = dict.fromkeys(algo.parts)
        shown = sum(
            one.order.quantity - one.cum_quantity
            for one in records
            if one.status is None and _parent_of(one) in parts
        )
        self.seen["iceberg pieces accepted"] += 1
        if shown > algo.spec.visible:
            text = f"{algo.algo_id} shows {shown} lots of {algo.spec.visible}"
            self._bad("I20", text)

    def check_lifetimes(self, state: DeskState, *, started_ns: int, late_ns: int) -> None:
        """What has a time is over by then; taking a rest may last as long again.

        That begins when nothing is out any more, and an order of which nobody knows is out.
        """
        for key in state.running:
            algo = state.algos[key]
            if not isinstance(algo.spec, Timed) or algo.phase is not _WORKING:
                continue
            span_ns = algo.spec.duration_ns
            since_ns = max(self._since_ns.get(key, late_ns), started_ns)
            until_ns = max(since_ns + 2 * span_ns, self._taking_ns.get(key, 0) + span_ns)
            if until_ns < late_ns and not algo.open:
                self._bad("I2", f"{key} works on beyond its time")

    def check_end(self, state: DeskState, records: Iterable[OrderRecord]) -> None:
        """By the exchanges' own books nothing traded beyond what was ever asked."""
        traded: dict[ParentId, BySide] = {}
        for one in records:
            parent = state.parents.get(_parent_of(one))
            if parent is not None and parent.owner in self._most:
                owner = traded.setdefault(ParentId(parent.owner or ""), dict.fromkeys(SIDES, 0))
                owner[one.order.side] += one.cum_quantity
        for key, sides in traded.items():
            self.seen["algorithms that traded"] += 1
            if key in state.algos:
                self._judge(state.algos[key], sides, sides)
        for key in state.running:
            self._bad("I2", f"{key} is {state.algos[key].phase} in the end")


def _parent_of(record: OrderRecord) -> ParentId:
    return ParentId(record.order.client_order_id.rsplit("-", 2)[0])


def _sums(state: DeskState, algo: Algo) -> tuple[BySide, BySide]:
    traded: BySide = dict.fromkeys(SIDES, 0)
    most: BySide = dict.fromkeys(SIDES, 0)
    for part in algo.parts:
        parent = state.parents[part]
        if parent.phase is _DONE:
            done = whole = parent.done_quantity + parent.netted
        else:
            whole = parent.quantity
            done = min(parent.filled + parent.netted, whole)
        traded[parent.spec.side] += done
        most[parent.spec.side] += whole
    return traded, most
