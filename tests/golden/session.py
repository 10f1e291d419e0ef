"""One small session of a desk, as a journal that people can read.

`python -m tests.golden.session` writes it anew; say in the commit why it had to change.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from tandem.core.trading.desk import Desk
from tandem.domain import link
from tandem.domain.commands import LegPolicy, PlaceBoth, PlacePair
from tandem.domain.desk import DeskEffect, DeskEvent
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import FenceClass, OrderStatus
from tandem.domain.parents import SelfTrade
from tandem.shells.recording import Record
from tests.unit.core.trading.desk_driver import MS, SECOND, Floor, fill_of, two_markets

PLACE = Path(__file__).with_name("session.jsonl")
DeskRecord = Record[DeskEvent, DeskEffect]
ENCODER = msgspec.json.Encoder()


def play() -> Floor:
    """Set a pool up; trade, lose a worker, find an order again, pair, quote, restart, halt."""
    floor = Floor(two_markets(fence_class=FenceClass.EXPIRES)).open()
    spare = floor.spare()
    parent = floor.buy(10, 1_000, slots=("x1", "x2"))
    kept, lost = floor.attempts(parent)
    floor.accept(kept)
    floor.fill(kept, 5)
    floor.at("x2").die()
    spare.ready()
    floor.pass_time(1_250 * MS)
    floor.found(lost, OrderStatus.PARTIALLY_FILLED, [fill_of(lost, 2, "e1")])
    floor.sell(3, 999, slots=("x1",), self_trade=SelfTrade.CANCEL_RESTING)
    floor.canceled(lost)
    (sold,) = floor.attempts()[-1:]
    floor.not_sent(sold, link.NotSentReason.RISK)
    floor.fill(floor.attempts()[-1], 3)
    floor.ask(
        PlacePair(
            buy_symbol="T",
            sell_symbol="T",
            buy_price=Ticks(1_000),
            sell_price=Ticks(1_000),
            slice_quantity=Lots(4),
            slices=1,
            buy_slots=(SlotId("x1"),),
            sell_slots=(SlotId("y1"),),
            policy=LegPolicy.HEDGE,
        )
    )
    buy, sell = floor.attempts()[-2:]
    floor.fill(buy, 4)
    floor.expired(sell, 0)
    floor.fill(floor.attempts()[-1], 4)
    floor.ask(
        PlaceBoth(
            symbol="T",
            quantity=Lots(2),
            buy_price=Ticks(999),
            sell_price=Ticks(1_001),
            slots=(SlotId("x1"), SlotId("x2")),
            inventory_limit=Lots(2),
            lifetime_ns=20 * SECOND,
        )
    )
    quotes = floor.attempts()[-2:]
    floor.restart()
    for hand in floor.all_hands():
        hand.seen = dict.fromkeys(floor.state.attempts, link.Progress.SENT)
        hand.join(ready=True)
    floor.at("x1").ready()
    for quote in quotes:
        floor.accept(quote)
    floor.halt()
    for quote in quotes:
        floor.canceled(quote)
    floor.resume()
    return floor


def lines(floor: Floor) -> Iterator[bytes]:
    """Yield one line a record, and a last one with the digest of the state that they lead to."""
    for number, (event, now, encoded) in enumerate(floor.log, start=1):
        effects = msgspec.msgpack.decode(encoded, type=list[DeskEffect])
        record: DeskRecord = Record(number, now, event, effects)
        yield ENCODER.encode(record)
    yield ENCODER.encode(digest(floor.desk))


def digest(desk: Desk) -> str:
    """Return the digest of everything the desk remembers."""
    return sha256(desk.snapshot()).hexdigest()


if __name__ == "__main__":
    PLACE.write_bytes(b"\n".join(lines(play())) + b"\n")
