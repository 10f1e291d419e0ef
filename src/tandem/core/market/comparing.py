"""Two feeds of one instrument, held against each other."""

from typing import Final

import msgspec

from tandem.domain.limits import SECOND_NS

MILLION: Final = 1_000_000
APART_PPM: Final = 5_000
APART_NS: Final = 3 * SECOND_NS


class Comparison(msgspec.Struct, array_like=True, gc=False):
    """Whether two feeds agree: their middles may differ by `bound_ppm`, or by more for a while.

    `middles` are twice the price, None before a feed's first. `since_ns` is since when they
    differ by more. Apart since `span_ns` they are in doubt, until they are within the bound.
    """

    bound_ppm: int = APART_PPM
    span_ns: int = APART_NS
    middles: tuple[int | None, int | None] = (None, None)
    since_ns: int | None = None
    is_apart: bool = False
    times: int = 0
    most_ppm: int = 0
    compared: int = 0

    def note(self, doubled: int, *, now_ns: int, is_second: bool) -> None:
        """Take a new middle of the first or the second feed."""
        first, second = self.middles
        self.middles = (first, doubled) if is_second else (doubled, second)
        self.pass_to(now_ns)
        first, second = self.middles
        if first is None or second is None:
            return
        self.compared += 1
        gap = abs(first - second)
        self.most_ppm = max(self.most_ppm, gap * MILLION // min(first, second))
        if gap * MILLION <= min(first, second) * self.bound_ppm:
            self.since_ns = None
            self.is_apart = False
        elif self.since_ns is None:
            self.since_ns = now_ns

    def pass_to(self, now_ns: int) -> None:
        """Let time pass: what has been apart for long is in doubt now."""
        if self.since_ns is not None and now_ns - self.since_ns >= self.span_ns:
            self.times += not self.is_apart
            self.is_apart = True
