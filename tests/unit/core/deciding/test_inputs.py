"""Hashes of what a decision was made of: B16."""

import msgspec

from tandem.core.deciding.inputs import chain_of, chained, inputs_hash
from tandem.domain.evaluation import Attached
from tests.unit.core.deciding.bench import TEXT, final

ATTACHED = Attached(number=3, text_hash=TEXT.text_hash)  # type: ignore[arg-type]


def test_a_chain_grows_bar_by_bar() -> None:
    """B16."""
    bars = [final(number).bar for number in range(3)]
    assert chain_of([]) == ""
    assert chain_of(bars) == chained(chain_of(bars[:2]), bars[2])
    assert chain_of(bars) != chain_of(reversed(bars))
    assert chain_of(bars) != chain_of([*bars[:2], final(2, close=101).bar])


def test_everything_that_was_given_counts_but_the_number() -> None:
    """B16."""
    same = msgspec.structs.replace(ATTACHED, number=4)
    assert inputs_hash(ATTACHED, "00") == inputs_hash(same, "00")
    for change in (
        {"state": '{"n":1}'},
        {"position_ppm": 1},
        {"parameters": {"n": 2}},
        {"may_short": True},
    ):
        other = msgspec.structs.replace(ATTACHED, **change)
        assert inputs_hash(ATTACHED, "00") != inputs_hash(other, "00")
    assert inputs_hash(ATTACHED, "00") != inputs_hash(ATTACHED, "01")
