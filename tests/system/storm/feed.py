"""A feed of candles that is told badly: repeated, out of turn, late, wrong and then corrected.

Nothing of this is in the product: `hook` wraps what the exchange's process publishes its candles
with. Whatever is held back is told in the end, so that the bars of the market core must come to be
those that the exchange closed. A feed that is hushed says everything once more, and falls silent.
"""

import os
import random
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.bars import Bar
from tandem.domain.exchange import CandlesTold
from tandem.domain.ids import InstrumentId

HUSHED: Final = "feed.hushed"
SPOILED: Final = "feed.log"
SEED: Final = "TANDEM_STORM_SEED"
KEPT: Final = 50  # bars of an instrument that are said once more in the end
LATE: Final = 0.12
WRONG: Final = 0.12
FATES: Final = ("plain", "plain", "plain", "out of turn", "repeated", "repeated")
AFTER: Final = (1, 3)  # so many messages later what was held back is told


class BadFeed:
    """What becomes of candles on their way; `tell` publishes, `note` is told what was done."""

    def __init__(
        self, seed: int, tell: Callable[[CandlesTold], None], note: Callable[[str], None]
    ) -> None:
        self._chance = random.Random(seed)
        self._tell = tell
        self._note = note
        self._number = 0
        self._fates: list[str] = []
        self._owed: list[tuple[int, CandlesTold]] = []
        self._last: dict[InstrumentId, deque[Bar]] = {}

    def take(self, told: CandlesTold) -> None:
        """Tell it, or something else, now or later."""
        self._number += 1
        self._remember(told)
        bars = tuple(bar for one in told.bars for bar in self._spoiled(one, told.through_ns))
        spoiled = msgspec.structs.replace(told, bars=bars)
        fate = self._fate()
        if fate == "out of turn":
            self._owe(spoiled, 1)
        else:
            self._tell(spoiled)
            if fate == "repeated":
                self._tell(spoiled)
        due = [one for at, one in self._owed if at < self._number]
        self._owed = [(at, one) for at, one in self._owed if at >= self._number]
        for one in due:
            self._tell(one)

    def finish(self, told: CandlesTold) -> None:
        """Tell all that is remembered as it is; with it nothing is owed any more."""
        self._remember(told)
        self._owed.clear()
        bars = [bar for kept in self._last.values() for bar in kept]
        bars.sort(key=lambda bar: (bar.begin_ns, bar.instrument_id))
        self._tell(msgspec.structs.replace(told, bars=tuple(bars)))

    def _fate(self) -> str:
        """Return what becomes of a message: all fates in turn."""
        if not self._fates:
            self._fates = list(FATES)
            self._chance.shuffle(self._fates)
        fate = self._fates.pop()
        if fate != "plain":
            self._note(fate)
        return fate

    def _spoiled(self, bar: Bar, through_ns: int) -> tuple[Bar, ...]:
        luck = self._chance.random()
        right = CandlesTold(through_ns=through_ns, bars=(bar,))
        if luck < LATE:
            self._note("late")
            self._owe(right, self._chance.randint(*AFTER))
            return ()
        wrong = msgspec.structs.replace(bar, close=bar.high, volume=bar.volume + 1)
        if luck < LATE + WRONG:
            self._note("corrected")
            self._owe(right, self._chance.randint(*AFTER))
            return (wrong,)
        return (bar,)

    def _owe(self, told: CandlesTold, after: int) -> None:
        self._owed.append((self._number + after, told))

    def _remember(self, told: CandlesTold) -> None:
        for bar in told.bars:
            self._last.setdefault(bar.instrument_id, deque(maxlen=KEPT)).append(bar)


def hook(folder: Path) -> None:
    """Have this process publish its candles badly; what was done is noted in `folder`."""
    from tandem.wiring.deciding import CandlePublisher  # loaded by the exchange only

    plain = CandlePublisher.publish
    feeds: list[BadFeed] = []
    hushed = folder / HUSHED

    def note(what: str) -> None:
        with (folder / SPOILED).open("a", encoding="utf-8") as log:
            log.write(f"{what}\n")

    def publish(self: CandlePublisher, told: CandlesTold) -> None:
        if not feeds:
            seed = int(os.environ.get(SEED, "1")) + told.through_ns
            feeds.append(BadFeed(seed, lambda one: plain(self, one), note))
        if not hushed.exists():
            feeds[0].take(told)
        elif not hushed.read_text(encoding="utf-8"):
            feeds[0].finish(told)
            hushed.write_text(str(told.through_ns), encoding="utf-8")

    CandlePublisher.publish = publish  # type: ignore[method-assign]


def hush(folder: Path) -> None:
    """Let the feed fall silent, after it has told everything."""
    (folder / HUSHED).write_text("", encoding="utf-8")


def hushed_at_ns(folder: Path) -> int | None:
    """Return until when candles were told by a feed that is silent now; None: it is not yet."""
    file = folder / HUSHED
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return int(text) if text else None


def spoiled(folder: Path) -> Counter[str]:
    """Return what was done to the feed."""
    file = folder / SPOILED
    return Counter(file.read_text(encoding="utf-8").split("\n")[:-1] if file.exists() else ())
