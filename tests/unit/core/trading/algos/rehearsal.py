"""One algorithm without a desk: a market that a test moves, and parts that it lets trade.

After every look it is proved that nothing was placed beyond the driver's room, and that what the
algorithm remembers can be written into a snapshot.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from tandem.core.trading.algos import kinds
from tandem.core.trading.algos.memos import Memo
from tandem.core.trading.algos.sight import LEAVE, PartSeen, Sight, Slice, Step
from tandem.domain.algos import AlgoSpec
from tandem.domain.ids import Lots, ParentId, Ticks
from tandem.domain.order import Side

MEMOS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Memo)
PRICES = st.none() | st.integers(1, 3_000) | st.integers(1, 2**53)
ACTS = st.one_of(
    st.tuples(st.just("quote"), PRICES, PRICES, PRICES),
    st.tuples(st.just("volume"), st.integers(0, 3_000) | st.integers(0, 2**63)),
    st.tuples(st.just("pass"), st.integers(1, 700)),
    st.tuples(st.just("fill"), st.integers(0, 3), st.integers(1, 40)),
    st.tuples(st.just("end"), st.integers(0, 3)),
    st.just(("look",)),
    st.tuples(st.just("replace"), st.integers(1, 200)),
    st.just(("restore",)),
)


class Rehearsal:
    """Its spec and memo, the market, and what is out."""

    def __init__(self, spec: AlgoSpec, seed: int = 1) -> None:
        self.spec = spec
        self.memo: Any = kinds.new_memo(spec, seed=seed)
        self.market_ns = 0
        self.quote: dict[str, Any] = {"bid": None, "ask": None, "last": None, "volume": None}
        self.quoted_ns: int | None = None
        self.traded = {Side.BUY: 0, Side.SELL: 0}
        self.parts: list[PartSeen] = []
        self.placed: list[tuple[int, Slice]] = []
        self.is_ending = False
        self.is_over = False

    def sight(self) -> Sight:
        out = {side: 0 for side in Side}
        traded = dict(self.traded)
        for one in self.parts:
            out[one.side] += one.quantity - one.traded
            traded[one.side] += one.traded
        return Sight(
            market_ns=self.market_ns,
            began_market_ns=0,
            bought=traded[Side.BUY],
            sold=traded[Side.SELL],
            open_buys=out[Side.BUY],
            open_sells=out[Side.SELL],
            parts=tuple(self.parts),
            is_ending=self.is_ending,
            quoted_market_ns=self.quoted_ns,
            **self.quote,
        )

    def see(self, middle: int, volume: int = 0) -> Step:
        """Show it a market one tick around the middle, and let it look."""
        self.quote = {
            "bid": Ticks(middle - 1),
            "ask": Ticks(middle + 1),
            "last": None,
            "volume": volume,
        }
        self.quoted_ns = self.market_ns
        return self.look()

    def look(self) -> Step:
        """Let it look, and do what it says."""
        sight = self.sight()
        step = kinds.step(self.spec, self.memo, sight)
        encoded = msgspec.msgpack.encode(self.memo)
        assert MEMOS.decode(encoded) == self.memo
        if step.is_over:
            self.is_over = self.is_ending and not self.parts
            self.is_ending = True
            for at in reversed(range(len(self.parts))):
                if self.parts[at].role != LEAVE:
                    self.end(at)
            return step
        self.parts = [
            msgspec.structs.replace(one, is_ending=one.is_ending or one.parent_id in step.cancel)
            for one in self.parts
        ]
        for one in step.place:
            assert 0 < one.quantity <= kinds.room(self.spec, one.side, self.sight())
            self.placed.append((self.market_ns, one))
            name = ParentId(f"d-{len(self.placed)}")
            price = one.limit_price
            self.parts.append(
                PartSeen(one.role, name, one.side, one.quantity, price, 0, is_ending=False)
            )
        return step

    def fill(self, at: int = 0, quantity: int | None = None) -> None:
        """Let a part trade; one that has traded in full is done."""
        if at < len(self.parts):
            one = self.parts[at]
            lots = one.quantity - one.traded
            lots = lots if quantity is None else min(lots, quantity)
            self.parts[at] = msgspec.structs.replace(one, traded=one.traded + lots)
            if lots + one.traded == one.quantity:
                self.end(at)

    def end(self, at: int = 0) -> None:
        """Let a part end with what has traded."""
        if at < len(self.parts):
            one = self.parts.pop(at)
            self.traded[one.side] += one.traded

    def replace(self, quantity: int) -> None:
        """Give it another quantity, if it may have it; what is out by the old one ends."""
        changed = msgspec.structs.replace(self.spec, quantity=Lots(quantity))
        sight = self.sight()
        traded = max(sight.bought, sight.sold)
        if kinds.objection(changed) is None and quantity >= traded:
            self.spec = changed
            for at in reversed(range(len(self.parts))):
                self.end(at)

    def act(self, act: Sequence[Any]) -> None:
        """Do what Hypothesis drew, and let it look."""
        match act:
            case ("quote", bid, ask, last):
                self.quote |= {"bid": bid, "ask": ask, "last": last}
                self.quote["volume"] = self.quote["volume"] or 0
                self.quoted_ns = self.market_ns
            case ("volume", volume):
                self.quote["volume"] = volume
                self.quoted_ns = self.market_ns
            case ("pass", ns):
                self.market_ns += ns
            case ("fill", at, lots):
                self.fill(at, lots)
            case ("end", at):
                self.end(at)
            case ("replace", quantity):
                self.replace(quantity)
            case ("restore",):
                self.memo = MEMOS.decode(msgspec.msgpack.encode(self.memo))
            case _:
                pass
        self.look()
