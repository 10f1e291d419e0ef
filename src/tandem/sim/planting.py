"""Which bugs can be planted, alone and together, and how to run with them."""

import contextlib
from collections.abc import Callable, Iterator

from tandem.sim import planted

BUGS: dict[str, Callable[[], planted.Undo]] = {
    one.__name__: one
    for one in (
        planted.effects_before_the_disk,
        planted.asks_too_early,
        planted.one_question,
        planted.no_expiry,
        planted.unknown_is_absent,
        planted.unknown_frees_its_price,
        planted.no_gate,
        planted.refusal_of_resend_settles,
        planted.any_send_proves,
        planted.any_worker_proves,
        planted.unknown_order_settles,
        planted.fills_counted_twice,
        planted.own_count_at_the_end,
        planted.commands_not_known,
        planted.silent_is_dead,
        planted.sends_as_often_as_told,
        planted.reports_told_once,
        planted.no_questions,
        planted.old_alarms_after_restart,
        planted.deaths_before_restart_unseen,
        planted.grey_worker_stays,
        planted.cancels_not_repeated,
        planted.left_before_final,
        planted.own_stall_is_their_death,
        planted.gate_of_each_venue,
        planted.next_slice_at_once,
        planted.late_fills_forgotten,
        planted.blind_resend,
        planted.old_epochs_obeyed,
        planted.old_connections_heard,
    )
}

# Seeds that see a rare one: a stall is judged only in worlds whose links are calm, and a class B
# order must be handed to a second worker that loses its connection before it reads.
RARE = {"own_stall_is_their_death": (2311,), "any_send_proves": (2204,)}

PAIRS = (
    ("asks_too_early", "one_question"),
    ("asks_too_early", "no_expiry"),
    ("sends_as_often_as_told", "old_epochs_obeyed"),
    ("silent_is_dead", "old_epochs_obeyed"),
    ("any_send_proves", "no_expiry"),
)


@contextlib.contextmanager
def plant(names: tuple[str, ...]) -> Iterator[None]:
    """Run with these bugs in the code."""
    undo = [BUGS[name]() for name in names]
    try:
        yield
    finally:
        for one in reversed(undo):
            one()


def meaning(name: str) -> str:
    """Return what a planted bug takes away."""
    return (BUGS[name].__doc__ or "").strip()
