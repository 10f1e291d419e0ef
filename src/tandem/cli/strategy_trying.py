"""What a strategy's text says before it trades: checked, run over stored bars, proved honest.

Imports what strategies need, so commands load it only when they need it too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from tandem.cli.calling import BadInputError
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import write_json
from tandem.cli.typed import moment_text
from tandem.domain.bars import FinalBar
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Parameters, StrategyText
from tandem.strategies.check import check
from tandem.strategies.engine import SeriesId
from tandem.strategies.errors import StrategyError
from tandem.strategies.lookahead import Other, Proof, engine_runs, prove
from tandem.strategies.shipped import sentence, shipped
from tandem.wiring.whole_files import write_whole

_SERIES: Final = SeriesId("tried")


def write_problems(
    texts: Sequence[tuple[Path, StrategyText]], out: TextIO, *, as_json: bool
) -> int:
    """Write what is wrong with the text of each file; return the exit code: 1 for an error."""
    found = [(file, text.name, problem) for file, text in texts for problem in check(text)]
    if as_json:
        rows = [
            {"file": str(file), "strategy": name, **problem._asdict()}
            for file, name, problem in found
        ]
        write_json(rows, out)
    else:
        for file, _, problem in found:
            out.write(f"{file}:{problem}\n")
        errors = sum(problem.is_error for _, _, problem in found)
        out.write(f"{len(texts)} checked: {errors} errors, {len(found) - errors} warnings\n")
    return FAILED if any(problem.is_error for _, _, problem in found) else OK


def refuse_errors(file: Path, text: StrategyText) -> None:
    """Let nothing pass that cannot be run; `file` is where it was read.

    Raises:
        BadInputError: the text has an error; names the first, with its line and column.
    """
    for problem in check(text):
        if problem.is_error:
            raise BadInputError(f"{file}:{problem}")


def write_new(file: Path, like: str | None, out: TextIO) -> int:
    """Write a strategy to begin with to a new file; return the exit code.

    In Lua it is one of the shipped ones, in Python the paper's.

    Raises:
        BadInputError: there is no such strategy, or the file stands there already.
    """
    known = shipped()
    if file.suffix not in (".lua", ".py"):
        raise BadInputError(f"{file}: expected a name that ends in .lua or .py")
    if like is not None and like not in known:
        raise BadInputError(f"--like {like}: expected one of {', '.join(known)}")
    if like is not None and file.suffix == ".py":
        raise BadInputError(f"--like {like}: it is in Lua, expected a name that ends in .lua")
    if file.exists():
        raise BadInputError(f"{file} is there already")
    chosen = known[like or "sma_ema_cross"]
    write_whole(file, PYTHON if file.suffix == ".py" else chosen.text)
    out.write(f"{file}: {sentence(chosen)}\n")
    return OK


PYTHON: Final = '''\
"""The paper's strategy: short while the simple average is above the exponential one, else long.

params.sma, params.ema    their periods (10 and 10)
"""


def decide(ta, params):
    sma = ta.sma(params.sma or 10)
    ema = ta.ema(params.ema or 10)

    if sma() > ema():
        return "short"
    return "long"
'''


def write_proof(
    text: StrategyText,
    parameters: Parameters,
    found: Sequence[tuple[Sequence[FinalBar], Instrument]],
    out: TextIO,
    *,
    every: int,
) -> int:
    """Write whether a strategy saw anything of the future; 1 when it did, or failed.

    `found` has its own bars, and after them those of each that it looks at besides.

    Raises:
        BadInputError: the text cannot be used.
    """
    own, *others = (
        Other(instrument=instrument, bars=[one.bar for one in finals])
        for finals, instrument in found
    )
    try:
        runs = engine_runs(text, own.instrument, parameters, others)
        proof = prove(runs, own.bars, every=every)
    except StrategyError as error:
        raise BadInputError(f"{text.name}: {error}") from error
    out.write(_verdict(proof))
    is_proved = proof.peek is None and proof.error is None and proof.compared > 0
    return OK if is_proved else FAILED


def _verdict(proof: Proof) -> str:
    if proof.error is not None:
        return f"the strategy failed: {proof.error}\n"
    counts = f"{proof.compared} of {proof.bars} bars were decided again without those to come"
    if proof.peek is None:
        return f"{counts}: nothing differed\n" if proof.compared else "no bars: nothing proved\n"
    peek = proof.peek
    return (
        f"{counts}: bar {peek.number} (begun at {moment_text(peek.begin_ns)}) differs\n"
        f"  with the future:    {peek.with_future}\n"
        f"  without the future: {peek.without}\n"
    )
