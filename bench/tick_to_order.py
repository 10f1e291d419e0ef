"""From a quote to the orders that it causes, in the desk: `python -m bench.tick_to_order`.

One desk, eight accounts, a momentum algorithm that every quote turns around. Measured is the event
of the quote: decided by the algorithm, split, judged by the gates, reserved, released, its record
encoded as the journal gets it, and each release written as a frame of its worker's link; no disk,
stream or loop. CPU time. The papers name 64 µs as what a high-frequency trader takes from a tick to
an order. With `--json`, what the large table shows.
"""

import json
import statistics
import sys
import time
from typing import Final

import msgspec

from bench.cluster_settings import SHARES
from bench.desk import ENCODER, Floor
from bench.hand_fed import Stream
from tandem.domain import link
from tandem.domain.algos import Momentum
from tandem.domain.commands import PlaceAlgo
from tandem.domain.desk import DeskEffect, QuotesSeen, ToWorker
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.instant import Instant
from tandem.domain.venue import Quote
from tandem.shells.link import Link
from tandem.shells.recording import Record

TURNS: Final = 2_000
SAMPLE_NS: Final = 2_000_000
PAPER_US: Final = 64
PRICES: Final = (10_000, 10_100)
DECODER: Final = msgspec.msgpack.Decoder(list[object])


class Turns(Floor):
    """A desk whose algorithm turns around with every quote."""

    def begin(self, slots: tuple[SlotId, ...]) -> None:
        """Start the algorithm; it trades on these slots, or on all."""
        spec = Momentum(
            symbol=SHARES[0].symbol,
            quantity=Lots(8),
            sample_ns=SAMPLE_NS,
            window=1,
            threshold_ppm=100,
            duration_ns=(TURNS + 100) * SAMPLE_NS,
            slots=slots,
        )
        quotes = [
            Quote(instrument_id=one.instrument_id, bid=price, ask=price, last=price)
            for one in SHARES
            for price in [Ticks(PRICES[0])]
        ]
        self.feed([QuotesSeen(quotes=tuple(quotes))])
        self.feed([self._command(PlaceAlgo(spec=spec))])
        self._links: dict[str, Link[object]] = {}
        self._begun_ns = self._now_ns

    def turn(self, number: int) -> tuple[int, list[link.Release]]:
        """Show a quote; return how long its event took, and what it released."""
        price = Ticks(PRICES[number % 2])
        quote = Quote(instrument_id=SHARES[0].instrument_id, bid=price, ask=price, last=price)
        self._now_ns = self._begun_ns + (number + 1) * SAMPLE_NS
        event, now = QuotesSeen(quotes=(quote,)), Instant(self._now_ns, self._now_ns)
        began_ns = time.thread_time_ns()
        told = self.desk.on(event, now)
        ENCODER.encode(Record(number, now, event, told))
        self._write(told)
        took_ns = time.thread_time_ns() - began_ns
        return took_ns, self._fill_all(told, price)

    def _write(self, told: list[DeskEffect]) -> None:
        """Write what workers are told as frames, as the desk's shell does."""
        written = []
        for one in told:
            if isinstance(one, ToWorker):
                to = self._links.get(one.incarnation) or self._linked(one.incarnation)
                to.put(one.message)
                written.append(to)
        for to in written:
            to.flush()

    def _linked(self, incarnation: str) -> Link[object]:
        made = Link[object](DECODER, _nothing, _nothing, _nothing)
        Stream(made)
        self._links[incarnation] = made
        return made

    def _fill_all(self, told: list[DeskEffect], price: Ticks) -> list[link.Release]:
        released = []
        for one in told:
            if isinstance(one, ToWorker) and isinstance(one.message, link.Release):
                released.append(one.message)
                self.feed([self._accept(one.incarnation, one.message)])
                self.feed([self._fill_at(one.incarnation, one.message, price)])
        return released


def measure(slots: int) -> list[float]:
    """Return what each quote's event took, in microseconds, from the one that made orders on."""
    floor = Turns()
    names = [one.slot_id for one in floor.desk.rules.settings.slots]
    floor.begin(tuple(names[:slots]))
    took = []
    for number in range(TURNS):
        took_ns, released = floor.turn(number)
        if number:
            assert len(released) == slots, f"turn {number} released {len(released)} orders"
            took.append(took_ns / 1_000)
    return took


def main() -> None:
    """Print the medians and the slow ones."""
    found: dict[str, float] = {}
    for slots in (1, 8):
        took = sorted(measure(slots))
        found[f"{slots} p50_us"] = statistics.median(took)
        found[f"{slots} p99_us"] = took[len(took) * 99 // 100]
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(found))
        return
    for slots in (1, 8):
        sys.stdout.write(
            f"tick to {slots} order(s): p50 {found[f'{slots} p50_us']:.0f} µs, "
            f"p99 {found[f'{slots} p99_us']:.0f} µs; "
            f"a high-frequency trader, by the papers: {PAPER_US} µs\n"
        )


def _nothing(*_: object) -> None:
    pass


if __name__ == "__main__":
    main()
