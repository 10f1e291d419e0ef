"""Many seeds: `python -m tandem.sim.campaign --seeds 300 --first 1`.

Prints how often each interesting thing happened, and fails when a seed shows a violation or when
something that the seeds are there to show never happened.
"""

import argparse
import gc
import multiprocessing
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing.pool import AsyncResult, Pool

import msgspec

from tandem.sim.planting import BUGS, MASKED, PAIRS, RARE, is_explained, meaning, plant
from tandem.sim.scenario import Result, run_seed

# What must have happened somewhere in a campaign of any size worth the name.
SELDOM = {"amends_too_late": 1_500}  # once in 200 seeds: asked only of so many
INTERESTING = {
    "takeovers": "a spare took an account over",
    "unknown": "an attempt became UNKNOWN",
    "unknown_settled_absent": "UNKNOWN settled: it was never there",
    "unknown_proved_live": "UNKNOWN settled: it lives",
    "unknown_found_ended": "UNKNOWN settled: it had ended there",
    "unknown_settled_never_sent": "UNKNOWN settled: its worker never had it",
    "released_again": "released again before its last moment",
    "resends": "class B: sent again under a new number",
    "for_person": "class C: a person was asked",
    "starts: coordinator": "starts of the coordinator",
    "starts: exchange": "starts of an exchange",
    "starts: worker": "starts of a worker",
    "leg_failures": "one leg of a pair traded more than the other",
    "legs_hedged": "… and was hedged",
    "legs_unwound": "… and was unwound",
    "pairs_halted": "… and halted the pair",
    "algos_twap": "a TWAP",
    "algos_iceberg": "an iceberg",
    "algos_participate": "a share of the volume",
    "algos_momentum": "a momentum algorithm",
    "algos_stop": "a stop held by the desk",
    "algos_bracket": "a bracket",
    "algos_make_market": "quoting around the middle",
    "seen: algorithms that traded": "… of all those, such as traded, by the exchanges' books",
    "seen: iceberg pieces accepted": "… and pieces of icebergs that an exchange accepted",
    "targets_taken": "a decision of a strategy",
    "targets_repeated": "… that came again",
    "targets_overtaken": "… and one that came after a newer one",
    "targets_dropped": "… and one that was too old to be carried out",
    "targets_canceled": "… and one that a person canceled",
    "seen: assignments with gains of their own": "… and an assignment that gained or lost by it",
    "targets_handed": "what one strategy handed to another inside an account",
    "strategies: bars decided": "a bar decided on, by strategies in evaluators",
    "strategies: bars corrected": "… and a bar corrected after it was published",
    "strategies: gaps asked for": "… and minutes left out that were asked for",
    "strategies: kills of market": "a market process killed",
    "strategies: kills of evaluator": "an evaluator killed",
    "strategies: keys held before work came": "… and what its next life held before work came",
    "strategies: evaluators that hold something else": "… or held otherwise than it was given",
    "strategies: evaluators added": "… and one more, because bars waited",
    "strategies: evaluators that left": "… and one that left, because fewer were enough",
    "strategies: tasks done again elsewhere": "… with a task that another one did",
    "strategies: outcomes too late": "an evaluator's outcome when another one had the task",
    "strategies: answers repeated": "… and an answer that came twice",
    "strategies: answers that are none": "… and one that was none",
    "strategies: evaluations that hung or ended": "a strategy that hung, or ended its process",
    "strategies: commands of the decider repeated": "a command that the decider said again",
    "strategies: positions reached": "a position that was decided on, and held in the end",
    "strategies: positions dropped by the desk": "a position that the desk dropped",
    "strategies: positions said again": "… and one that was said again unasked",
    "strategies: positions said again at once": "… as a newer bar decided it, without another one",
    "strategies: decisions that looked at others": "a decision that looked at another instrument",
    "strategies: full disks of the market": "a full disk of the market process",
    "strategy_orders": "an order that a strategy asked for by itself",
    "strategy_stops_hit": "a strategy's stop that was reached",
    "seen: orders placed for a decision": "… for a decision, and not as a way out",
    "seen: orders that traded for strategies": "… of all those, such as traded, by the exchanges",
    "dividends_booked": "a dividend that an account got, or owed",
    "splits_booked": "a split of what an account trades",
    "quotes_of_another_scale": "… and a price that came before, or after, an account knew of it",
    "seen: lots of strategies compared across a split": "… and what strategies were left with",
    "algos_paused": "an algorithm that was paused",
    "algos_resumed": "… and resumed",
    "algos_replaced": "an algorithm whose quantity or limit was replaced",
    "decisions_too_old": "a decision that was too old to be good",
    "replaces_lowering": "an order that was to be lowered where it is",
    "seen: amendments asked for": "… and an amendment that reached its exchange",
    "amends_by_query": "… that only a question found obeyed",
    "amends_too_late": "… that came when as much had traded",
    "attempts_remade": "… and an attempt that was placed anew instead",
    "replaces_anew": "an order that was to be canceled and placed anew",
    "replaces_done": "… of both, such as came to what was asked",
    "clearings": "own resting orders were canceled to make way",
    "refused_self_trade": "refused: it could meet an own order",
    "refused: funds": "refused: funds",
    "refused: halted": "refused: halted",
    "refused: disk_full": "refused: the disk was full",
    "venue_refused_expired_request": "overfill averted: a request came after its expiry",
    "duplicates_found": "overfill averted: the venue knew the id",
    "nemesis: stuck worker": "a worker cut off its venue for as long as it lived",
    "nemesis: break": "a connection broken, its last words late",
    "refused_resends": "a refused second send, which proves nothing",
    "fills_repeated": "a fill told twice",
    "fills_by_query": "a fill that no report told",
    "fills_after_end": "a fill after its order's end",
    "reports_contradictory": "a contradictory report",
    "cancels_unknown_order": "a cancel that overtook its order, or its order's loss",
    "commands_repeated": "a command asked twice",
    "grey_workers": "a worker that answered us but not for its venue",
    "workers_silent": "a worker that hung",
    "pieces_moved": "what a child left went to another account",
    "nemesis: pause": "a process stopped and went on",
    "nemesis: cut": "a link cut for a time",
    "nemesis: power cut": "a power cut",
    "nemesis: sleep": "a worker's computer slept",
    "nemesis: freeze beyond a lease": "a worker elsewhere stood still beyond its lease",
    "halts by hand": "a person halted the workers themselves",
    "workers halted by hand": "… and so many of them heard it",
    "orders of others": "an order of a second program on an account of ours",
    "external_fills": "… and its execution, booked as external",
    "leases_lapsed": "an account that only a lease could free",
    "takeovers_averted": "a worker elsewhere that was heard of again in time",
    "accounts_given_back": "an account that was given back",
    "nemesis: disk failed": "a disk that did not confirm: the process ended itself",
    "nemesis: full disk": "a full disk",
}
SEEDS_FOR_ALL = 300  # a smaller campaign may miss rare things
AT_ONCE = 4  # seeds tried at a time with one bug: a little more than there are cores


