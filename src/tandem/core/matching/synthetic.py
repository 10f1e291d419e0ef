"""Background participants: one step of a slow market, as the events a feed would give.

The price takes a step of one stride now and then, drawn back to its reference when it has gone a
tenth away, so it never dies. Quotes are drawn anew when it moves and every few steps, which
brings back what was taken; in between, somebody trades at the best price now and then.
"""

from typing import Final

from tandem.core.matching.book import Book
from tandem.core.matching.chance import Chance
from tandem.core.matching.state import MarketState
from tandem.domain.exchange import DepthShown, Level, MarketEvent, PublicTrade, SyntheticBook
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side

_MOVES_EVERY: Final = 8  # steps, on average
_TRADES_EVERY: Final = 4
_QUOTES_KEPT: Final = 10


def step(
    plan: SyntheticBook, market: MarketState, book: Book, chance: Chance
) -> tuple[MarketEvent, ...]:
    """Return what happens to one instrument in one step, and move its center."""
    events: list[MarketEvent] = []
    moved = chance.below(_MOVES_EVERY) == 0
    if moved:
        market.center += plan.stride * _direction(plan, market.center, chance)
    if moved or market.age % _QUOTES_KEPT == 0:
        events.append(_quotes(plan, market.center, chance))
    elif chance.below(_TRADES_EVERY) == 0:
        taker = Side.BUY if chance.below(2) else Side.SELL
        best = book.best(is_buy=taker is Side.SELL)
        if best is not None:
            quantity = Lots(chance.between(lowest=1, highest=plan.depth // 2))
            events.append(
                PublicTrade(
                    instrument_id=plan.instrument_id,
                    price=Ticks(best),
                    quantity=quantity,
                    taker=taker,
                )
            )
    market.age += 1
    return tuple(events)


def _direction(plan: SyntheticBook, center: int, chance: Chance) -> int:
    if abs(center - plan.reference) * 10 > plan.reference:
        return 1 if center < plan.reference else -1
    return 1 if chance.below(2) else -1


def _quotes(plan: SyntheticBook, center: int, chance: Chance) -> DepthShown:
    """Return a whole book around `center`, two strides wide or, near zero, what fits."""

    def level(away: int) -> Level:
        price = Ticks(center + away * plan.stride)
        return price, Lots(chance.between(lowest=plan.depth // 2 + 1, highest=plan.depth))

    distances = range(1, plan.levels + 1)
    return DepthShown(
        instrument_id=plan.instrument_id,
        bids=tuple(level(-one) for one in distances if center > one * plan.stride),
        asks=tuple(level(one) for one in distances),
        is_whole=True,
    )
