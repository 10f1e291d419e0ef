"""Commands of a person to the desk as a whole, and who carries each out."""

from typing import assert_never

from tandem.core.trading import external, limiting, objectives, orders_by_hand, symbol_halts
from tandem.core.trading.turn import Turn
from tandem.domain.commands import (
    Answer,
    ClearObjectives,
    DrainWorker,
    ExplainExternal,
    HaltTrading,
    ReduceOnly,
    ResolveOrder,
    ResumeTrading,
    SetLimits,
    SetObjectives,
    SwapWorker,
)

ByHand = (
    HaltTrading
    | ResumeTrading
    | SwapWorker
    | DrainWorker
    | ResolveOrder
    | ExplainExternal
    | SetLimits
    | ReduceOnly
    | SetObjectives
    | ClearObjectives
)


def carry_out(turn: Turn, command: ByHand) -> Answer:  # noqa: C901 - one line a kind
    """Do what a person asks of the desk as a whole."""
    match command:
        case HaltTrading():
            if command.symbol is not None:
                return symbol_halts.halt(turn, command.symbol, reason=command.reason)
            return orders_by_hand.halt(turn, command.reason, command.halt_id)
        case ResumeTrading():
            if command.symbol is not None:
                return symbol_halts.resume(turn, command.symbol)
            return orders_by_hand.resume(turn)
        case SwapWorker():
            return orders_by_hand.swap(turn, command)
        case DrainWorker():
            return orders_by_hand.drain(turn, command)
        case ResolveOrder():
            return orders_by_hand.resolve(turn, command)
        case ExplainExternal():
            return external.explain(turn, command)
        case SetLimits():
            return limiting.set_limits(turn, command)
        case ReduceOnly():
            return limiting.reduce_only(turn, command)
        case SetObjectives():
            return objectives.set_objectives(turn, command)
        case ClearObjectives():
            return objectives.clear(turn)
        case _:
            assert_never(command)
