"""Which bugs can be planted, alone and together, and how to run with them."""

import contextlib
from collections.abc import Callable, Iterator

from tandem.sim import planted_algos as algos
from tandem.sim import planted_issuers as issuers
from tandem.sim import planted_links as links
from tandem.sim import planted_orders as orders
from tandem.sim import planted_questions as questions
from tandem.sim import planted_records as records
from tandem.sim import planted_strategies as strategies
from tandem.sim import planted_targets as targets
from tandem.sim.undoing import Undo

BUGS: dict[str, Callable[[], Undo]] = {
    one.__name__: one
    for one in (
        records.effects_before_the_disk,
        records.answers_before_the_disk,
        records.failed_sync_believed,
        records.torn_batch_stays,
        records.next_batch_before_the_last,
        records.commands_not_known,
        records.old_alarms_after_restart,
        records.restart_reconciles_nothing,
        records.halt_ends_with_the_process,
        questions.asks_too_early,
        questions.one_question,
        questions.no_expiry,
        questions.unknown_is_absent,
        questions.no_questions,
        questions.blind_resend,
        questions.refusal_of_resend_settles,
        questions.any_refusal_proves,
        questions.any_send_proves,
        questions.any_worker_proves,
        questions.unknown_order_settles,
        questions.cancels_not_repeated,
        questions.class_b_believes_absence,
        questions.class_c_decided_by_machine,
        questions.class_c_not_blocked,
        questions.late_release_goes_out,
        questions.worker_sends_again_by_itself,
        questions.sends_as_often_as_told,
        orders.unknown_frees_its_price,
        orders.cancel_frees_its_price,
        orders.planned_reserves_no_price,
        orders.market_orders_reserve_nothing,
        orders.no_gate,
        orders.gate_of_each_venue,
        orders.clearing_is_not_awaited,
        orders.fills_counted_twice,
        orders.late_fills_forgotten,
        orders.own_count_at_the_end,
        orders.left_before_final,
        orders.whole_is_tried_again,
        orders.half_a_wave,
        orders.next_slice_at_once,
        orders.unknown_leg_is_hedged,
        orders.failed_leg_is_left,
        orders.inventory_without_limit,
        orders.desk_has_no_limits,
        orders.worker_has_no_limits,
        orders.amend_counts_when_asked,
        orders.anew_before_final,
        algos.iceberg_shows_the_next_piece_early,
        algos.algorithm_forgets_what_was_canceled,
        targets.older_bars_decide_again,
        targets.net_forgets_its_order,
        targets.old_decisions_are_traded,
        targets.late_fills_are_nobodys,
        targets.handed_over_by_nobody,
        targets.handed_over_is_told_to_one,
        targets.resting_orders_keep_strategies_out,
        links.reports_told_once,
        links.acknowledged_before_the_disk,
        links.old_connections_heard,
        links.effects_on_any_connection,
        links.old_epochs_obeyed,
        links.end_of_file_is_death,
        links.silent_is_dead,
        links.deaths_before_restart_unseen,
        links.no_spare_takes_over,
        links.unready_worker_stays,
        links.unanswered_worker_stays,
        links.own_stall_is_their_death,
        links.lease_not_looked_at,
        links.silence_elsewhere_is_death,
        strategies.late_answers_are_believed,
        strategies.outbox_is_forgotten_at_restart,
        strategies.revisions_decide_again,
        strategies.memory_is_lost_when_cold,
        strategies.targets_are_traded_on_top,
        strategies.missed_bars_are_not_told_again,
        strategies.dead_evaluators_keep_their_tasks,
        strategies.who_leaves_takes_its_tasks_along,
        strategies.history_is_read_as_it_is_now,
        strategies.newcomers_hold_nothing_remembered,
        strategies.whoever_leaves_goes_on_trading,
        strategies.dropped_is_believed_taken,
        strategies.later_drops_are_not_told,
        strategies.others_are_read_as_they_are_now,
        strategies.others_before_are_not_told,
        issuers.strategies_keep_old_lots,
        issuers.actions_booked_again,
        issuers.splits_change_no_position,
    )
}

# Seeds far out that see a rare one are tried first. A stall of our own is judged only in worlds
# whose links are calm; the others need a crash or a late message within a few milliseconds.
RARE: dict[str, tuple[int, ...]] = {
    "own_stall_is_their_death": (336,),
    "asks_too_early": (639,),
    "class_b_believes_absence": (247,),
    "end_of_file_is_death": (292,),
}

# Why a mechanism taken away alone does no harm that anybody could see: another one stands in.
MASKED: dict[str, str] = {
    "one_question": "the first question comes when the request is dead and the venue's lag is over",
    "old_epochs_obeyed": "here an account is lost with one's life, elsewhere after all has expired",
    "lease_not_looked_at": "a release is too old for its last moment before a lease can have ended",
    "old_connections_heard": "a late hello nearly always comes before anything was handed out anew",
    "any_send_proves": "the expiry refuses a second sending; without it as well (below) it is seen",
    "others_are_read_as_they_are_now": "a pool reads at once; whoever explains it sees it: tested",
    "class_c_decided_by_machine": "absence told twice, a lag apart, is nearly always true",
}

PAIRS = (
    ("one_question", "asks_too_early"),
    ("asks_too_early", "no_expiry"),
    ("sends_as_often_as_told", "old_epochs_obeyed"),
    ("silent_is_dead", "old_epochs_obeyed"),
    ("any_send_proves", "no_expiry"),
    ("unready_worker_stays", "unanswered_worker_stays"),
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


def is_explained(names: tuple[str, ...]) -> bool:
    """Whether it is known why these bugs do no harm."""
    return len(names) == 1 and names[0] in MASKED
