"""Every hostile strategy is contained, and nobody beside it hears anything else.

B17, F22, I14. A strategy that is `failed` by its own error may have to be ended on a slow computer.
"""

import pytest

from tandem.domain.strategies import Language
from tests.hostile.corpus import Outcome, scripts
from tests.hostile.running import BOB, bench


def test_the_corpus_is_large_enough() -> None:
    assert len(scripts(Language.LUA)) >= 40
    assert len(scripts(Language.PYTHON)) >= 20


@pytest.mark.parametrize("language", list(Language))
async def test_nothing_escapes_hangs_or_changes_what_others_hear(language: Language) -> None:
    """The kill is used and survived: some can be stopped in no other way."""
    async with bench() as jailed:
        expected = await jailed.honest(BOB, "alone")
        cases = [await jailed.case(script, expected) for script in scripts(language)]
        ended = sum(meter.ended for meter in jailed.evaluator.meters)
    wrong = [
        case
        for case in cases
        if case.is_escaped
        or not case.are_neighbors_right
        or case.outcome not in (case.script.expected, Outcome.ENDED)
    ]
    assert wrong == []
    if language is Language.PYTHON:
        assert ended >= sum(script.expected is Outcome.ENDED for script in scripts(language)) > 0
