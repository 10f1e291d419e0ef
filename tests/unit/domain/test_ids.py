"""Identifiers cost nothing when running."""

from tandem.domain import ids


def test_identifiers_are_plain_text_and_units_plain_integers() -> None:
    kinds = {
        name: one.__supertype__
        for name, one in vars(ids).items()
        if name[0].isupper() and hasattr(one, "__supertype__")
    }
    assert {name for name, kind in kinds.items() if kind is int} == {"AskerId", "Ticks", "Lots"}
    assert {kind for name, kind in kinds.items()} == {int, str}
