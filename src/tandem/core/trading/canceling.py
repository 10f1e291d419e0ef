"""Canceling everything that is open, or everything on one symbol."""

from tandem.core.trading import netting, planning, tandem_orders
from tandem.core.trading.algos import driver
from tandem.core.trading.turn import Turn


def cancel_all(turn: Turn, why: str, *, symbol: str | None = None, by_hand: bool = False) -> int:
    """Cancel what is open, on `symbol` or at all; return how many orders that is.

    A pair that has one leg there is canceled as one, and what strategies want there given up;
    `by_hand` until they want something else.
    """
    state = turn.state
    for both in state.boths.values():
        if symbol in (None, both.spec.symbol):
            tandem_orders.cancel_both(turn, both, why)
    for pair in state.pairs.values():
        if symbol in (None, pair.spec.buy_symbol, pair.spec.sell_symbol):
            tandem_orders.cancel_pair(turn, pair, why)
    for algo_id in state.running:
        algo = state.algos[algo_id]
        if symbol in (None, algo.spec.symbol):
            driver.cancel(turn, algo, why)
    for net in state.strategies.nets.values():
        if symbol in (None, turn.rules.instruments[net.instrument_id].symbol):
            netting.give_up(turn, net, why, by_hand=by_hand)
    parents = [
        one
        for one in (state.parents[key] for key in state.working)
        if symbol in (None, one.spec.symbol)
    ]
    for parent in parents:
        planning.cancel_parent(turn, parent, why)
    return len(parents)
