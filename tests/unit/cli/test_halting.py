"""What a halt says of itself."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from tandem.cli.halt_drill import DrillReport, drill_text
from tandem.cli.halting import report_text, show_report, traded_symbols
from tandem.domain.ids import AccountId, HaltId
from tandem.wiring.halt_file import HaltFile
from tandem.wiring.halting import HaltReport, WorkerHalt
from tandem.wiring.home import Home

A = AccountId("A1")


def worker(**changes: object) -> WorkerHalt:
    row = WorkerHalt(
        name="p1",
        account_id=A,
        stopped_ms=1.25,
        cancels=3,
        cancels_sent_ms=2.0,
        verified_ms=55.0,
        open_orders=0,
        text="",
    )
    return msgspec.structs.replace(row, **changes)


def report(**changes: object) -> HaltReport:
    whole = HaltReport(
        halt=HaltFile(halt_id=HaltId("h"), reason="lunch", at_ns=0),
        machine=False,
        workers=[worker(), WorkerHalt(name="p2", stopped_ms=1.0, text="")],
        durable_ms=0.5,
        coordinator_ms=3.0,
        open_at_venue={A: 0},
        clear_ms=60.0,
    )
    return msgspec.structs.replace(whole, **changes)


def test_a_halt_that_is_verified_says_so_and_exits_with_0() -> None:
    """C14: it reports after it has seen."""
    out = io.StringIO()
    assert show_report(report(), out, as_json=False) == 0
    lines = out.getvalue().splitlines()
    assert lines[1].split() == ["p1", "A1", "1.2", "3", "2.0", "55.0"]
    assert lines[2].split() == ["p2", "-", "1.0", "0", "-", "-"]
    assert "took note after 3.0 ms" in lines[3]
    assert "none open since 60.0 ms" in lines[4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"durable_ms": None}, "NOT durable"),
        ({"open_at_venue": {A: 2}, "clear_ms": None}, "2 ARE OPEN"),
        ({"workers": [worker(verified_ms=None, text="not verified")]}, "not verified"),
        ({"workers": [worker(stopped_ms=None, text="no answer")]}, "no answer"),
    ],
)
def test_a_halt_that_is_not_verified_says_why_and_exits_with_1(
    changes: dict[str, object], said: str
) -> None:
    """C14."""
    out = io.StringIO()
    assert show_report(report(**changes), out, as_json=False) == 1
    assert said in out.getvalue()
    assert "NOT VERIFIED" in out.getvalue()


def test_a_dead_coordinator_is_no_failure_and_a_silent_exchange_is_one() -> None:
    """C9."""
    found = report(coordinator_ms=None)
    assert found.is_verified
    assert "the next one starts halted" in report_text(found)
    assert not report(open_at_venue=None, clear_ms=None).is_verified


def test_a_machine_of_another_pool_answers_for_its_own_workers_only() -> None:
    """C9: where the halt stands is the coordinator's business, and so is the exchange."""
    rest: dict[str, object] = {"durable_ms": None, "coordinator_ms": None, "clear_ms": None}
    found = report(machine=True, open_at_venue=None, **rest)
    assert found.is_verified
    assert "tell their coordinator" in report_text(found)
    assert "NOT durable" not in report_text(found)
    assert not report(machine=True, workers=[], **rest).is_verified


def test_a_program_gets_the_same_as_data() -> None:
    out = io.StringIO()
    assert show_report(report(), out, as_json=True) == 0
    found = json.loads(out.getvalue())
    assert found["verified"] is True
    assert found["report"]["workers"][0]["cancels_sent_ms"] == 2.0


def drill(**changes: object) -> DrillReport:
    good = DrillReport(
        orders=1_000,
        accounts=8,
        killed_pid=7,
        halt=report(),
        stopped_ms=20.0,
        sent_ms=60.0,
        ended=1_000,
        last_ended_ms=70.0,
        back_ms=200.0,
        started_halted=True,
        resumed=True,
    )
    return msgspec.structs.replace(good, **changes)


def test_a_drill_is_good_within_its_times() -> None:
    """C9."""
    assert drill().is_good
    assert "the drill was good" in drill_text(drill())
    assert "process 7" in drill_text(drill())
    assert "new coordinator" not in drill_text(drill(killed_pid=None, back_ms=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"stopped_ms": 100.1},
        {"stopped_ms": None},
        {"sent_ms": 1_000.1},
        {"sent_ms": None},
        {"last_ended_ms": 1_000.1},
        {"last_ended_ms": None},
        {"ended": 999},
        {"started_halted": False},
        {"resumed": False},
        {"halt": report(durable_ms=None)},
    ],
)
def test_a_drill_fails_when_anything_is_late_or_missing(changes: dict[str, object]) -> None:
    """C9."""
    assert not drill(**changes).is_good
    assert "THE DRILL FAILED" in drill_text(drill(**changes))


def test_where_no_exchange_s_file_can_be_read_every_word_is_a_reason(tmp_path: Path) -> None:
    """C14: a halt of everything is the safe one of two mistakes."""
    home = Home(tmp_path)
    assert traded_symbols(home) == set()
    home.paper_file.write_text("{", encoding="utf-8")
    assert traded_symbols(home) == set()
