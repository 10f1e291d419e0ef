"""How many tenants' processes an evaluator may have.

B2.
"""

import resource

import pytest

from tandem.messaging.balancer import Rules
from tandem.wiring.tenant_room import processes_here, room

GB = 1 << 30


@pytest.mark.parametrize(
    ("memory_bytes", "files", "processes", "needed"),
    [
        (24 * GB, 524_288, 614, 2_712),
        (160 * GB, -1, 4_096, 16_640),
        (24 * GB, 1_024, 192, 1_024),
        (1 * GB, 524_288, 65, 516),
        (24 * GB, 300, 65, 300),
    ],
)
def test_a_quarter_of_the_memory_is_for_tenants_as_far_as_files_suffice(
    memory_bytes: int, files: int, processes: int, needed: int
) -> None:
    assert room(memory_bytes, files=files) == (processes, needed)


def test_there_is_a_process_for_every_task_that_may_be_here_at_once() -> None:
    assert room(0, files=0)[0] > Rules().window_max


def test_here_there_is_room_and_the_limit_on_files_suffices_for_it() -> None:
    processes = processes_here()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert processes > Rules().window_max
    assert soft in (resource.RLIM_INFINITY, hard) or soft >= 4 * processes
