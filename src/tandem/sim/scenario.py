"""One seed: a minute of faults over eight accounts, then calm, and everything must be settled.

What rages is drawn from the seed (`tandem.sim.mix`); see `tandem.sim.checker` for what must be
true.
"""

import random
from collections import Counter

import msgspec

from tandem.core.trading.risk import TradingState
from tandem.domain.desk import MS, SECOND
from tandem.domain.errors import DiskFailedError, DiskFullError
from tandem.sim.algo_load import algo_intentions
from tandem.sim.checker import Checker, Violation
from tandem.sim.cluster import Cluster
from tandem.sim.issuer import Issuer
from tandem.sim.load import Intention, Trader, intentions
from tandem.sim.mix import HONEST, Mix, draw_mix, draw_plan, limited
from tandem.sim.nemesis import FAULTS_NS, Liar, Nemesis
from tandem.sim.outsider import Outsider
from tandem.sim.person import Person
from tandem.sim.process import Killed
from tandem.sim.strategies import SimulatedStrategies
from tandem.sim.strategy_checker import StrategyChecker
from tandem.sim.strategy_load import strategy_intentions
from tandem.sim.target_load import target_intentions
from tandem.sim.terms_load import terms_intentions
from tandem.sim.world import CALM, World, story

CALM_NS = 60 * SECOND
CANCEL_NS = 5 * SECOND  # of calm, after which the trader cancels whatever is open
RUNG_NS = 3 * SECOND  # in which the market's last minutes are decided on, and traded
AUDITED_NS = 30 * SECOND  # in which whatever others traded is found, seen twice and booked
PATIENT_NS = 20 * SECOND  # after a late power cut: whatever has a deadline must keep it first


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one seed showed."""

    seed: int
    trace_hash: str
    violations: list[Violation]
    counters: dict[str, int]
    callbacks: int
    settled_ns: int


def run_seed(seed: int, *, keep_trace: bool = False, until_bad: bool = False) -> Result:
    """Run one seed and return what was seen; a violation is no exception.

    `until_bad` ends the run soon after the first violation.
    """
    draws = random.Random(f"{seed} scenario")
    plan, mix = draw_plan(seed, draws), draw_mix(seed, draws)
    with World(seed, faults=mix.faults, keep_trace=keep_trace) as world:
        cluster = Cluster(world, plan)
        cluster.settings = limited(cluster.settings)
        checker = Checker(cluster)
        simulated = SimulatedStrategies(cluster, seed, until_ns=FAULTS_NS)
        strategies = StrategyChecker(checker, simulated)
        decided = target_intentions(seed, until_ns=50 * SECOND)
        decided += strategy_intentions(seed, until_ns=50 * SECOND)
        intended = [*_intended(seed, draws), *decided]
        trader = Trader(sorted(intended, key=lambda one: one.at_ns), workers=plan.workers)
        trader.number_of = checker.number_of
        liar = Liar(cluster, seed)
        nemesis = Nemesis(cluster, mix)
        person = Person(cluster, trader, seed)
        outsider = Outsider(cluster, seed)
        issuer = Issuer(cluster, seed)
        cluster.start()
        simulated.start()
        world.spawn("trader", "home", trader.run)
        world.spawn("liar", "home", liar.run)
        checker.is_needless = nemesis.is_needless
        for start in (nemesis.start, person.start, outsider.start, issuer.start):
            start()
        world.run(3 * SECOND)
        liar.lies = mix.lies
        settled_ns = 0
        while world.now_ns < FAULTS_NS and not (until_bad and checker.violations):
            world.run(min(world.now_ns + SECOND, FAULTS_NS))
        if not (until_bad and checker.violations):
            _calm_down(cluster, liar)
            if not (decided and outsider.trades):  # an idle worker is not found to be cut off
                nemesis.stick_again()
            cancel_ns, rest_ns = _spans_ns(mix, outsider, decides=bool(decided))
            simulated.calm_down(cancel_ns)
            settled_ns = _settle(strategies, trader, cancel_ns, rest_ns=rest_ns)
            checker.check_end()
            strategies.check_end()
            _judge(cluster, checker, trader)
        return Result(
            seed=seed,
            trace_hash=world.trace_hash,
            violations=checker.violations,
            counters=dict(
                _counters(cluster, checker, nemesis, trader)
                + person.done
                + outsider.done
                + issuer.done
                + strategies.counters
            ),
            callbacks=world.loop.callbacks_count,
            settled_ns=settled_ns,
        )


def _intended(seed: int, draws: random.Random) -> list[Intention]:
    """Return what the trader will want by himself."""
    found = intentions(draws, count=draws.randint(15, 40), until_ns=55 * SECOND)
    # Of their own chance, so that the rest of a seed's story does not hang on them.
    found += algo_intentions(random.Random(f"{seed} algorithms"), until_ns=45 * SECOND)
    return found + terms_intentions(random.Random(f"{seed} terms"), until_ns=50 * SECOND)


def _spans_ns(mix: Mix, outsider: Outsider, *, decides: bool) -> tuple[int, int]:
    """Return when in the calm everything is canceled, and how long that goes on at least."""
    cancel_ns = PATIENT_NS if mix.power_cut_last else CANCEL_NS
    rest_ns = RUNG_NS if decides else SECOND
    if outsider.trades:
        outsider.is_ending = True
        if decides:  # a stop may trade at any time until then, and audits wait for that
            rest_ns = AUDITED_NS
        else:
            cancel_ns = AUDITED_NS
    return cancel_ns, rest_ns


def _judge(cluster: Cluster, checker: Checker, trader: Trader) -> None:
    """Judge what was told to the trader, and how processes ended."""
    for line in trader.contradictions:
        checker.bad("answers", text=line)
    checker.check_told(trader.taken)
    if not trader.is_answered:
        checker.bad("I2", text=f"never answered: {list(trader.open)}")
    for ended in cluster.world.ended:
        if ended.error is not None and not _is_disk(ended.error):
            checker.bad("crash", text=story(ended)[-600:])
    for name, fault in cluster.faults:
        if not isinstance(fault, DiskFailedError | DiskFullError):
            checker.bad("crash", text=f"{name}: {type(fault).__name__}: {fault}")
    for complaint in cluster.world.complaints:
        if not isinstance(complaint.error, Killed):  # the dead may complain
            checker.bad("crash", text=str(complaint)[-600:])


def _is_disk(error: BaseException) -> bool:
    """Whether a process ended because its disk failed it or had no room, as it must."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return isinstance(error, DiskFailedError | DiskFullError)


