from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.chance import Chance, advanced, scrambled, seeded


def test_the_numbers_are_those_of_splitmix64() -> None:
    """The first outputs for seed 1234567 are published with the algorithm."""
    state = 1_234_567
    drawn = []
    for _ in range(5):
        state = advanced(state)
        drawn.append(scrambled(state))
    assert drawn == [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ]


@given(st.integers(), st.integers(1, 2**32))
def test_a_number_stays_below_its_bound_and_the_state_in_64_bits(seed: int, bound: int) -> None:
    chance = seeded(seed)
    assert 0 <= chance.below(bound) < bound
    assert 0 <= chance.state < 2**64


@given(st.integers(), st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_between_holds_both_ends(seed: int, lowest: int, width: int) -> None:
    chance = seeded(seed)
    assert lowest <= chance.between(lowest=lowest, highest=lowest + width) <= lowest + width


def test_between_with_its_ends_the_wrong_way_is_the_lowest() -> None:
    assert seeded(1).between(lowest=5, highest=3) == 5


def test_what_cannot_happen_draws_nothing_and_what_must_always_happens() -> None:
    chance = Chance(state=7)
    assert not chance.happens(0.0)
    assert chance.state == 7
    assert all(chance.happens(1.0) for _ in range(100))


def test_a_chance_of_a_quarter_happens_about_that_often() -> None:
    chance = seeded(3)
    assert 2_300 < sum(chance.happens(0.25) for _ in range(10_000)) < 2_700


def test_a_chance_that_is_no_number_never_happens() -> None:
    assert not seeded(1).happens(float("nan"))
