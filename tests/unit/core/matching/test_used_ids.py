from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.used_ids import UsedIds


@given(st.lists(st.text(), max_size=50), st.lists(st.text(), max_size=50))
def test_exactly_what_was_added_is_held(added: list[str], others: list[str]) -> None:
    used = UsedIds(shelves={})
    for one in added:
        used.add(one)
    assert all(used.holds(one) for one in added)
    assert not any(used.holds(one) for one in others if one not in added)


def test_an_id_is_not_found_across_two_neighbors_on_a_shelf() -> None:
    used = UsedIds(shelves={})
    used.add("a")
    (number,) = used.shelves
    tail = bytes(used.shelves[number])
    used.shelves[number] = bytearray(b"x" * 3 + tail + b"x" * 5)
    assert not used.holds("a")
    used.shelves[number] += tail
    assert used.holds("a")


def test_an_id_costs_eight_bytes_on_its_shelf() -> None:
    used = UsedIds(shelves={})
    for number in range(5_000):
        used.add(f"desk-{number}")
    assert sum(len(one) for one in used.shelves.values()) == 40_000


def test_a_lone_surrogate_is_an_id_like_others() -> None:
    used = UsedIds(shelves={})
    used.add("\ud800")
    assert used.holds("\ud800")
