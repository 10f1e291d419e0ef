"""A person's halt of one symbol, while everything else trades on.

Nothing new on it is placed, also not for an algorithm or a pair that has a part there, until it is
resumed; what is open there is canceled, and pairs with one leg there with it. It is part of the
desk's state, so it stands through restarts, and a resume of the whole desk does not lift it.

The desk itself refuses by name. Beneath, the symbol is one of those that limits call restricted,
for the desk's gate and for those of the workers, which are told and must confirm: so nothing that
was decided before gets past the last gate before the wire.
"""

from tandem.core.trading import canceling, granting, limiting
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
    count = canceling.cancel_all(turn, f"{symbol} is halted: {reason}", symbol=symbol)
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
