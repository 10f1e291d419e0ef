"""`tandem worker`: other computers join the pool with their workers, and leave it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TextIO

import msgspec
from cyclopts import App, Parameter

from tandem.adapters.lan.machines import Machine, Machines
from tandem.adapters.local.clock import SystemClock
from tandem.cli.asking import ask_desk, tell_desk
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import table, write_json
from tandem.domain.commands import DrainWorker
from tandem.domain.errors import ConfigurationError, CoordinatorUnreachableError
from tandem.domain.halting import EvaluatorView
from tandem.domain.views import StatusView, WorkerView
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.home import Home
from tandem.wiring.leaving import drain_machine
from tandem.wiring.strategies import EVALUATORS_MAX, is_installed, require_strategies

app = new_app()
worker = App(
    name="worker", help="Let other computers join with their workers; list, drain, remove."
)
app.command(worker)
WORKERS_MAX = 256
STANDARD_INPUT = "-"
Minutes = Annotated[int, Parameter(name="--minutes")]


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A join token, shown once."""

    token: str
    pool_id: str
    minutes: int


@Parameter(name="*")
@dataclass(frozen=True)
class Hosted:
    """How many processes of each kind a joined computer runs.

    Attributes:
        workers: How many worker processes.
        evaluators: How many processes evaluate the pool's strategies; unless given, all processors
            but one have one each, where all is installed that they need; 0 for none.
    """

    workers: int = 1
    evaluators: int | None = None


class MachineView(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that may join, and its workers and evaluators that are in the pool now."""

    machine: str | None  # None: this computer
    expires_s: int | None
    workers: tuple[WorkerView, ...]
    evaluators: tuple[EvaluatorView, ...] = ()


@worker.command
def token(*, minutes: Minutes = 10, home: HomeOption = None, json: JsonOption = False) -> int:
    """Print a join token: for one computer, once, and for a few minutes only.

    Args:
        minutes: How long it may be used.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        view = new_token(home_of(home), minutes)
        if json:
            write_json(view, sys.stdout)
        else:
            sys.stdout.write(
                f"{view.token}\n\nwithin {minutes} minutes, on the computer that is to join:\n"
                f"  tandem worker join HOST --token {view.token}\n"
            )
        return OK

    return finish(act)


def new_token(home: Home, minutes: int) -> TokenView:
    """Return a new token of this home's pool.

    Raises:
        ConfigurationError: so many minutes cannot be, or the home is damaged.
    """
    refuse_without_libraries()
    import secrets

    from tandem.adapters.lan.authority import take_authority
    from tandem.adapters.lan.tokens import FINGERPRINT_BYTES, SECRET_BYTES, Token, Tokens
    from tandem.adapters.local.folder import private_folder

    home.make()
    private_folder(home.lan)
    authority = take_authority(home.lan, _utc_s())
    made = Token(
        secret=secrets.token_bytes(SECRET_BYTES),
        fingerprint=authority.fingerprint[:FINGERPRINT_BYTES],
    )
    Tokens(home.lan).add(made, minutes=minutes, now_s=_utc_s())
    return TokenView(token=made.text, pool_id=authority.pool_id, minutes=minutes)


@worker.command
def join(
    host: str | None = None,
    *,
    token: str | None = None,
    name: str | None = None,
    hosted: Hosted | None = None,
    home: HomeOption = None,
) -> int:
    """Let workers of this computer trade for a pool of another one, until Ctrl-C.

    The token is needed once. Without HOST the pool is looked for on the LAN.

    Args:
        host: Where the pool is, as HOST or HOST:PORT.
        token: What 'tandem worker token' printed there; - reads it from standard input.
        name: What this computer is called in the pool; its own name unless given.
        hosted: How many processes of each kind.
        home: Where certificates and the log are.
    """

    async def act() -> int:
        wanted = hosted if hosted is not None else Hosted()
        if not 1 <= wanted.workers <= WORKERS_MAX:
            raise BadInputError(f"--workers {wanted.workers}: expected 1 to {WORKERS_MAX}")
        chosen = Hosted(wanted.workers, evaluators_here(wanted.evaluators))
        refuse_without_libraries()
        from tandem.adapters.lan.tokens import read_token
        from tandem.wiring.joining import Asked

        text = sys.stdin.readline() if token == STANDARD_INPUT else token
        read = read_token(text) if text is not None else None
        asked = Asked(host=host, token=read, name=name)
        return await join_pool(home_of(home), asked, chosen, sys.stdout)

    return finish(act)


def evaluators_here(evaluators: int | None) -> int:
    """Return how many evaluators a joined computer runs.

    Raises:
        ConfigurationError: the number cannot be, or not all is installed that they need.
    """
    if evaluators is None:
        processors = len(os.sched_getaffinity(0))
        return min(max(1, processors - 1), EVALUATORS_MAX) if is_installed() else 0
    if not 0 <= evaluators <= EVALUATORS_MAX:
        raise BadInputError(f"--evaluators {evaluators}: expected 0 to {EVALUATORS_MAX}")
    if evaluators:
        require_strategies()
    return evaluators


async def join_pool(home: Home, asked: object, hosted: Hosted, out: TextIO) -> int:
    """Be a machine of a pool until SIGINT or SIGTERM; return the exit code.

    Raises:
        TandemError: it cannot join, or its workers end again and again.
    """
    from tandem.wiring.joining import Asked, join
    from tandem.wiring.machine import MachineProcesses
    from tandem.wiring.serving import forbid_dumps

    def say(text: str) -> None:
        out.write(f"{text}\n")
        out.flush()

    assert isinstance(asked, Asked), "asked by the command line"
    forbid_dumps()
    home.make()
    joined, pool = await join(home.joined, asked, say)
    evaluators = hosted.evaluators or 0
    if evaluators and pool.tasks is None:
        evaluators = 0
        say("no strategies are evaluated there: workers only")
    machine = MachineProcesses(home, joined.name, pool, clock=SystemClock(), say=say)
    waiting = asyncio.ensure_future(machine.wait())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, waiting.cancel)
    try:
        machine.start(workers=hosted.workers, evaluators=evaluators)
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
    finally:
        await machine.stop()
        say("all workers have ended")
    return OK


