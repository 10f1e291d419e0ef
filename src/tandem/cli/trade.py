"""`tandem trade`: a share list, line by line, in tandem over all workers."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.share_list_run import Run, trade_list
from tandem.wiring.names import fresh_name

app = new_app()


@Parameter(name="*")
@dataclass(frozen=True)
class TradeOptions:
    """How a list is traded.

    Attributes:
        run: The run's name; typed again it trades nothing twice. A new one is made and printed.
        workers: Processes of a pool that is started for this run.
        drill: Kill one worker process on the way, and show who takes over.
    """

    run: str | None = None
    workers: int | None = None
    drill: Annotated[bool, Parameter(negative="")] = False


@app.command
def trade(
    file: Path,
    *,
    options: TradeOptions | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Trade a share list: SYMBOL side number TARGET, one order a line.

    TARGET is ALL (the number is split over all workers), EACH (every worker the whole number) or
    names such as w1,w3. The whole list is checked before anything is sent.

    Typed again with the same --run, nothing is traded twice: what was answered is shown again,
    and a run that was interrupted goes on where it stood.

    Args:
        file: The share list.
        options: How it is traded.
        home: Where journals and sockets are.
        json: Print JSON.
    """
    chosen = options if options is not None else TradeOptions()
    run = Run(
        file=file,
        name=chosen.run or fresh_name(file.stem),
        workers=chosen.workers,
        drill=chosen.drill,
        as_json=json,
    )
    return finish(lambda: trade_list(run, home_of(home), sys.stdout, err=sys.stderr))