def results(seeds: Iterable[int], *, processes: int) -> Iterator[Result]:
    """Yield the result of each seed, in order."""
    if processes < 2:
        yield from map(run_one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, spare_code) as pool:
        yield from pool.imap(run_one, seeds)


def spare_code() -> None:
    """Look for garbage among what worlds leave behind, not in all that was imported."""
    gc.collect()
    gc.freeze()


def run_one(seed: int) -> Result:
    """Run one seed without leaving its world behind."""
    result = run_seed(seed)
    gc.collect()
    return result


def run_planted(names: tuple[str, ...], seed: int) -> str | None:
    """Run one seed with bugs planted; return what was seen, None when nothing was."""
    with plant(names):
        try:
            result = run_seed(seed, until_bad=True)
        except AssertionError as error:
            return f"an assertion of our own: {error}"
    gc.collect()
    if not result.violations:
        return None
    first = result.violations[0]
    return f"{first.invariant}: {first.text}"


class Finding(msgspec.Struct, frozen=True):
    """The first seed that sees planted bugs, and what it saw."""

    seed: int
    text: str


def first_seen(names: tuple[str, ...], seeds: range, workers: Pool) -> Finding | None:
    """Return the first seed that sees these bugs; seeds known to see them are tried first.

    For what is explained a quarter of the seeds is enough.
    """
    if is_explained(names):
        seeds = seeds[: max(1, len(seeds) // 4)]
    rare = RARE.get("+".join(names), ())
    waiting = iter((*rare, *seeds))
    running: deque[tuple[int, AsyncResult[str | None]]] = deque()
    while True:
        while len(running) < AT_ONCE and (seed := next(waiting, None)) is not None:
            running.append((seed, workers.apply_async(run_planted, (names, seed))))
        if not running:
            return None
        seed, result = running.popleft()
        text = result.get()
        if text is not None:
            return Finding(seed, " ".join(text.split()))


def plant_all(seeds: range, *, processes: int) -> int:
    """Print for each planted bug the first seed that sees it; 1 when too little is seen.

    Of the bugs alone, and of all with the pairs, nine of ten must be seen, and whatever is not
    seen must be explained.
    """
    unseen: list[tuple[str, ...]] = []
    alone = [(one,) for one in BUGS]
    with multiprocessing.get_context("spawn").Pool(processes, spare_code) as workers:
        for names in (*alone, *PAIRS):
            found = first_seen(names, seeds, workers)
            text = "not seen" if found is None else f"seed {found.seed:<5} {found.text[:80]}"
            print(f"{' + '.join(names):<46} {text}", flush=True)
            if found is None:
                unseen.append(names)
            if len(names) == 1:
                print(f"    {meaning(names[0])}")
    unseen_alone = [names for names in unseen if len(names) == 1]
    total = len(alone) + len(PAIRS)
    print(
        f"seen: {len(alone) - len(unseen_alone)} of {len(alone)} alone, "
        f"{total - len(unseen)} of {total} with pairs, within {len(seeds)} seeds"
    )
    for names in unseen:
        why = MASKED[names[0]] if is_explained(names) else "NOT EXPLAINED"
        print(f"not seen: {' + '.join(names)}: {why}")
    few = len(unseen_alone) * 10 > len(alone) or len(unseen) * 10 > total
    return 1 if few or not all(is_explained(names) for names in unseen) else 0


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign and print what it showed; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--planted", action="store_true", help="take mechanisms away, one by one")
    options = parser.parse_args(arguments)
    if options.planted:
        seeds = range(options.first, options.first + options.seeds)
        return plant_all(seeds, processes=options.processes)
    began = time.perf_counter()
    counters: Counter[str] = Counter()
    bad: list[Result] = []
    done = 0
    callbacks = 0
    wanted = range(options.first, options.first + options.seeds)
    for result in results(wanted, processes=options.processes):
        done += 1
        callbacks += result.callbacks
        counters.update(result.counters)
        if result.violations:
            bad.append(result)
            _say_violations(result)
        if done % 100 == 0:
            print(f"{done} seeds, {len(bad)} bad, {time.perf_counter() - began:.0f} s", flush=True)
    spent_s = time.perf_counter() - began
    never = _say_counters(counters, done)
    each_s = spent_s / max(1, done)
    print(
        f"{done} seeds from {options.first}: {len(bad)} with violations; {spent_s:.0f} s on "
        f"{options.processes} cores, {each_s * options.processes:.2f} core seconds a seed, "
        f"{callbacks // max(1, done)} callbacks a seed"
    )
    if never and done >= SEEDS_FOR_ALL:
        print(f"never happened: {', '.join(never)}")
    return 1 if bad or (never and done >= SEEDS_FOR_ALL) else 0


def _say_violations(result: Result) -> None:
    print(f"seed {result.seed}:")
    for one in result.violations[:5]:
        print(f"  {one.invariant} at {one.at_ns / 1e9:.3f} s: {one.text}")
    sys.stdout.flush()


def _say_counters(counters: Counter[str], seeds: int) -> list[str]:
    print(f"{'how often':>10}  what, over {seeds} seeds")
    for key, words in INTERESTING.items():
        print(f"{counters[key]:>10}  {words}")
    others = {key: count for key, count in counters.items() if key not in INTERESTING}
    for key in sorted(others):
        print(f"{others[key]:>10}  ({key})")
    return [one for one in INTERESTING if not counters[one] and seeds >= SELDOM.get(one, 0)]


if __name__ == "__main__":
    sys.exit(main())
