"""Objectives in a trader's words. Nothing is changed."""

from tandem.core.trading.objective_state import ObjectivePhase
from tandem.core.trading.objectives import is_meant
from tandem.core.trading.state import DeskState
from tandem.core.trading.turn import Rules
from tandem.domain.ids import Lots
from tandem.domain.instant import Instant
from tandem.domain.views import ObjectivesView

POSITIONS_MAX = 100  # an answer must fit into one message


def objectives_view(state: DeskState, rules: Rules, now: Instant) -> ObjectivesView:
    """Return the objectives, and how far they are."""
    objectives = state.objectives
    spec = objectives.spec
    if spec is None:
        return ObjectivesView(phase=objectives.phase.value, market_ns=now.market_ns)
    return ObjectivesView(
        phase=objectives.phase.value,
        currency=spec.currency,
        symbols=spec.symbols,
        target_profit=spec.target_profit,
        loss_limit=spec.loss_limit,
        then=spec.then.value,
        gain=objectives.gain,
        flat_at_ns=objectives.flat_at_ns,
        ends_at_ns=objectives.ends_at_ns,
        reached=objectives.reached,
        note=objectives.note,
        tries=objectives.tries,
        open_positions=_open_positions(state, rules),
        market_ns=now.market_ns,
    )


def _open_positions(state: DeskState, rules: Rules) -> tuple[str, ...]:
    found = []
    for account_id, books in state.ledger.accounts.items():
        for instrument_id, lots in books.lots.items():
            instrument = rules.instruments[instrument_id]
            if lots and is_meant(state.objectives, instrument):
                quantity = instrument.quantity_text(Lots(lots))
                found.append(f"{account_id} {quantity} {instrument.symbol}")
    return tuple(found[:POSITIONS_MAX])


def notes(state: DeskState) -> list[str]:
    """Return what a person should know of them, in whole sentences."""
    objectives = state.objectives
    said = []
    if objectives.reached:
        said.append(f"objective reached: {objectives.reached}; {_DOING[objectives.phase]}")
    if objectives.note:
        said.append(f"objectives: {objectives.note}")
    return said


_DOING = {
    ObjectivePhase.STOPPED: "only what reduces a position may trade",
    ObjectivePhase.FLATTENING: "everything is being closed",
    ObjectivePhase.FLAT: "everything is closed",
}
