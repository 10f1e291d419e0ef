"""An entry, and for whatever it trades a target and a stop, of which one cancels the other.

Why the exits together never trade more than the entry did: a target is placed only for what the
entry has traded and no exit has out, and the stop's market order leaves only after every target
has ended for sure, for what is held then. An order of which nobody knows whether it lives counts
as one that does. What the entry trades later, its cancel being under way, is found at the next
look and goes the same way.

The stop is held by the desk and fires only while something is held; once hit it stays so.
"""

import itertools
from typing import Final

from tandem.core.trading.algos import watching
from tandem.core.trading.algos.memos import BracketMemo
from tandem.core.trading.algos.sight import LEFT, PartSeen, Sight, Slice, Step
from tandem.core.trading.algos.twap import SPAN_NS_MAX
from tandem.domain.algos import Bracket
from tandem.domain.ids import ParentId, Ticks
from tandem.domain.limits import LOTS_MAX
from tandem.domain.order import Side, TimeInForce

ENTRY: Final = "entry"
TARGET: Final = "target"
STOP: Final = "stop"
MARKET_ENTRY_NS: Final = 10_000_000_000  # how long an entry at the market is tried, unless told


def objection(spec: Bracket) -> str | None:
    """Return why this cannot be, or None."""
    entry = spec.limit_price
    prices = (spec.stop_price, entry, spec.target_price)
    rising = [one for one in prices if one is not None]
    if spec.stop_price is None and spec.target_price is None:
        return "a bracket needs a stop, a target or both"
    if spec.side is Side.SELL:
        rising.reverse()
    if not rising[0] > 0 or rising[-1] > LOTS_MAX:
        return f"prices {rising[0]} and {rising[-1]} are not within 1 to {LOTS_MAX}"
    if any(low >= high for low, high in itertools.pairwise(rising)):
        between = "" if entry is None else f", entry {entry}"
        below = "above" if spec.side is Side.SELL else "below"
        text = f"stop {spec.stop_price}{between}, target {spec.target_price}"
        return f"{text}: for a {spec.side} each is {below} the next"
    if spec.entry_ns is not None and not 0 < spec.entry_ns <= SPAN_NS_MAX:
        return f"entry time {spec.entry_ns} ns is not within 1 to {SPAN_NS_MAX}"
    return None


def step(spec: Bracket, memo: BracketMemo, sight: Sight) -> Step:
    """Enter, protect what has traded, and get out by the target or the stop."""
    held = spec.side.sign * sight.position
    if sight.is_ending:
        return Step(is_over=True, text=f"{LEFT} is left, with no exit" if held else "", left=held)
    exits = spec.side.opposite
    price = watching.believed(memo.watch, spec.trigger, exits, sight)
    if memo.hit_at_ns is None and held > 0 and _is_stopped(spec, price):
        memo.hit_at_ns = sight.market_ns
    memo.entered = memo.entered or _is_entry_over(spec, memo, sight, held)
    if memo.entered and not held and not sight.parts:
        return Step(is_over=True, text=_end_text(spec, memo, sight))
    if memo.hit_at_ns is not None:
        return _stop_step(spec, sight, held)
    return _open_step(spec, memo, sight, held - sight.out(exits))


def _is_stopped(spec: Bracket, price: Ticks | None) -> bool:
    if price is None or spec.stop_price is None:
        return False
    return watching.is_reached(spec.side.opposite, price, stop_price=spec.stop_price)


def _is_entry_over(spec: Bracket, memo: BracketMemo, sight: Sight, held: int) -> bool:
    entered, until_ns = sight.traded(spec.side), _entry_until_ns(spec, sight)
    if until_ns is not None and sight.market_ns >= until_ns:
        return True
    is_out_again = entered > 0 and held == 0
    return entered >= spec.quantity or is_out_again or memo.hit_at_ns is not None


def _entry_until_ns(spec: Bracket, sight: Sight) -> int | None:
    if spec.entry_ns is not None:
        return sight.began_market_ns + spec.entry_ns
    return sight.began_market_ns + MARKET_ENTRY_NS if spec.limit_price is None else None


def _end_text(spec: Bracket, memo: BracketMemo, sight: Sight) -> str:
    if memo.hit_at_ns is not None:
        return "its stop was hit"
    return "its target was reached" if sight.traded(spec.side) else "its entry did not trade"


def _stop_step(spec: Bracket, sight: Sight, held: int) -> Step:
    """Cancel everything else; when no target is left, trade what is held at the market."""
    cancel = _to_cancel(sight, ENTRY, TARGET)
    place: tuple[Slice, ...] = ()
    if held > 0 and not sight.has(TARGET) and not sight.has(STOP):
        place = (_exit(spec, STOP, held),)
    return Step(cancel=cancel, place=place, text="its stop was hit")


def _open_step(spec: Bracket, memo: BracketMemo, sight: Sight, unprotected: int) -> Step:
    """Keep the entry out as long as it may, and a target for whatever is held."""
    place = []
    cancel: list[ParentId] = []
    if memo.entered:
        cancel = _to_cancel(sight, ENTRY)
    elif not sight.has(ENTRY):
        place.append(_entry(spec, spec.quantity - sight.traded(spec.side)))
    # An entry at the market could meet a target: it has its answer soon.
    is_entering = spec.limit_price is None and (place or sight.has(ENTRY))
    if unprotected > 0 and not is_entering and spec.target_price is not None:
        place.append(_exit(spec, TARGET, unprotected))
    until_ns = None if memo.entered else _entry_until_ns(spec, sight)
    moments_ns = [one for one in (until_ns, watching.look_again_ns(memo.watch)) if one is not None]
    return Step(cancel=cancel, place=place, wake_market_ns=min(moments_ns, default=None))


def _to_cancel(sight: Sight, *roles: str) -> list[ParentId]:
    def is_wanted(one: PartSeen) -> bool:
        return one.role in roles and not one.is_ending

    return [one.parent_id for one in sight.parts if is_wanted(one)]


def _entry(spec: Bracket, quantity: int) -> Slice:
    return Slice(
        role=ENTRY,
        side=spec.side,
        quantity=quantity,
        limit_price=spec.limit_price,
        time_in_force=_lasting(spec.limit_price),
    )


def _exit(spec: Bracket, role: str, quantity: int) -> Slice:
    price = spec.target_price if role == TARGET else None
    return Slice(
        role=role,
        side=spec.side.opposite,
        quantity=quantity,
        limit_price=price,
        time_in_force=_lasting(price),
        cancels_own=role == STOP,
        is_exit=True,
    )


def _lasting(price: int | None) -> TimeInForce:
    return TimeInForce.IMMEDIATE_OR_CANCEL if price is None else TimeInForce.GOOD_TILL_CANCEL
