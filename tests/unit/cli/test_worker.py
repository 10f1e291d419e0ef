"""`tandem worker`: what it prints, and what it refuses."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from tandem.adapters.lan.machines import Certified, Machine, Machines
from tandem.adapters.lan.tokens import read_token
from tandem.cli.main import BAD_INPUT, FAILED, run
from tandem.cli.worker import machine_views, new_token, show_machines, worker_state
from tandem.domain.halting import EvaluatorView
from tandem.domain.ids import SlotId
from tandem.domain.views import WorkerView
from tandem.wiring.home import Home

WORKER = WorkerView(
    name="laptop-1",
    pid=0,
    connected=True,
    confirmed=True,
    slot_id=SlotId("w1"),
    machine="laptop",
)


def tandem(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    import sys

    code = run([*map(str, arguments)], sys.stdout, err=sys.stderr)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_token_says_which_pool_it_is_of(tmp_path: Path) -> None:
    first = new_token(Home(tmp_path / "home"), 10)
    second = new_token(Home(tmp_path / "home"), 10)
    assert first.token != second.token
    assert first.pool_id == second.pool_id
    assert read_token(first.token).fingerprint == read_token(second.token).fingerprint


def test_a_token_is_printed_with_the_command_that_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = tandem(capsys, "worker", "token", "--minutes", 3, "--home", tmp_path / "home")
    assert code == 0
    token = out.splitlines()[0]
    read_token(token)
    assert f"tandem worker join HOST --token {token}" in out
    assert "within 3 minutes" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("token", "--minutes", 0), "0 minutes: expected 1 to 1440"),
        (("join", "tower", "--workers", 0), "--workers 0: expected 1 to 256"),
        (("join", "tower", "--evaluators", 65), "--evaluators 65: expected 0 to 64"),
        (("remove", "laptop"), "no machine 'laptop'; there are: none"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...],
    told: str,
) -> None:
    code, _, err = tandem(capsys, "worker", *arguments, "--home", tmp_path / "home")
    assert (code, err) == (BAD_INPUT, f"tandem: {told}\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("join", "tower", "--token", "tj-abc"), "no join token"),
        (("join", "tower"), "has not joined a pool yet"),
    ],
)
def test_without_a_good_token_a_stranger_does_not_even_call(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...],
    told: str,
) -> None:
    code, _, err = tandem(capsys, "worker", *arguments, "--home", tmp_path / "home")
    assert code == FAILED
    assert told in err


def test_a_machine_is_removed_while_no_pool_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "home")
    new_token(home, 10)
    machine = Machine(name="laptop", key="k", serials=("01",), joined_s=1, expires_s=2)
    Machines(home.lan).add(machine)
    code, out, _ = tandem(capsys, "worker", "remove", "laptop", "--json", "--home", home.folder)
    assert (code, json.loads(out)) == (0, {"removed": "laptop", "drained": 0})
    assert Machines(home.lan).refusal(Certified("laptop", "01"))
    code, _, err = tandem(capsys, "worker", "remove", "laptop", "--home", home.folder)
    assert code == BAD_INPUT
    assert "no machine 'laptop'" in err


def test_machines_are_listed_with_and_without_a_pool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "home")
    new_token(home, 10)
    machine = Machine(name="laptop", key="k", serials=("01",), joined_s=1, expires_s=2)
    Machines(home.lan).add(machine)
    code, out, _ = tandem(capsys, "worker", "list", "--home", home.folder)
    assert code == FAILED
    assert "laptop" in out
    assert "no workers" in out
    shown = machine_views([machine], None)
    text = io.StringIO()
    show_machines(shown, None, text, as_json=True)
    listed = json.loads(text.getvalue())
    assert listed["running"] is False
    assert [one["machine"] for one in listed["machines"]] == [None, "laptop"]


def test_evaluators_are_listed_with_their_computers() -> None:
    """B15: also one whose workers are away."""
    machine = Machine(name="old-laptop", key="k", serials=("01",), joined_s=1, expires_s=2)
    evaluators = [
        EvaluatorView(name=name, is_here=is_here, held=0, waiting=0, is_leaving=is_leaving)
        for name, is_here, is_leaving in (
            ("e1", True, True),
            ("old-laptop-e2", False, False),
        )
    ]
    shown = machine_views([machine], None, evaluators)
    text = io.StringIO()
    show_machines(shown, None, text, as_json=False)
    rows = [line.split("  ") for line in text.getvalue().splitlines()]
    found = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert ["this computer", "e1", "leaving"] in found
    assert ["old-laptop", "old-laptop-e2", "evaluating"] in found


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "trading"),
        ({"slot_id": None}, "spare"),
        ({"confirmed": False}, "setting up"),
        ({"draining": True}, "draining"),
        ({"draining": True, "connected": False}, "away"),
    ],
)
def test_the_state_of_a_worker_is_a_word(changes: dict[str, object], state: str) -> None:
    assert worker_state(msgspec.structs.replace(WORKER, **changes)) == state
