"""Limits in a trader's words: what is allowed, used now, and left. Nothing is changed."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from tandem.core.trading import account_gate
from tandem.core.trading.limit_book import Scope
from tandem.core.trading.risk import DAY_NS, Exposure, TradingState
from tandem.core.trading.state import DeskState
from tandem.core.trading.turn import Rules
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.limits import SECOND_NS, SETTABLE, Limits
from tandem.domain.money import ZERO, multiply, subtract
from tandem.domain.views import LimitsView, LimitView, ScopeView, SymbolHaltView

PPM_OF_PERCENT: Final = 10_000
Uses = Sequence[tuple[str, Decimal | None]]  # a unit, and how much of the limit is used there
NOWHERE: Final[Uses] = (("", None),)


def limits_view(state: DeskState, rules: Rules, now: Instant) -> LimitsView:
    """Return every limit of the desk and of each account, and what is used of it now."""
    scopes = [_scope(state, rules, None, now)]
    scopes += [_scope(state, rules, one, now) for one in state.seats]
    return LimitsView(scopes=tuple(scopes))


def notes(state: DeskState) -> list[str]:
    """Return which accounts only reduce, and why."""
    return [
        f"{account_id} only reduces: {scope.text}"
        for account_id, scope in state.limits.accounts.items()
        if scope.reasons
    ]


def halts(state: DeskState, rules: Rules) -> list[SymbolHaltView]:
    """Return the symbols that a person halted, and what may still be open there."""
    found = []
    attempts = [state.attempts[key] for seat in state.seats.values() for key in seat.open]
    for symbol, reason in state.halted.items():
        keys = {one.instrument_id for one in rules.catalogue.on_symbol(symbol)}
        left = sum(not one.is_final and one.order.instrument_id in keys for one in attempts)
        found.append(SymbolHaltView(symbol=symbol, reason=reason, open_orders=left))
    return found


def _scope(state: DeskState, rules: Rules, slot_id: str | None, now: Instant) -> ScopeView:
    seat = None if slot_id is None else state.seats[slot_id]  # type: ignore[index] # a slot's name
    if seat is None:
        scope: Scope | None = state.limits.desk
        limits, exposure = rules.limits, state.exposure
    else:
        scope = state.limits.accounts.get(seat.account_id)
        limits = account_gate.limits_of(state, rules, seat)
        exposure = account_gate.exposure_of(state, rules, seat)
    is_halted = state.exposure.state is TradingState.HALTED
    return ScopeView(
        account_id=None if seat is None else seat.account_id,
        trading=(state.exposure if is_halted else exposure).state.value,
        reason=state.halt_reason if is_halted else (scope.text if scope is not None else ""),
        limits=tuple(_lines(rules, limits, exposure, scope, now)),
        halted=dict(state.halted),
    )


def _lines(
    rules: Rules, limits: Limits, exposure: Exposure, scope: Scope | None, now: Instant
) -> list[LimitView]:
    own = scope.changes.named if scope is not None else {}
    lines = []
    for name in SETTABLE:
        value, started = getattr(limits, name), getattr(rules.settings.limits, name)
        settings = None if value == started else text_of(rules, name, started)
        for unit, used in _uses(rules, exposure, name, now) or NOWHERE:
            left = None if used is None else max(ZERO, subtract(Decimal(value), used))
            lines.append(
                LimitView(
                    name=name,
                    unit=unit,
                    limit=text_of(rules, name, value),
                    used=None if used is None else plain(used),
                    left=None if left is None else plain(left),
                    settings=settings,
                    is_set=name in own,
                )
            )
    return lines


def plain(amount: Decimal) -> str:
    """Return an exact amount without zeros that say nothing."""
    return f"{amount.normalize():f}"


def text_of(rules: Rules, name: str, value: object) -> str:
    """Return a limit's value as a person types it."""
    if name.endswith("_ns"):
        assert isinstance(value, int), f"{name} is a time"
        return f"{plain(Decimal(value) / SECOND_NS)}s"
    if name == "price_collar_ppm":
        assert isinstance(value, int), f"{name} is a ratio"
        return f"{plain(Decimal(value) / PPM_OF_PERCENT)}%"
    if isinstance(value, dict):
        known = [(rules.instruments.get(key), lots) for key, lots in value.items()]
        named = [f"{one.symbol}:{one.quantity_text(lots)}" for one, lots in known if one]
        return ",".join(named) or "none"
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    return f"{value:f}" if isinstance(value, Decimal) else f"{value}"


def _uses(rules: Rules, exposure: Exposure, name: str, now: Instant) -> Uses:
    found = _USES.get(name)
    return [] if found is None else found(rules, exposure, now)


def _positions(rules: Rules, exposure: Exposure, _now: Instant) -> Uses:
    """Return every position, should all open orders of the worse side trade."""
    return [
        (one.symbol, multiply(one.step_value, one.valued_lots * one.reference))
        for key, one in exposure.holdings.items()
        if one.reference is not None and one.valued_lots and _is_listed(rules, key)
    ]


def _is_listed(rules: Rules, key: InstrumentId) -> bool:
    return key in rules.instruments


def _gross(_rules: Rules, exposure: Exposure, _now: Instant) -> Uses:
    return list(exposure.gross.items())


def _losses(rules: Rules, exposure: Exposure, now: Instant) -> Uses:
    is_old = now.market_ns // DAY_NS != exposure.day
    currencies = dict.fromkeys(one.quote for one in rules.instruments.values())
    lost = {one: ZERO if is_old else -exposure.realized.get(one, ZERO) for one in currencies}
    return [(one, max(ZERO, amount)) for one, amount in lost.items()]


def _open(_rules: Rules, exposure: Exposure, _now: Instant) -> Uses:
    return [("", Decimal(exposure.open_orders))]


def _pace(_rules: Rules, exposure: Exposure, now: Instant) -> Uses:
    recent = sum(1 for at_ns in exposure.sent_ns if at_ns > now.now_ns - SECOND_NS)
    return [("", Decimal(recent))]


_USES: Final[dict[str, Callable[[Rules, Exposure, Instant], Uses]]] = {
    "max_position_notional": _positions,
    "max_gross_exposure": _gross,
    "max_daily_loss": _losses,
    "max_open_orders": _open,
    "max_orders_per_second": _pace,
}