@worker.command(name="list")
def list_workers(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """List the computers that have joined, with workers and evaluators. 1 without a pool here."""

    async def act() -> int:
        chosen = home_of(home)
        try:
            view = await ask_desk(chosen, lambda line: line.status())
        except CoordinatorUnreachableError:
            view = None
        found = await ask_evaluators(chosen)
        evaluators = found.evaluators if found is not None else ()
        shown = machine_views(Machines(chosen.lan).all(), view, evaluators)
        return show_machines(shown, view, sys.stdout, as_json=json)

    return finish(act)


def machine_views(
    machines: list[Machine], view: StatusView | None, evaluators: Sequence[EvaluatorView] = ()
) -> list[MachineView]:
    """Return this computer, then the others by name, each with its workers and evaluators."""
    evaluating: dict[str | None, list[EvaluatorView]] = {}
    for each in evaluators:
        # The name of one of another computer is believed: it is its key's.
        machine = None if each.is_here else each.name.rpartition("-")[0]
        evaluating.setdefault(machine, []).append(each)
    by_machine: dict[str | None, list[WorkerView]] = {None: []}
    expiries = {one.name: one.expires_s for one in machines if not one.is_removed}
    for name in expiries:
        by_machine[name] = []
    for one in view.workers if view is not None else ():
        by_machine.setdefault(one.machine, []).append(one)
    return [
        MachineView(
            machine=name,
            expires_s=expiries.get(name) if name is not None else None,
            workers=tuple(found),
            evaluators=tuple(evaluating.get(name, ())),
        )
        for name, found in by_machine.items()
    ]


def show_machines(
    shown: list[MachineView], view: StatusView | None, out: TextIO, *, as_json: bool
) -> int:
    """Write them; return the exit code."""
    if as_json:
        write_json({"running": view is not None, "machines": shown}, out)
    else:
        rows: list[tuple[object, ...]] = []
        for one in shown:
            machine = one.machine or "this computer"
            rows += [
                (machine, found.name, worker_state(found), found.slot_id or "")
                for found in one.workers
            ]
            rows += [
                (machine, each.name, "leaving" if each.is_leaving else "evaluating", "")
                for each in one.evaluators
            ]
            if not one.workers:
                rows.append((machine, "", "no workers", ""))
        out.write(table(("machine", "worker", "state", "slot"), rows))
    return OK if view is not None else FAILED


def worker_state(view: WorkerView) -> str:
    """Return in a word how a worker is."""
    if not view.connected:
        return "away"
    if view.draining:
        return "draining"
    if not view.confirmed:
        return "setting up"
    return "trading" if view.slot_id is not None else "spare"


@worker.command
def drain(name: str, *, home: HomeOption = None, json: JsonOption = False) -> int:
    """Let a worker hand its account over as soon as nothing is under way, and take no other.

    Args:
        name: Of the worker process, as 'tandem worker list' shows it.
        home: Where journals and sockets are.
        json: Print JSON.
    """
    command = DrainWorker(worker=name)
    return finish(lambda: tell_desk(home_of(home), command, sys.stdout, as_json=json))


@worker.command
def remove(
    machine: str,
    *,
    force: Annotated[bool, Parameter(negative="")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Let a computer in no more: its workers are drained, and then its certificate is refused.

    Args:
        machine: Its name, as 'tandem worker list' shows it.
        force: Do not wait until its workers have handed over their accounts.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        return await remove_machine(home_of(home), machine, sys.stdout, force=force, as_json=json)

    return finish(act)


async def remove_machine(home: Home, name: str, out: TextIO, *, force: bool, as_json: bool) -> int:
    """Drain and remove a machine; return the exit code.

    Raises:
        ConfigurationError: there is no such machine.
        DrainFailedError: its workers keep their accounts.
    """
    machines = Machines(home.lan)
    found = machines.named(name)
    if found is None or found.is_removed:
        known = ", ".join(one.name for one in machines.all() if not one.is_removed) or "none"
        raise ConfigurationError(f"no machine {name!r}; there are: {known}")
    drained = 0
    if not force and home.running_pid() is not None:
        drained = await drain_machine(home, name)
    machines.remove(name, _utc_s())
    if as_json:
        write_json({"removed": name, "drained": drained}, out)
    else:
        out.write(f"{name} is removed; {drained} workers handed over their accounts\n")
    return OK


def refuse_without_libraries() -> None:
    """See that the libraries of the extra `lan` are installed.

    Raises:
        ConfigurationError: they are not.
    """
    import importlib.util

    for name in ("cryptography", "zeroconf"):
        if importlib.util.find_spec(name) is None:
            raise ConfigurationError(
                f"other computers need the package {name}: pip install 'tandem-trading[lan]'"
            )


def _utc_s() -> int:
    return SystemClock().now().market_ns // 1_000_000_000
