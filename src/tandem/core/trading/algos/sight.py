"""What an algorithm sees when it is asked what to do, and what it answers.

A kind of algorithm is a module with two functions. `objection(spec)` says in words why a spec
cannot be, or None. `step(spec, memo, sight)` is asked whenever something may have changed: a
quote came, a part ended, its moment arrived, it was replaced or resumed, or the coordinator
restarted. It may be asked at any time and any number of times, so it answers from what is, and
never counts how often it was asked. It changes nothing but its memo. It never places more than
the driver's `room`, and it places nothing for a role that already has a part where a second one
would be too many.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tandem.domain.ids import ParentId, SlotId, Ticks
from tandem.domain.order import Side, TimeInForce

LEFT: Final = "{left}"  # in the text of a step
LEAVE: Final = "leave"  # the role of what gives an inventory back; not canceled at the end

_BUY = Side.BUY  # finding a member of an enum costs more than comparing it


class PartSeen(msgspec.Struct, frozen=True, gc=False):
    """A part that is not done: what it was placed as, and how much of it has traded.

    `is_ending`: it was canceled and that is not confirmed.
    """

    role: str
    parent_id: ParentId
    side: Side
    quantity: int
    limit_price: Ticks | None
    traded: int
    is_ending: bool


class Sight(msgspec.Struct, frozen=True, gc=False):
    """The market and the algorithm's own state, at one moment.

    `market_ns` is now, `began_market_ns` when it began. `bid`, `ask`, `last` and `volume` are as
    last seen, at `quoted_market_ns`; None while nothing was. `bought` and `sold` count everything
    that has traded, of parts that live too; `open_buys` and `open_sells` what may still trade.
    `is_ending`: it is being wound up, by its time or a person, and nothing but what leaves is to
    be placed. `collar_ppm`: how far a price may be from the last one before it is doubted.
    """

    market_ns: int
    began_market_ns: int
    bid: Ticks | None
    ask: Ticks | None
    last: Ticks | None
    volume: int | None
    bought: int
    sold: int
    open_buys: int
    open_sells: int
    parts: Sequence[PartSeen]
    is_ending: bool
    quoted_market_ns: int | None = None
    collar_ppm: int = 1_000_000

    @property
    def position(self) -> int:
        """What it has bought more than sold."""
        return self.bought - self.sold

    @property
    def middle(self) -> int | None:
        """The middle of the market times two, so that it is whole; the last trade without one."""
        if self.bid is not None and self.ask is not None:
            return self.bid + self.ask
        return None if self.last is None else 2 * self.last

    def traded(self, side: Side) -> int:
        """Return what traded on that side."""
        return self.bought if side is _BUY else self.sold

    def out(self, side: Side) -> int:
        """Return what may still trade on that side."""
        return self.open_buys if side is _BUY else self.open_sells

    def has(self, role: str) -> bool:
        """Return whether a part of that role is not done."""
        return any(one.role == role for one in self.parts)


class Slice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A parent to be placed: at the market without a limit price."""

    role: str
    side: Side
    quantity: int
    limit_price: Ticks | None = None
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCEL
    post_only: bool = False
    slots: tuple[SlotId, ...] | None = None  # None: those of the algorithm
    cancels_own: bool = False  # own resting orders in the way are canceled first
    is_exit: bool = False  # from the accounts that hold it, however the algorithm splits


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to be done now: first cancel these parts, then place those slices.

    `wake_market_ns`: ask again then, at the latest. `is_over`: its work is done or its time is
    up, so wind it up; once winding up, that nothing is left to do (then nothing is placed).
    `text` says why, or how it stands; empty keeps what was said before; `LEFT` in it stands for
    `left` lots, as their venue writes them. `counts` are counted.
    """

    cancel: Sequence[ParentId] = ()
    place: Sequence[Slice] = ()
    wake_market_ns: int | None = None
    is_over: bool = False
    text: str = ""
    left: int = 0
    counts: Sequence[str] = ()
