"""A machine leaves a pool: its workers hand over their accounts first."""

import asyncio
from typing import Final

from tandem.domain.commands import DrainWorker, Refused
from tandem.domain.errors import TandemError
from tandem.domain.views import StatusView, WorkerView
from tandem.wiring.asking import desk_line
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command
from tandem.wiring.polling import poll

DRAIN_S: Final = 15.0


class DrainFailedError(TandemError):
    """Workers keep their accounts: nobody is there to take them, or orders are under way."""


async def drain_machine(home: Home, machine: str) -> int:
    """Let every worker of `machine` hand over its account; return how many did.

    Raises:
        CoordinatorUnreachableError: the pool does not answer.
        DrainFailedError: some keep theirs.
    """
    async with desk_line(home) as line:
        view = await line.status()
        holders = _holders(view, machine)
        # Its spares first: they must not be the ones that take the accounts over.
        spares = [one for one in view.workers if one.machine == machine and one not in holders]
        for one in (*spares, *holders):
            command_id = fresh_command("drain")
            answer = await line.command(command_id, DrainWorker(worker=one.name))
            if isinstance(answer, Refused):
                raise DrainFailedError(f"{one.name} is not drained: {answer.text}")
        try:
            async with asyncio.timeout(DRAIN_S):
                await poll(line.status, lambda view: not _holders(view, machine))
        except TimeoutError as error:
            kept = _holders(await line.status(), machine)
            names = ", ".join(f"{one.name} ({one.slot_id})" for one in kept)
            raise DrainFailedError(
                f"still with their accounts after {DRAIN_S:g} s: {names}; start spares, or use "
                "--force: then their accounts go to others when their right has ended"
            ) from error
    return len(holders)


def _holders(view: StatusView, machine: str) -> list[WorkerView]:
    return [one for one in view.workers if one.machine == machine and one.slot_id is not None]
