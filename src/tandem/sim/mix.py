"""What a seed draws: the pool, its limits, and which faults rage how often.

Many seeds see many different worlds: some with one fault only, some with all of them.
"""

import random

import msgspec

from tandem.domain.bundle import Bundle
from tandem.domain.desk import MS, SECOND, DeskSettings
from tandem.domain.order import FenceClass
from tandem.domain.venue import Misbehavior
from tandem.sim.cluster import Plan
from tandem.sim.world import ClockFaults, DiskFaults, Faults, NetworkFaults, ProcessFaults

HONEST = Misbehavior()
# The gate of a worker is the narrower one, so that both gates have something to refuse.
WHOLE_LOTS_MAX = 150
ORDER_LOTS_MAX = 45


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Which faults this seed has, and how often they come."""

    faults: Faults
    kill_every_s: float
    pause_every_s: float
    break_every_s: float
    exchange_kill_chance: float
    coordinator_kill_chance: float
    crash_point_chance: float
    full_disk_chance: float
    power_cut_chance: float
    power_cut_last: bool  # one more, when the faults end
    lies: Misbehavior


def draw_plan(seed: int, draws: random.Random) -> Plan:
    """Return the pool of a seed."""
    # A stream of its own, so that the pools of other seeds stay what they were.
    elsewhere = random.Random(f"{seed} elsewhere").choice((0, 0, 0, 3, 5, 9))
    mostly = draws.choice(("A", "A", "AAB", "AAAB", "AABC"))
    return Plan(
        one_market=draws.random() < 0.5,
        fence_classes=tuple(FenceClass(draws.choice(mostly)) for _ in range(8)),
        workers=draws.choice((9, 9, 10, 11)),
        read_lag_ns=draws.choice((0, 20 * MS, 45 * MS)),
        latency_ns_max=draws.choice((0, 2 * MS, 20 * MS)),
        elsewhere=elsewhere,
    )


def draw_mix(seed: int, draws: random.Random) -> Mix:
    """Return the faults of a seed."""
    some = draws.choice
    # A stream of its own, so that the other faults of a seed stay what they were.
    unasked = random.Random(f"{seed} canceled unasked")
    network = NetworkFaults(
        latency_ns=(20_000, some((100_000, 2 * MS))),
        delay_chance=some((0.0, 0.005, 0.03)),
        delay_ns=(1 * MS, some((300, 300, 900)) * MS),
        break_chance=some((0.0, 0.0005, 0.003)),
        late_chance=some((0.0, 0.3, 0.8)),
        connect_refused_chance=some((0.0, 0.05)),
        connect_delay_chance=some((0.0, 0.1)),
        drop_chance=some((0.0, 0.0, 0.001)),
        repeat_chance=some((0.0, 0.001, 0.01)),
        swap_chance=some((0.0, 0.0, 0.001)),
        split_chance=some((0.0, 0.05)),
    )
    disk = DiskFaults(
        stall_chance=some((0.0, 0.01)),
        inline_chance=some((0.0, 0.5, 1.0)),
        fail_chance=some((0.0, 0.0, 0.0005)),
        kill_loss_chance=some((0.0, 0.3)),
    )
    clock = ClockFaults(
        rate_error_ppb_max=some((0, 50_000)),
        market_skew_ns_max=some((0, 5 * SECOND)),
        uptime_ns_max=10_000 * SECOND,
    )
    lies = Misbehavior(
        lose_report=some((0.0, 0.02, 0.1)),
        repeat_report=some((0.0, 0.05, 0.2)),
        delay_report=some((0.0, 0.05, 0.2)),
        contradict=some((0.0, 0.02, 0.1)),
        lose_request=some((0.0, 0.02, 0.1)),
        reject=some((0.0, 0.02, 0.1)),
        unclear=some((0.0, 0.02, 0.1)),
        delay_ns_max=some((50 * MS, 500 * MS, 2 * SECOND)),
        read_lag_ns=some((0, 40 * MS)),
        skew_ns=some((-30 * MS, 0, 30 * MS)),
        cancel_unasked=unasked.choice((0.0, 0.1, 0.4)),
    )
    return Mix(
        faults=Faults(
            network=network,
            disk=disk,
            clock=clock,
            processes=ProcessFaults(pid_reuse_chance=some((0.0, 0.3))),
        ),
        kill_every_s=some((4.0, 10.0, 30.0)),
        pause_every_s=some((5.0, 15.0, 60.0)),
        break_every_s=some((4.0, 20.0)),
        exchange_kill_chance=some((0.0, 0.1)),
        coordinator_kill_chance=some((0.1, 0.3)),
        crash_point_chance=some((0.0, 0.0003, 0.001)),
        full_disk_chance=some((0.0, 0.0, 0.5)),
        power_cut_chance=some((0.0, 0.0, 0.3)),
        power_cut_last=random.Random(f"{seed} power cut at last").random() < 0.2,
        lies=lies,
    )


def limited(settings: DeskSettings) -> DeskSettings:
    """Return the settings with limits that some orders break, of the desk and of its workers."""
    keys = [one.instrument_id for one in settings.instruments]
    bundle = msgspec.msgpack.decode(settings.bundle, type=Bundle)
    of_worker = msgspec.structs.replace(
        bundle.limits, max_quantity=dict.fromkeys(keys, ORDER_LOTS_MAX)
    )
    of_desk = msgspec.structs.replace(
        settings.limits, max_quantity=dict.fromkeys(keys, WHOLE_LOTS_MAX)
    )
    bundle = msgspec.structs.replace(bundle, limits=of_worker)
    return msgspec.structs.replace(settings, limits=of_desk, bundle=msgspec.msgpack.encode(bundle))
