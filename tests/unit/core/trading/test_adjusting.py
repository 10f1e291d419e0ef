"""Which splits and dividends are remembered."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.adjusting import ACTIONS_MAX, Adjustments, Splits
from tandem.domain.ids import ActionId


def test_an_action_is_news_once_and_the_oldest_are_forgotten() -> None:
    for book in (Adjustments(), Splits()):
        assert book.note(ActionId("x-1"))
        assert not book.note(ActionId("x-1"))
        for number in range(ACTIONS_MAX):
            book.note(ActionId(f"y-{number}"))
        assert len(book.known) == ACTIONS_MAX
        assert "x-1" not in book.known


@given(st.lists(st.integers(0, 20)))
def test_each_is_news_just_once(numbers: list[int]) -> None:
    book = Adjustments()
    news = [one for one in numbers if book.note(ActionId(f"x-{one}"))]
    assert news == list(dict.fromkeys(numbers))
