"""Watches a desk that is replayed, for the report of a run.

It is shown the desk after every event, so it knows the market at the moment when an order was
taken, and sees every size that ever rested.
"""

from decimal import Decimal

import msgspec

from tandem.core.trading.booked import Booked, BookedFill
from tandem.core.trading.desk import Desk
from tandem.core.trading.showing_algos import algo_view
from tandem.core.trading.state import Algo, Attempt, Parent, Phase
from tandem.domain.ids import InstrumentId, Lots, ParentId
from tandem.domain.money import multiply, subtract
from tandem.domain.order import TimeInForce
from tandem.domain.run_report import Inventory, MostShown, RunOrder
from tandem.domain.views import AlgoView

_IMMEDIATE = frozenset({TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL})


class _Taken(msgspec.Struct, frozen=True):
    """A parent, which goes on changing, and the middle of the market, doubled, at its begin."""

    parent: Parent
    instrument_id: InstrumentId
    arrival: int | None


class RunRecord:
    """What was seen so far; one desk, its events in order."""

    def __init__(self) -> None:
        """Begin with the first event."""
        self._taken: dict[ParentId, _Taken] = {}
        self._algos: dict[ParentId, Algo] = {}
        self._most: dict[InstrumentId, tuple[int, int]] = {}
        self._held: dict[InstrumentId, list[tuple[int, int]]] = {}

    def on_event(self, desk: Desk, market_ns: int) -> None:
        """Look at the desk after an event."""
        for parent_id in reversed(desk.state.parents):
            if parent_id in self._taken:
                break
            self._take(desk, desk.state.parents[parent_id])
        for algo_id in reversed(desk.state.algos):
            if algo_id in self._algos:
                break
            self._algos[algo_id] = desk.state.algos[algo_id]
        shown: dict[InstrumentId, int] = {}
        for seat in desk.state.seats.values():
            for key in seat.open:
                attempt = desk.state.attempts[key]
                if _is_seen(attempt):
                    instrument_id = attempt.order.instrument_id
                    leaves = attempt.order.quantity - attempt.cum_quantity
                    shown[instrument_id] = shown.get(instrument_id, 0) + leaves
        for instrument_id, lots in shown.items():
            if lots > self._most.get(instrument_id, (0, 0))[0]:
                self._most[instrument_id] = (lots, market_ns)

    def on_booked(self, booked: Booked) -> None:
        """Count one execution; what strategies hand each other is none, and no split is."""
        if not isinstance(booked, BookedFill):
            return
        held = self._held.setdefault(booked.instrument_id, [])
        before = held[-1][1] if held else 0
        lots = booked.side.sign * booked.fill.quantity
        held.append((booked.market_ns, before + lots))

    def _take(self, desk: Desk, parent: Parent) -> None:
        venue_id = desk.state.seats[parent.slots[0]].venue_id
        instrument = desk.rules.listed[parent.spec.symbol, venue_id]
        quote = desk.state.quotes.get(instrument.instrument_id)
        arrival = None
        if quote is not None and quote.bid is not None and quote.ask is not None:
            arrival = quote.bid + quote.ask
        elif quote is not None and quote.last is not None:
            arrival = 2 * quote.last
        self._taken[parent.parent_id] = _Taken(parent, instrument.instrument_id, arrival)

    def orders(self, desk: Desk) -> tuple[RunOrder, ...]:
        """Return every parent that no algorithm placed, in the order of their ids."""
        found = [one for one in self._taken.values() if one.parent.owner not in self._algos]
        found.sort(key=lambda one: (len(one.parent.parent_id), one.parent.parent_id))
        return tuple(_order(desk, one) for one in found)

    def algos(self, desk: Desk) -> tuple[AlgoView, ...]:
        """Return every algorithm, oldest first."""
        found = sorted(self._algos.values(), key=lambda one: (len(one.algo_id), one.algo_id))
        return tuple(algo_view(desk.state, desk.rules, one) for one in found)

    def most_shown(self, desk: Desk) -> tuple[MostShown, ...]:
        """Return the largest size ever visible in each book, and when that was."""
        return tuple(
            MostShown(
                instrument_id=key,
                quantity=desk.rules.instruments[key].quantity_text(Lots(lots)),
                at_ns=at_ns,
            )
            for key, (lots, at_ns) in self._most.items()
        )

    def inventories(self, desk: Desk) -> tuple[Inventory, ...]:
        """Return what was held of each instrument over time, from zero at the begin."""
        return tuple(
            Inventory(
                instrument_id=key,
                at_ns=tuple(at_ns for at_ns, _ in held),
                quantities=tuple(
                    multiply(desk.rules.instruments[key].lot_size, lots) for _, lots in held
                ),
            )
            for key, held in self._held.items()
        )


def _is_seen(attempt: Attempt) -> bool:
    """Whether it rests in its venue's book, where everybody sees it."""
    order = attempt.order
    is_resting = attempt.phase is Phase.LIVE and order.time_in_force not in _IMMEDIATE
    return is_resting and order.limit_price is not None and order.stop_price is None


def _order(desk: Desk, taken: _Taken) -> RunOrder:
    parent, instrument = taken.parent, desk.rules.instruments[taken.instrument_id]
    arrival = slippage = None
    if taken.arrival is not None:
        middle = Decimal(taken.arrival) / 2
        arrival = multiply(instrument.tick_size, middle)
        more = subtract(parent.filled_value, multiply(middle, parent.filled))
        slippage = multiply(multiply(instrument.step_value, more), parent.spec.side.sign)
    return RunOrder(
        order_id=parent.parent_id,
        owner=parent.owner,
        symbol=parent.spec.symbol,
        side=parent.spec.side,
        quantity=instrument.quantity_text(Lots(parent.quantity)),
        filled=instrument.quantity_text(Lots(parent.filled)),
        value=multiply(instrument.step_value, parent.filled_value),
        fees=parent.fees,
        arrival=arrival,
        slippage=slippage,
        state=(parent.outcome or parent.phase).value,
    )
