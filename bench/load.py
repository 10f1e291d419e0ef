"""The load: parent orders made inside the coordinator's process, as if an asker had sent each.

From inside, because what is measured is the path from decision to durable fill; an asker's own
process would take its share of two cores. A parent counts as ended when its last fill is durable,
and only then is the next one made.
"""

import asyncio
from collections.abc import Callable, Iterator

import msgspec

from bench.cluster_settings import SHARES, SLOTS, exchange_settings
from bench.waiting import until
from tandem.core.trading.state import Outcome, Parent
from tandem.domain.commands import Asked, PlaceParent, Refused
from tandem.domain.desk import Commanded, DeskEffect, DeskEvent, Tell
from tandem.domain.ids import AskerId, CommandId, Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.shells.coordinator import Coordinator

NOBODY = AskerId(0)
TURN_AFTER = 800  # orders on one side of a symbol


class Stock(msgspec.Struct):
    """A symbol, the side that is traded now, and how many parents of it are out."""

    symbol: str
    reference: int
    side: Side = Side.BUY
    placed: int = 0
    out: int = 0

    @property
    def is_turning(self) -> bool:
        """Whether it waits until all of one side has ended, so that no own orders meet."""
        return self.placed >= TURN_AFTER

    def ended(self) -> None:
        """One parent fewer is out; after the last one before a turn, the other side begins."""
        self.out -= 1
        if self.is_turning and not self.out:
            self.side = self.side.opposite
            self.placed = 0


class Stocks:
    """The share list's symbols, one after the other."""

    def __init__(self) -> None:
        market = exchange_settings().synthetic
        assert market is not None
        references = {one.instrument_id: one.reference for one in market.books}
        # Not all turn at once: that would be a pause of the load.
        self.by_symbol = {
            one.symbol: Stock(
                one.symbol,
                references[one.instrument_id],
                placed=TURN_AFTER * number // len(SHARES),
            )
            for number, one in enumerate(SHARES)
        }
        self._turns = self._round_and_round()

    def _round_and_round(self) -> Iterator[Stock]:
        while True:
            yield from self.by_symbol.values()

    def next(self) -> Stock:
        """Return the next symbol that does not wait for its turn."""
        for _ in SHARES:
            stock = next(self._turns)
            if not stock.is_turning:
                stock.placed += 1
                stock.out += 1
                return stock
        raise AssertionError("every symbol waits for its turn: too many orders in flight")


class Load:
    """Keeps parents on their way; `notes` get every ended one."""

    def __init__(self, shell: Coordinator, *, children: int) -> None:
        self._shell = shell
        self._recording = shell.recording
        self._children = children
        self._stocks = Stocks()
        self._made = 0
        # A command id means one command for ever, also that of an earlier load.
        self._stem = f"c{self._ended_by_now()}"
        self._ended_before = self._ended_by_now()
        self._is_closed = False
        self._wanted = 0
        self._waking = False
        self.ended = 0
        self.notes: list[Callable[[Parent], None]] = []

    def _ended_by_now(self) -> int:
        state = self._shell.desk.state
        return state.next_order - 1 - len(state.working)

    def attach(self) -> None:
        """Listen to what the desk decides."""
        self._recording.on_event = self._on_event

    def keep(self, in_flight: int) -> None:
        """Have so many children on their way from now on, until `stop`."""
        self._is_closed = True
        self._wanted = in_flight // self._children
        self._top_up()

    def stop(self) -> None:
        """Make no more."""
        self._is_closed = False
        self._wanted = 0

    async def pace(self, rate: float, seconds: float) -> None:
        """Make `rate` parents a second."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        end = due + seconds
        while due < end:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.make()
            due += 1 / rate

    async def drained(self) -> None:
        """Wait until none is out."""
        await until(lambda: not self._shell.desk.state.working)

    def _top_up(self) -> None:
        self._waking = False
        while self._wanted > 0:
            self._wanted -= 1
            self.make()

    def make(self, slots: tuple[SlotId, ...] | None = None) -> None:
        """Command one parent: to the next slot, or one child to each, or to those named."""
        number = self._made
        self._made += 1
        if slots is None:
            slots = () if self._children > 1 else (SLOTS[number % len(SLOTS)],)
        stock = self._stocks.next()
        away = stock.reference // 50
        spec = ParentSpec(
            symbol=stock.symbol,
            side=stock.side,
            quantity=Lots(self._children),
            limit_price=Ticks(stock.reference + away * stock.side.sign),
            slots=slots,
        )
        asked = Asked(
            command_id=CommandId(f"{self._stem}-{number}"), command=PlaceParent(spec=spec)
        )
        self._recording.feed(Commanded(asker=NOBODY, asked=asked))

    def _on_event(self, event: DeskEvent, effects: list[DeskEffect]) -> None:
        for effect in effects if isinstance(event, Commanded) else ():
            was_refused = isinstance(effect, Tell) and isinstance(effect.answer, Refused)
            assert not was_refused, f"the load was refused: {effect}"
        ended = self._ended_by_now()
        fresh = ended - self._ended_before
        if not fresh:
            return
        self._ended_before = ended
        state = self._shell.desk.state
        for parent_id in state.finished[-fresh:]:
            parent = state.parents[parent_id]
            assert parent.outcome is Outcome.FILLED, f"{parent_id}: {parent.outcome}"
            self._stocks.by_symbol[parent.spec.symbol].ended()
            for note in self.notes:
                note(parent)
        self.ended += fresh
        if self._is_closed:
            self._wanted += fresh
            if not self._waking:
                self._waking = True
                self._recording.after_durable(self._top_up)
