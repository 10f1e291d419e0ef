"""Trades of which both sides belong to one owner, found in an exchange's own record."""

from tandem.core.matching.state import ExchangeState, Execution


def own_trades(state: ExchangeState) -> int:
    """Count trades between two accounts of one owner, among the executions that are kept.

    A trade between accounts is two executions, one numbered right after the other: same
    instrument, moment and price, the lots of one against the lots of the other.
    """
    found: dict[int, tuple[str, Execution]] = {}
    for account in state.accounts:
        for one in account.executions:
            number = int(one.fill.execution_id.rpartition("E")[2])
            found[number] = (account.settings.owner, one)
    count = 0
    for number, (owner, one) in found.items():
        after = found.get(number + 1)
        if after is not None and after[0] == owner:
            count += _is_one_trade(one, after[1])
    return count


def _is_one_trade(one: Execution, other: Execution) -> bool:
    return (one.instrument_id, one.at_ns, one.fill.price, one.lots) == (
        other.instrument_id,
        other.at_ns,
        other.fill.price,
        -other.lots,
    )
