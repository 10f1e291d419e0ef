"""How equity went, in words and small charts."""

from decimal import Decimal

from tandem.cli.equity_text import chart, has_story, story_lines, story_table, win_share
from tandem.domain.statements import EquityCurve, EquityPoint, RowKind, StatementRow

MINUTE_NS = 60_000_000_000


def row_of(**changes: object) -> StatementRow:
    fields: dict[str, object] = {
        "kind": RowKind.GROUP,
        "group": ("trend",),
        "currency": "USD",
        "executions": 3,
        "bought": Decimal(1000),
        "sold": Decimal(1001),
        "realized": Decimal(1),
        "unrealized": Decimal(0),
        "gain": Decimal(1),
        "fees": Decimal("0.5"),
        "net": Decimal("0.5"),
        "turnover": Decimal(2001),
        "round_trips": 3,
        "won": 2,
        "drawdown": Decimal(4),
        "drawdown_from_ns": MINUTE_NS,
        "drawdown_to_ns": 3 * MINUTE_NS,
        "drawdown_now": Decimal("0.25"),
    }
    return StatementRow(**(fields | changes))  # type: ignore[arg-type]


CURVE = EquityCurve(
    kind=RowKind.GROUP,
    group=("trend",),
    currency="USD",
    points=(
        EquityPoint(0, Decimal(0), Decimal(0)),
        EquityPoint(MINUTE_NS, Decimal(3), Decimal(0)),
        EquityPoint(3 * MINUTE_NS, Decimal(-1), Decimal(4)),
    ),
)


def test_a_table_says_how_a_gain_came_about() -> None:
    """B34."""
    heads, row = story_table([("trend", row_of())]).splitlines()
    assert heads.split("  ")[0] == ""
    assert " ".join(row.split()) == (
        "trend USD 0.5 4 1970-01-01 00:01:00 1970-01-01 00:03:00 0.25 3 66.7 % 2,001"
    )


def test_words_say_the_same_with_a_small_chart() -> None:
    """B34."""
    assert story_lines([row_of()], [CURVE]) == [
        "equity change: 0.5 USD, fees 0.5",
        "drawdown: 4 at most from 1970-01-01 00:01:00 to 1970-01-01 00:03:00, 0.25 now",
        "trades: 3 over, 66.7 % won, turnover 2,001",
        f"over time: {chart(CURVE)}",
    ]
    assert chart(CURVE) == f"-1 {'▂' * 13}{'█' * 26}▁ 3"


def test_what_is_not_known_is_said() -> None:
    row = row_of(
        net=None,
        drawdown=Decimal(0),
        drawdown_from_ns=None,
        drawdown_to_ns=None,
        drawdown_now=None,
        round_trips=0,
        won=0,
    )
    assert story_lines([row], []) == [
        "equity change: not known USD, fees 0.5",
        "drawdown: 0 at most, not known now",
        "trades: 0 over, - won, turnover 2,001",
    ]
    assert win_share(row) is None


def test_the_share_of_trades_that_won_has_four_digits() -> None:
    assert win_share(row_of()) == Decimal("0.6667")


def test_a_row_that_nobody_followed_has_no_story() -> None:
    assert not has_story(row_of(drawdown=None, round_trips=None, won=None))
    assert has_story(row_of())
