"""What a desk remembers of strategies."""

from tandem.core.trading.target_state import NOTES_MAX, Member, Noted, Strategies
from tandem.domain.strategies import AssignmentId


def test_a_member_lacks_what_it_wants_and_does_not_hold() -> None:
    assert Member(wanted=10, held=4).lacking == 6
    assert Member(wanted=-10, held=4).lacking == -14


def test_the_log_keeps_the_latest_lines() -> None:
    roster = Strategies()
    for number in range(2 * NOTES_MAX):
        roster.note(Noted(number, AssignmentId("a"), None, "taken", ""))
        assert len(roster.notes) <= NOTES_MAX + NOTES_MAX // 16
        assert roster.notes[-1].market_ns == number
    assert len(roster.notes) >= NOTES_MAX