def _calm_down(cluster: Cluster, liar: Liar) -> None:
    world = cluster.world
    world.faults = CALM
    world.crash_points.hook = None
    world.network.heal_all()
    liar.lies = HONEST
    world.folder("coordinator", machine="home").capacity_bytes = None
    for name in (*cluster.names, "trader", "liar"):
        world.resume(name)


def _settle(strategies: StrategyChecker, trader: Trader, cancel_ns: int, *, rest_ns: int) -> int:
    """Let the calm world run until everything is settled; return how long that took.

    `rest_ns` is how long it goes on at least after everything was canceled.
    """
    checker = strategies.checker
    cluster = checker.cluster
    world = cluster.world
    began_ns = world.now_ns
    world.after(cancel_ns, checker.check_lifetimes)
    world.after(cancel_ns, trader.cancel_all)
    if strategies.strategies.is_on:
        world.after(cancel_ns, _resume, checker, trader)
    calm_ns = 0
    while calm_ns < CALM_NS:
        world.run_for(500 * MS)
        calm_ns = world.now_ns - began_ns
        _explain(checker, trader)
        if calm_ns > 25 * SECOND:
            _ask_person(checker, trader)
        is_settled = checker.is_settled and strategies.is_settled and trader.is_answered
        if is_settled and calm_ns > cancel_ns + rest_ns:
            break
    settled_ns = world.now_ns - began_ns
    for _ in range(100):
        coordinator = cluster.coordinator
        if coordinator is not None and coordinator.recording.is_idle:
            break
        world.run_for(1 * MS)
    return settled_ns


def _resume(checker: Checker, trader: Trader) -> None:
    """Somebody lifts the halt of a person who is not there any more, so that strategies trade."""
    if checker.desk.state.exposure.state is TradingState.HALTED:
        trader.resume("resume-at-last")


def _explain(checker: Checker, trader: Trader) -> None:
    """Somebody knows what others did on an account."""
    for seat in checker.desk.state.seats.values():
        for unit, found in seat.external.unexplained.items():
            trader.explain(seat.account_id, unit=unit, since_ns=found.since_ns)


def _ask_person(checker: Checker, trader: Trader) -> None:
    """Somebody looks at the venue, and says of an order that is not there that it never came."""
    known = {
        record.order.client_order_id
        for shell in checker.cluster.exchanges.values()
        for account in shell.core.state.accounts
        for record in account.records.values()
    }
    for key, attempt in checker.desk.state.attempts.items():
        if attempt.for_person and key not in known:
            trader.resolve(key)


def _counters(cluster: Cluster, checker: Checker, nemesis: Nemesis, trader: Trader) -> Counter[str]:
    counters: Counter[str] = Counter()
    assert cluster.coordinator is not None, "no coordinator was started"
    for key, count in cluster.coordinator.desk.state.counters.items():
        counters[key] += count
    for shell in cluster.workers.values():
        for key, count in shell.core.counters.items():
            counters[f"worker: {key}"] += count
    for key, count in cluster.dropped.items():
        counters[key] += count
    for key, count in nemesis.done.items():
        counters[f"nemesis: {key}"] += count
    counters["nemesis: disk failed"] += sum(
        isinstance(fault, DiskFailedError) for _, fault in cluster.faults
    )
    for key, count in cluster.restarts.items():
        counters[f"starts: {key}"] += count
    for refused in trader.refused.values():
        counters[f"refused: {refused.reason}"] += 1
    seen = checker.seen + checker.algos.seen + checker.targets.seen
    counters.update({f"seen: {key}": count for key, count in seen.items()})
    return counters
