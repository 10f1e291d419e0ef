"""How far a desk is with its objectives."""

import enum
from decimal import Decimal
from typing import Final

import msgspec

from tandem.domain.commands import SetObjectives
from tandem.domain.ids import InstrumentId, Ticks
from tandem.domain.limits import LOTS_MAX
from tandem.domain.money import ZERO, add


class ObjectivePhase(enum.StrEnum):
    """Where they are."""

    NONE = "none"
    WATCHING = "watching"
    STOPPED = "stopped"  # one was reached: only what reduces may trade
    FLATTENING = "flattening"
    FLAT = "flat"


# Finding a member of an enum costs more than comparing it, and these are asked at every event.
_FLATTENING: Final = ObjectivePhase.FLATTENING
_ON: Final = (ObjectivePhase.WATCHING, _FLATTENING)


class Kept(msgspec.Struct, array_like=True, gc=False):
    """Lots that were held, and the price then; what they gain is nobody's trade.

    `correction` is what a split's rounding of both has made of their value then, in ticks times
    lots.
    """

    lots: int
    reference: Ticks
    correction: Decimal = ZERO

    def split(self, *, numerator: int, denominator: int) -> None:
        """Count so many new lots for old ones, worth the same."""
        before = self.lots * self.reference
        lots = self.lots * numerator // denominator
        self.lots = max(-LOTS_MAX, min(LOTS_MAX, lots))
        self.reference = Ticks(min(LOTS_MAX, self.reference * denominator // numerator))
        self.correction = add(self.correction, Decimal(self.lots * self.reference - before))


class Objectives(msgspec.Struct, array_like=True, gc=False):
    """What was set, and what became of it; moments are market time.

    `baseline` is the gain when they were set, None until every price is known. `flat_at_ns` is
    when the flattening begins, in time to be flat by then; `ends_at_ns` when the time is over.
    `reached` says which one was, `note` what keeps them from acting. `retry_at_ns` and
    `alarm_at_ns` are CLOCK_BOOTTIME.
    """

    spec: SetObjectives | None = None
    phase: ObjectivePhase = ObjectivePhase.NONE
    set_at_ns: int = 0
    baseline: Decimal | None = None
    gain: Decimal | None = None  # as of the last prices
    flat_at_ns: int | None = None
    ends_at_ns: int | None = None
    reached: str = ""
    note: str = ""
    retry_at_ns: int = 0
    alarm_at_ns: int = 0
    tries: int = 0
    kept: dict[InstrumentId, Kept] = {}  # what was held when they were set, if it does not count

    @property
    def is_flattening(self) -> bool:
        """Whether everything is being closed."""
        return self.phase is _FLATTENING

    @property
    def is_on(self) -> bool:
        """Whether there is still something to see or to do."""
        return self.phase in _ON
