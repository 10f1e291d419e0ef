"""Following splits and dividends, which venues tell with an account's balances.

Why none is missed, taken twice or taken for somebody's trade: balances name the latest actions
that they are after, in the same breath. So whoever compares them with the books first books what
is news among those, by its id, and then both sides speak of the same.

Why no gain or loss comes of a split by itself: prices say after how many splits they are. While
the lots of any account of that venue are of after fewer, or more, its prices are not used, and
what was known is forgotten; so no position is ever valued at a price of the other scale. What is
at work on the symbol is canceled and leaves what it holds alone: its quantities and prices are of
before the split.
"""

from typing import Final

import msgspec

from tandem.core.trading import account_gate, books, canceling
from tandem.core.trading.algos.memos import Watch
from tandem.core.trading.booked import BookedAction
from tandem.core.trading.claims import net_id
from tandem.core.trading.plausible import is_money
from tandem.core.trading.positions import Position
from tandem.core.trading.state import Seat
from tandem.core.trading.turn import Turn
from tandem.domain.algos import Leaving, MakeMarket, Momentum
from tandem.domain.commands import ExitRule, LegPolicy
from tandem.domain.desk import Alert
from tandem.domain.ids import Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LOTS_MAX
from tandem.domain.money import add
from tandem.domain.venue import Adjusted, Balances

RATIO_MAX: Final = 1_000_000


def take(turn: Turn, seat: Seat, balances: Balances) -> None:
    """Book the actions that these balances are after, where they are news."""
    for one in balances.adjusted:
        if not seat.adjustments.note(one.action_id):
            continue
        if _is_plausible(turn, one):
            _book(turn, seat, one)
        else:
            turn.count("adjustments_garbled")
    _note_splits(turn, seat, balances)


def _note_splits(turn: Turn, seat: Seat, balances: Balances) -> None:
    """The account's lots are of after so many splits."""
    splits = seat.adjustments.splits
    for instrument_id, count in balances.splits.items():
        if instrument_id in turn.rules.instruments:
            splits[instrument_id] = max(count, splits.get(instrument_id, 0))
            turn.state.splits.instruments[instrument_id] = None


def open_account(turn: Turn, seat: Seat, balances: Balances) -> None:
    """Know what happened before the account was first ours: it is in its opening balances."""
    for one in balances.adjusted:
        seat.adjustments.note(one.action_id)
    _note_splits(turn, seat, balances)


def _is_plausible(turn: Turn, told: Adjusted) -> bool:
    return (
        told.instrument_id in turn.rules.instruments
        and abs(told.lots) <= LOTS_MAX
        and 0 < told.numerator <= RATIO_MAX
        and 0 < told.denominator <= RATIO_MAX
        and is_money(told.cash)
        and is_money(told.dividend)
    )


def _book(turn: Turn, seat: Seat, told: Adjusted) -> None:
    state, key = turn.state, told.instrument_id
    instrument = turn.rules.instruments[key]
    if state.splits.note(told.action_id):
        _announce(turn, instrument, told)
    state.ledger.book_issuer(seat.account_id, instrument, told.lots, told.cash)
    seat.audit.booked_ns[key] = turn.now_ns
    position = books.position_of(turn, seat.account_id, key)
    if told.is_split:
        _split(turn, seat, told, position)
    if told.cash:
        position.income = add(position.income, told.cash)
        state.exposure.note_realized(instrument.quote, told.cash, turn.now)
        account_gate.note_realized(turn, seat, instrument.quote, told.cash)
    turn.count("splits_booked" if told.is_split else "dividends_booked")
    if turn.booked is not None:
        turn.booked.append(
            BookedAction(
                market_ns=turn.now.market_ns,
                account_id=seat.account_id,
                told=told,
                position=position.quantity,
                lot_size=instrument.lot_size,
            )
        )


def _split(turn: Turn, seat: Seat, told: Adjusted, position: Position) -> None:
    state, key, place = turn.state, told.instrument_id, (seat.account_id, told.instrument_id)
    waiting = [one for one in state.openings if (one.account_id, one.instrument_id) == place]
    if waiting:
        waiting[0].lots += told.lots  # their cost is still to come
    elif told.lots:
        position.split(told.lots)
    net = state.strategies.nets.get(net_id(seat.slot_id, key))
    for member in net.members.values() if net is not None else ():
        member.held, member.wanted = _after(told, member.held), _after(told, member.wanted)
    state.exposure.set_position(key, state.exposure.holdings[key].position + told.lots)
    state.exposure.forget_reference(key)
    state.quotes.pop(key, None)


def _announce(turn: Turn, instrument: Instrument, told: Adjusted) -> None:
    """Do what a split means for all accounts together."""
    if not told.is_split:
        return
    symbol = instrument.symbol
    text = f"{symbol} was split {told.numerator}:{told.denominator}"
    _let_keep(turn, symbol)
    count = canceling.cancel_all(turn, text, symbol=symbol)
    _scale_stops(turn, symbol, told)
    kept = turn.state.objectives.kept.get(told.instrument_id)
    if kept is not None:
        kept.split(numerator=told.numerator, denominator=told.denominator)
    turn.out.append(Alert(text=f"{text}: {count} orders end, place them anew if they are wanted"))


def _let_keep(turn: Turn, symbol: str) -> None:
    """Whatever ends because of a split leaves its inventory alone: it counts in old lots."""
    state, replace = turn.state, msgspec.structs.replace
    for both in state.boths.values():
        if both.spec.symbol == symbol:
            both.spec = replace(both.spec, exit_rule=ExitRule.CANCEL)
    for pair in state.pairs.values():
        if symbol in (pair.spec.buy_symbol, pair.spec.sell_symbol):
            pair.spec = replace(pair.spec, policy=LegPolicy.HALT)
    for algo_id in state.running:
        algo = state.algos[algo_id]
        if algo.spec.symbol != symbol:
            continue
        algo.flattens = False
        if isinstance(algo.spec, MakeMarket | Momentum):
            algo.spec = replace(algo.spec, leaving=Leaving.KEEP)


def _scale_stops(turn: Turn, symbol: str, told: Adjusted) -> None:
    """Let the stops and targets of assignments be worth as much as before."""
    for one in turn.state.strategies.assigned.values():
        if one.assignment.symbol == symbol:
            one.stop_price = _price_after(told, one.stop_price)
            one.target_price = _price_after(told, one.target_price)
            one.watch = Watch()


def _after(told: Adjusted, lots: int) -> int:
    """Return what so many lots are after a split; what makes no whole one is the account's."""
    left = min(LOTS_MAX, abs(lots) * told.numerator // told.denominator)
    return left if lots > 0 else -left


def _price_after(told: Adjusted, price: Ticks | None) -> Ticks | None:
    if price is None:
        return None
    return Ticks(max(1, min(LOTS_MAX, price * told.denominator // told.numerator)))
