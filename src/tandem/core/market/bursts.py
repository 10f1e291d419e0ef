"""More messages a second than usual: perhaps somebody stuffs quotes, so prices are doubted.

The rate of each second is held against a slow average of the seconds before. A burst begins with
the message that is one too many, not at the end of its second, and ends only after some calm
seconds with far fewer: so it does not flicker. The average goes on through a burst: a market that
stays as busy is the usual one after about a minute.
"""

from typing import Final

import msgspec

from tandem.domain.limits import SECOND_NS

# Below so many messages a second nothing is a burst: Binance's BTCUSDT has 1,363 in the busiest
# second of a sudden fall.
LEAST: Final = 2_000
TIMES: Final = 10  # as many as on average
CALM_SECONDS: Final = 3
_SCALE: Final = 1_024
_SLOWNESS: Final = 64  # seconds over which the average forgets
_EMPTY_MAX: Final = 1_024  # after so many empty seconds nothing is left of it


class BurstWatch(msgspec.Struct, array_like=True, gc=False):
    """The messages of one feed of one instrument, by seconds of its time.

    `average` is in 1,024ths. `bursts` counts how often one began, `most` is the highest rate.
    """

    least: int = LEAST
    second: int | None = None
    count: int = 0
    average: int | None = None
    calm: int = 0
    is_on: bool = False
    bursts: int = 0
    most: int = 0

    def note(self, at_ns: int) -> None:
        """Count one message; a time that goes back counts for the latest second."""
        self.pass_to(at_ns)
        self.count += 1
        self.most = max(self.most, self.count)
        if not self.is_on and self.average is not None and self.count > self._bound(TIMES):
            self.is_on = True
            self.bursts += 1
            self.calm = 0

    def pass_to(self, now_ns: int) -> None:
        """Let time pass: the seconds that are over are counted, the empty ones too."""
        second = now_ns // SECOND_NS
        if self.second is None:
            self.second = second
        passed = second - self.second
        if passed <= 0:
            return
        self.second = second
        self._close_second(self.count)
        self.count = 0
        for _ in range(min(passed - 1, _EMPTY_MAX)):
            if not self.average and not self.is_on:
                break
            self._close_second(0)

    def _close_second(self, rate: int) -> None:
        if self.average is None:
            self.average = rate * _SCALE
        else:
            self.average += (rate * _SCALE - self.average) // _SLOWNESS
        if self.is_on:
            is_calm = rate <= self._bound(TIMES) // 2
            self.calm = self.calm + 1 if is_calm else 0
            self.is_on = self.calm < CALM_SECONDS

    def _bound(self, times: int) -> int:
        return max(self.least, times * (self.average or 0) // _SCALE)
