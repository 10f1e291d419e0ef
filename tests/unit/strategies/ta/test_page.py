"""The page about indicators is what their definitions say."""

from pathlib import Path

from tandem.strategies.ta.page import page

ROOT = Path(__file__).parents[4]


def test_the_page_is_written_from_the_definitions() -> None:
    """B18: seeds and warm-ups of the documents are those of the code.

    `python -c "from tandem.strategies.ta.page import page; print(page(), end='')"` writes it.
    """
    assert (ROOT / "docs" / "indicators.md").read_text(encoding="utf-8") == page()
