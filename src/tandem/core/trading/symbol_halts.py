"""A person's halt of one symbol, while everything else trades on.

Nothing new on it is placed, also not for an algorithm or a pair that has a part there, until it is
resumed; what is open there is canceled, and pairs with one leg there with it. It is part of the
desk's state, so it stands through restarts, and a resume of the whole desk does not lift it.

The desk itself refuses by name. Beneath, the symbol is one of those that limits call restricted,
for the desk's gate and for those of the workers, which are told and must confirm: so nothing that
was decided before gets past the last gate before the wire.
"""

from tandem.core.trading import granting, limiting, netting, planning, tandem_orders
from tandem.core.trading.algos import driver
from tandem.core.trading.turn import Turn
from tandem.domain.commands import Answer, Done, RefusalReason, Refused


def halt(turn: Turn, symbol: str, *, reason: str) -> Answer:
    """Refuse new orders on a symbol and cancel the open ones, until resumed."""
    state = turn.state
    if not turn.rules.catalogue.on_symbol(symbol):
        text = f"no symbol {symbol} is traded here; nothing was halted"
        return Refused(reason=RefusalReason.UNKNOWN_SYMBOL, text=text)
    state.halted[symbol] = reason
    turn.count("symbol_halts")
    _say(turn)
    count = _cancel(turn, symbol, f"{symbol} is halted: {reason}")
    return Done(text=f"{symbol} is halted; {count} orders are being canceled")


def resume(turn: Turn, symbol: str) -> Answer:
    """Trade a symbol again."""
    if turn.state.halted.pop(symbol, None) is None:
        return Done(text=f"{symbol} was not halted")
    _say(turn)
    return Done(text=f"{symbol} is traded again")


def _say(turn: Turn) -> None:
    limiting.take_over(turn.state, turn.rules)
    for seat in turn.state.seats.values():
        granting.say_anew(turn, seat)


def _cancel(turn: Turn, symbol: str, why: str) -> int:
    """Cancel what is open on a symbol; return how many orders that is."""
    state = turn.state
    for both in state.boths.values():
        if both.spec.symbol == symbol:
            tandem_orders.cancel_both(turn, both, why)
    for pair in state.pairs.values():
        if symbol in (pair.spec.buy_symbol, pair.spec.sell_symbol):
            tandem_orders.cancel_pair(turn, pair, why)
    for algo_id in state.running:
        if state.algos[algo_id].spec.symbol == symbol:
            driver.cancel(turn, state.algos[algo_id], why)
    for net in state.strategies.nets.values():
        if turn.rules.instruments[net.instrument_id].symbol == symbol:
            netting.give_up(turn, net, why)
    found = [key for key in state.working if state.parents[key].spec.symbol == symbol]
    for key in found:
        planning.cancel_parent(turn, state.parents[key], why)
    return len(found)
