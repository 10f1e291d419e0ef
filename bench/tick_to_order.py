"""From a quote to the orders that it causes, in the desk: `python -m bench.tick_to_order`.

One desk, eight accounts, a momentum algorithm that every quote turns around. Measured is the event
of the quote: decided by the algorithm, split, judged by the gates, reserved, released, and its
record encoded as the journal gets it; no disk, links or loop. CPU time. The papers name
64 µs as what a high-frequency trader takes from a tick to an order.
"""

import statistics
import sys
import time
from typing import Final

from bench.cluster_settings import SHARES
from bench.desk import Floor
from tandem.domain import link
from tandem.domain.algos import Momentum
from tandem.domain.commands import PlaceAlgo
from tandem.domain.desk import DeskEffect, QuotesSeen, ToWorker
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.venue import Quote

TURNS: Final = 2_000
SAMPLE_NS: Final = 2_000_000
PAPER_US: Final = 64
PRICES: Final = (10_000, 10_100)


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
        self._begun_ns = self._now_ns

    def turn(self, number: int) -> tuple[int, list[link.Release]]:
        """Show a quote; return how long its event took, and what it released."""
        price = Ticks(PRICES[number % 2])
        quote = Quote(instrument_id=SHARES[0].instrument_id, bid=price, ask=price, last=price)
        self._now_ns = self._begun_ns + (number + 1) * SAMPLE_NS
        began_ns = time.thread_time_ns()
        told = self.feed([QuotesSeen(quotes=(quote,))])
        took_ns = time.thread_time_ns() - began_ns
        return took_ns, self._fill_all(told, price)

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
    for slots in (1, 8):
        took = sorted(measure(slots))
        median, slow = statistics.median(took), took[len(took) * 99 // 100]
        sys.stdout.write(
            f"tick to {slots} order(s): p50 {median:.0f} µs, p99 {slow:.0f} µs; "
            f"a high-frequency trader, by the papers: {PAPER_US} µs\n"
        )


if __name__ == "__main__":
    main()
