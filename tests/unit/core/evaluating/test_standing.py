"""Who has proved himself, and who goes behind.

B17, F22.
"""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.evaluating.standing import Rank, Standings
from tandem.domain.evaluation import TenantId

BOB, EVE, MALLORY = TenantId("bob"), TenantId("eve"), TenantId("mallory")


def behind(name: TenantId) -> Rank:
    return Rank(tenant=name, is_behind=True)


def along(name: TenantId) -> Rank:
    return Rank(tenant=name, is_behind=False)


def with_bob_proved() -> Standings:
    standings = Standings(proof=2)
    standings.on_open(BOB)
    assert standings.on_evaluated(BOB) == []
    assert standings.on_evaluated(BOB) == []
    return standings


def test_a_tenant_that_is_alone_is_never_behind() -> None:
    standings = Standings(proof=2)
    assert not standings.on_open(BOB)
    assert standings.on_slow(BOB) == []
    assert not standings.is_behind(BOB)


def test_who_has_proved_nothing_begins_behind_one_who_has() -> None:
    standings = with_bob_proved()
    assert standings.on_open(EVE)
    assert standings.is_behind(EVE)
    assert not standings.is_behind(BOB)


def test_who_has_proved_himself_goes_with_the_others() -> None:
    standings = with_bob_proved()
    standings.on_open(EVE)
    assert standings.on_evaluated(EVE) == []
    assert standings.on_evaluated(EVE) == [along(EVE)]
    assert standings.on_evaluated(EVE) == []
    standings.on_end(EVE)
    assert not standings.on_open(EVE)


def test_the_first_who_proves_himself_puts_all_others_behind() -> None:
    standings = Standings(proof=1)
    for name in (EVE, BOB, MALLORY):
        standings.on_open(name)
    standings.on_end(MALLORY)
    assert standings.on_evaluated(BOB) == [behind(EVE)]


def test_who_is_slow_proves_himself_anew() -> None:
    standings = with_bob_proved()
    standings.on_open(EVE)
    standings.on_evaluated(EVE)
    standings.on_evaluated(EVE)
    assert standings.on_slow(EVE) == [behind(EVE)]
    assert standings.on_slow(EVE) == []
    assert standings.on_evaluated(EVE) == []
    assert standings.on_evaluated(EVE) == [along(EVE)]


def test_who_is_kept_waiting_goes_with_the_others_until_he_is_slow() -> None:
    standings = with_bob_proved()
    standings.on_open(EVE)
    assert standings.on_kept_waiting(EVE) == [along(EVE)]
    assert standings.on_kept_waiting(EVE) == []
    assert standings.on_slow(EVE) == [behind(EVE)]


def test_of_a_process_that_is_no_more_nothing_is_said() -> None:
    standings = with_bob_proved()
    standings.on_open(EVE)
    standings.on_end(EVE)
    assert standings.on_slow(EVE) == []
    assert standings.on_kept_waiting(EVE) == []


NAMES = st.sampled_from([BOB, EVE, MALLORY])
STEPS = st.lists(
    st.tuples(st.sampled_from(["open", "end", "evaluated", "slow", "kept_waiting"]), NAMES),
    max_size=60,
)


@given(STEPS)
def test_what_was_told_is_what_stands(steps: list[tuple[str, TenantId]]) -> None:
    """Whoever follows what is told knows who is behind, and never hears what he knows."""
    standings = Standings(proof=2)
    told: dict[TenantId, bool] = {}
    for what, name in steps:
        answer = getattr(standings, f"on_{what}")(name)
        match answer:
            case bool():
                told[name] = answer
            case None:
                told.pop(name, None)
            case _:
                for rank in answer:
                    assert told[rank.tenant] is not rank.is_behind
                    told[rank.tenant] = rank.is_behind
        assert all(standings.is_behind(one) is is_behind for one, is_behind in told.items())
