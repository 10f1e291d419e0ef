"""Every hostile strategy is contained, and nobody beside it hears anything else.

B17, F22, I14. A strategy that is `failed` by its own error may have to be ended on a slow computer.
"""

import pytest

from tandem.adapters.jail import Mode
from tandem.domain.strategies import Language
from tests.hostile.corpus import MARK, Outcome, scripts
from tests.hostile.running import BOB, bench

HARMLESS_ESCAPES = {
    *("escape_list_folder", "escape_open_file", "escape_shared_memory"),
    *("escape_unix_socket", "escape_write_mark"),
}


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


async def test_without_fences_the_same_strategies_are_seen_to_escape() -> None:
    """So the corpus proves something where nothing escapes; these do no harm outside."""
    async with bench(Mode.TRUSTED) as free:
        expected = await free.honest(BOB, "alone")
        chosen = [one for one in scripts(Language.PYTHON) if one.name in HARMLESS_ESCAPES]
        cases = [await free.case(script, expected) for script in chosen]
    MARK.unlink(missing_ok=True)
    assert {case.script.name for case in cases if case.is_escaped} == HARMLESS_ESCAPES
